//! For tests: certificates, and a client who trusts them.

use std::sync::Arc;

use brigade_config::{ClientCertificates, Tls, TlsFiles, TlsPair};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::DuplexStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::provider::provider;

/// Somebody who signs certificates.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) certificate: String,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// A certificate for these names and its key, with other properties as wished.
    pub(super) fn sign_with(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> TlsPair {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names.clone()).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, names.concat());
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        TlsPair {
            name: format!("{}.pem", names.concat()),
            chain: signed.pem(),
            key_name: format!("{}.key", names.concat()),
            key: key.serialize_pem(),
        }
    }

    pub(super) fn sign(&self, names: &[&str]) -> TlsPair {
        self.sign_with(names, |_| {})
    }
}

/// A configuration with these certificates.
pub(super) fn with(pairs: Vec<TlsPair>) -> Tls {
    let mut tls = Tls::off();
    tls.certificates = vec!["somewhere.pem".into(); pairs.len()];
    tls.files = Arc::new(TlsFiles {
        pairs,
        ..TlsFiles::default()
    });
    tls
}

/// The same, with clients judged.
pub(super) fn judging(mut tls: Tls, how: ClientCertificates, by: &Authority) -> Tls {
    tls.client_certificates = how;
    let client_ca = Some(("clients.pem".to_owned(), by.certificate.clone()));
    let mut files = (*tls.files).clone();
    files.client_ca = client_ca;
    tls.files = Arc::new(files);
    tls
}

/// A client, who remembers sessions from one connection to the next.
pub(super) struct Client(Arc<ClientConfig>);

impl Client {
    pub(super) fn trusting(authority: &Authority, own: Option<&TlsPair>) -> Self {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(authority.certificate.as_bytes()).unwrap();
        roots.add(root).unwrap();
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let chain = CertificateDer::pem_slice_iter(own.chain.as_bytes());
                let chain = chain.collect::<Result<_, _>>().unwrap();
                let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self(Arc::new(config))
    }

    /// Shakes hands.
    pub(super) async fn connect(
        &self,
        name: &str,
        stream: DuplexStream,
    ) -> std::io::Result<TlsStream<DuplexStream>> {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        TlsConnector::from(Arc::clone(&self.0))
            .connect(name, stream)
            .await
    }
}
