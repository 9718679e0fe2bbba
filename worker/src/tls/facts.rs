//! What an app may want to know of the encryption.

use rustls::pki_types::CertificateDer;
use rustls::{HandshakeKind, ProtocolVersion, ServerConnection};

use super::x509;

/// How a connection is encrypted, and who the client is by its certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFacts {
    version: &'static str,
    cipher: &'static str,
    server_name: Option<String>,
    alpn: Option<String>,
    chain: Vec<CertificateDer<'static>>,
    resumed: bool,
}

impl TlsFacts {
    /// Of a connection whose handshake is done.
    pub(super) fn of(connection: &ServerConnection) -> Self {
        let version = match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "unknown",
        };
        let cipher = connection.negotiated_cipher_suite();
        let alpn = connection.alpn_protocol();
        Self {
            version,
            cipher: cipher
                .and_then(|cipher| cipher.suite().as_str())
                .unwrap_or("unknown"),
            server_name: connection.server_name().map(str::to_owned),
            alpn: alpn.map(|name| String::from_utf8_lossy(name).into_owned()),
            chain: connection.peer_certificates().unwrap_or_default().to_vec(),
            resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
        }
    }

    /// The protocol's version: `TLSv1.2` or `TLSv1.3`, as nginx and OpenSSL write it.
    #[must_use]
    pub fn version(&self) -> &'static str {
        self.version
    }

    /// The cipher suite, by the name that IANA has for it: `TLS13_AES_256_GCM_SHA384`.
    #[must_use]
    pub fn cipher(&self) -> &'static str {
        self.cipher
    }

    /// The name of the server that the client asked for (SNI); it may be anybody's.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// The protocol that was agreed on (ALPN): `h2` or `http/1.1`; none if the client has not asked.
    #[must_use]
    pub fn alpn(&self) -> Option<&str> {
        self.alpn.as_deref()
    }

    /// The client's certificates in DER, its own first; empty if it has shown none. They were
    /// found to be valid, at the latest when the session began that this connection resumes.
    pub fn client_chain(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.chain.iter().map(|certificate| certificate.as_ref())
    }

    /// Whom the client's certificate names, as RFC 4514 writes it: `CN=alice,O=Example`. Read from
    /// the certificate at each call.
    #[must_use]
    pub fn client_subject(&self) -> Option<String> {
        let summary = x509::summary(self.chain.first()?)?;
        Some(summary.subject)
    }

    /// Whether the client came back with a ticket and no new handshake was needed.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }
}
