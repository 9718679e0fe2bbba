//! rustls' configuration out of ours.

use std::sync::Arc;
use std::time::SystemTime;

use brigade_config::{Tls, TlsVersion};
use rustls::server::NoServerSessionStorage;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};

use super::clients;
use super::material::{self, Material};
use super::provider::{digest, provider};
use super::resolver::Certificates;
use super::tickets::{KeyRing, Tickets};

/// The protocols over TLS, by preference (ALPN).
pub(super) type Protocols = Vec<Vec<u8>>;

/// What new connections are encrypted by.
///
/// # Errors
/// Everything that is wrong with the files, in sentences.
pub(super) fn settings(
    tls: &Tls,
    ring: Option<Arc<KeyRing>>,
    protocols: Protocols,
) -> Result<Arc<ServerConfig>, Vec<String>> {
    let provider = provider();
    let Material {
        shown,
        mut problems,
        ..
    } = material::understand(&tls.files, &provider, SystemTime::now());
    let verifier = clients::verifier(tls, &provider).unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    if !problems.is_empty() {
        return Err(problems);
    }
    if shown.is_empty() {
        return Err(vec!["there is no certificate".to_owned()]);
    }
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(tls.min_version))
        .map_err(|error| vec![error.to_string()])?;
    let builder = match verifier {
        None => builder.with_no_client_auth(),
        Some(verifier) => builder.with_client_cert_verifier(verifier),
    };
    let mut settings = builder.with_cert_resolver(Arc::new(Certificates::new(&shown)));
    settings.alpn_protocols = protocols;
    // Sessions are in the tickets: what one process remembers no other could resume.
    settings.session_storage = Arc::new(NoServerSessionStorage {});
    match ring {
        Some(ring) => {
            let tickets = Tickets::new(ring, tls.ticket_rotation, rules(tls));
            settings.ticketer = Arc::new(tickets);
        }
        None => settings.send_tls13_tickets = 0,
    }
    // Early data can be replayed (RFC 8446, section 8), and an app would have to know.
    settings.max_early_data_size = 0;
    Ok(Arc::new(settings))
}

fn versions(min: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    const BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
    match min {
        TlsVersion::Tls12 => BOTH,
        TlsVersion::Tls13 => &BOTH[..1],
    }
}

/// What judges clients, as a digest; nothing if nobody is judged.
fn rules(tls: &Tls) -> Vec<u8> {
    let Some((_, authorities)) = &tls.files.client_ca else {
        return Vec::new();
    };
    let words = format!("{:?}\n{authorities}", tls.client_certificates);
    digest::digest(&digest::SHA256, words.as_bytes())
        .as_ref()
        .to_vec()
}
