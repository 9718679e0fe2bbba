//! Encryption: what is configured, and what the configured files said.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How TCP connections are encrypted.
#[derive(Clone, PartialEq, Debug)]
pub struct Tls {
    /// Files with certificate chains in PEM; none: no TLS. The first is for clients that name no
    /// server, or one that no certificate is for.
    pub certificates: Vec<PathBuf>,
    /// Files with their private keys, in the same order; none: the keys stand in the same files.
    pub keys: Vec<PathBuf>,
    /// Files with OCSP responses in DER, for any of the certificates.
    pub ocsp: Vec<PathBuf>,
    /// A file with the certificates of those who may sign clients' certificates.
    pub client_ca: Option<PathBuf>,
    /// Whether clients have to show a certificate.
    pub client_certificates: ClientCertificates,
    /// The oldest version of the protocol that is spoken.
    pub min_version: TlsVersion,
    /// How often the keys change with which sessions are resumed; 1 second to 24 hours.
    pub ticket_rotation: Duration,
    /// What the files said when they were read last; nothing before they are.
    pub files: Arc<TlsFiles>,
}

impl Tls {
    /// None at all.
    #[must_use]
    pub fn off() -> Self {
        Self {
            certificates: Vec::new(),
            keys: Vec::new(),
            ocsp: Vec::new(),
            client_ca: None,
            client_certificates: ClientCertificates::None,
            min_version: TlsVersion::Tls12,
            ticket_rotation: Duration::from_secs(12 * 60 * 60),
            files: Arc::default(),
        }
    }

    /// Whether TCP connections are encrypted.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.certificates.is_empty()
    }
}

/// Whether clients have to show a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientCertificates {
    /// They are not asked for one.
    None,
    /// They may show one; one that is not valid ends the handshake.
    Optional,
    /// Without a valid one there is no connection.
    Required,
}

/// A version of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

/// What the files said: texts and keys, not yet understood. Read once, by a process that may still
/// read them, and handed on from there.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TlsFiles {
    /// Certificates and their keys, in the order of the configuration.
    pub pairs: Vec<TlsPair>,
    /// OCSP responses in DER, each with its file for messages.
    pub ocsp: Vec<(String, Vec<u8>)>,
    /// Who may sign clients' certificates, in PEM, and the file for messages.
    pub client_ca: Option<(String, String)>,
}

/// A certificate chain and its key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsPair {
    /// The file of the chain, for messages.
    pub name: String,
    /// The chain, in PEM, the server's own certificate first.
    pub chain: String,
    /// The file of the key, for messages.
    pub key_name: String,
    /// The private key, in PEM.
    pub key: String,
}

impl fmt::Debug for TlsPair {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsPair")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TlsFiles {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsFiles")
            .field("pairs", &self.pairs)
            .finish_non_exhaustive()
    }
}
