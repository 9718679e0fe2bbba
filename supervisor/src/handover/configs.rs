//! Configurations in the document: as words, which each version reads with its own parsers. What
//! came in words goes on in the same words, so that the program that wrote them loses nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use brigade_config::{Config, Record, TlsFiles};
use brigade_shared::id::Generation;

use crate::act::Configs;

impl Configs {
    /// The words of every living generation's.
    pub(super) fn records(&self) -> BTreeMap<Generation, Record> {
        let words = |(generation, config): (&Generation, &Config)| {
            let came = self.words.get(generation).cloned();
            (*generation, came.unwrap_or_else(|| config.record()))
        };
        self.of.iter().map(words).collect()
    }

    /// What the files of every living generation's certificates said.
    pub(super) fn certificates(&self) -> BTreeMap<Generation, TlsFiles> {
        let encrypted = self
            .of
            .iter()
            .filter(|(_, config)| config.worker.tls.is_on());
        let files = |config: &Config| (*config.worker.tls.files).clone();
        encrypted
            .map(|(generation, config)| (*generation, files(config)))
            .collect()
    }

    /// What these words say, with the certificates that were read for them.
    pub(super) fn recall(
        words: BTreeMap<Generation, Record>,
        certificates: &BTreeMap<Generation, TlsFiles>,
    ) -> Self {
        let config = |(generation, record): (&Generation, &Record)| {
            let mut config = Config::recall(record).0;
            if let Some(files) = certificates.get(generation) {
                config.worker.tls.files = Arc::new(files.clone());
            }
            (*generation, config)
        };
        Self {
            of: words.iter().map(config).collect(),
            loaded: None,
            words,
            parting_logs: BTreeMap::new(),
        }
    }

    /// The configuration of the generation that serves.
    pub(crate) fn running(&self) -> Option<&Config> {
        self.of.values().next()
    }

    /// How long the generation that serves had to become ready: nothing that is started is waited
    /// for longer.
    pub(super) fn patience(&self) -> Duration {
        self.running()
            .map_or(Duration::MAX, |config| config.supervisor.timeout_start)
    }
}
