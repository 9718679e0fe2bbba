//! Which certificate a client is shown: the one for the name it asks for, of a kind that it
//! understands.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::material::Shown;

/// The certificates by name. Never empty.
#[derive(Debug)]
pub(super) struct Certificates {
    all: Vec<Arc<CertifiedKey>>,
    /// Exact names, and wildcards with their asterisk.
    by_name: HashMap<String, Vec<usize>>,
    /// For who names nobody, or somebody unknown.
    otherwise: Vec<usize>,
}

impl Certificates {
    /// Of at least one; the first is for those who name nobody.
    pub(super) fn new(shown: &[Shown]) -> Self {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, shown) in shown.iter().enumerate() {
            for name in &shown.names {
                by_name.entry(name.clone()).or_default().push(index);
            }
        }
        // With it those of another kind of key for the same name.
        let name = shown.first().and_then(|first| first.names.first());
        let twins = name.and_then(|name| by_name.get(name));
        let otherwise = twins.filter(|twins| twins.contains(&0));
        Self {
            otherwise: otherwise.cloned().unwrap_or_else(|| vec![0]),
            all: shown.iter().map(|shown| Arc::clone(&shown.key)).collect(),
            by_name,
        }
    }

    fn of(&self, name: &str) -> &[usize] {
        let exact = self.by_name.get(name);
        let found = exact.or_else(|| {
            let (_, rest) = name.split_once('.')?;
            self.by_name.get(&format!("*.{rest}"))
        });
        found.unwrap_or(&self.otherwise)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let candidates = match hello.server_name() {
            Some(name) => self.of(&name.to_ascii_lowercase()),
            None => &self.otherwise,
        };
        let understood = |index: &&usize| {
            let key = &self.all[**index].key;
            key.choose_scheme(hello.signature_schemes()).is_some()
        };
        let chosen = candidates.iter().find(understood).or(candidates.first())?;
        Some(Arc::clone(&self.all[*chosen]))
    }
}
