//! Whether clients have to say who they are.

use std::sync::Arc;

use brigade_config::{ClientCertificates, Tls};
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use super::material::certificates;

/// What judges clients' certificates; none if they are not asked for one.
///
/// # Errors
/// A sentence: the file has no certificates, or none that may sign.
pub(super) fn verifier(
    tls: &Tls,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
    let is_required = match tls.client_certificates {
        ClientCertificates::None => return Ok(None),
        ClientCertificates::Optional => false,
        ClientCertificates::Required => true,
    };
    // That a file is named was checked with the configuration.
    let (file, text) = tls
        .files
        .client_ca
        .as_ref()
        .ok_or("no ssl-ca-certs were read")?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file, text)? {
        roots.add(certificate).map_err(|error| {
            format!("{file}: one of the certificates can't sign others': {error}")
        })?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(provider));
    let builder = match is_required {
        true => builder,
        false => builder.allow_unauthenticated(),
    };
    let built = builder.build();
    built.map(Some).map_err(|error| format!("{file}: {error}"))
}
