//! Certificates of our own, and a client who speaks TLS and remembers its sessions.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, ConfigBuilder, HandshakeKind, RootCertStore, StreamOwned,
};

use super::log::PATIENCE;

/// Who signs the certificates of a test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    own: (String, String),
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            root: certificate.der().clone(),
            own: (certificate.pem(), key.serialize_pem()),
            issuer: Issuer::new(params, key),
        }
    }

    /// Writes `NAME.pem` and `NAME.key` into a directory.
    pub(crate) fn sign(&self, name: &str, dir: &Path) {
        self.sign_with(name, dir, |_| {});
    }

    /// The same, with other properties as wished.
    pub(crate) fn sign_with(
        &self,
        name: &str,
        dir: &Path,
        change: impl FnOnce(&mut CertificateParams),
    ) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(dir.join(format!("{name}.pem")), signed.pem()).unwrap();
        std::fs::write(dir.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    /// Writes its own certificate and key.
    pub(crate) fn write(&self, name: &str, dir: &Path) {
        std::fs::write(dir.join(format!("{name}.pem")), &self.own.0).unwrap();
        std::fs::write(dir.join(format!("{name}.key")), &self.own.1).unwrap();
    }

    /// A client who trusts nobody else.
    pub(crate) fn client(&self) -> TlsClient {
        TlsClient(Arc::new(self.trust().with_no_client_auth()))
    }

    /// The same, who shows a certificate: `NAME.pem` and `NAME.key` of a directory.
    pub(crate) fn client_with(&self, name: &str, dir: &Path) -> TlsClient {
        let own = CertificateDer::from_pem_slice(&read(dir, name, "pem")).unwrap();
        let key = PrivateKeyDer::from_pem_slice(&read(dir, name, "key")).unwrap();
        let config = self.trust().with_client_auth_cert(vec![own], key);
        TlsClient(Arc::new(config.unwrap()))
    }

    fn trust(&self) -> ConfigBuilder<ClientConfig, WantsClientCert> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
    }
}

/// See [`Authority::client`].
pub(crate) struct TlsClient(Arc<ClientConfig>);

/// A connection of it.
pub(crate) struct TlsConnection(Stream);

type Stream = StreamOwned<ClientConnection, TcpStream>;

impl TlsClient {
    /// Connects; the handshake is made when something is sent.
    pub(crate) fn connect(&self, port: u16, name: &str) -> TlsConnection {
        self.connect_after(port, name, &[])
    }

    /// The same, behind what somebody in between has to say first.
    pub(crate) fn connect_after(&self, port: u16, name: &str, before: &[u8]) -> TlsConnection {
        TlsConnection(self.stream(port, name, before).unwrap())
    }

    pub(super) fn stream(&self, port: u16, name: &str, before: &[u8]) -> io::Result<Stream> {
        let connection = self.begin(name);
        let mut socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.write_all(before)?;
        Ok(StreamOwned::new(connection, socket))
    }

    fn begin(&self, name: &str) -> ClientConnection {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        ClientConnection::new(Arc::clone(&self.0), name).unwrap()
    }

    /// The first thing that it would say.
    pub(crate) fn hello(&self, name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.begin(name).write_tls(&mut bytes).unwrap();
        bytes
    }

    /// The same, who asks for HTTP/2, and knows of no session so far.
    pub(super) fn http2(&self) -> Self {
        let mut config = ClientConfig::clone(&self.0);
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self(Arc::new(config))
    }

    /// Asks once over a connection of its own: the answer, and whether a session was resumed.
    pub(crate) fn ask(&self, port: u16, name: &str) -> (String, bool) {
        let mut connection = self.connect(port, name);
        let answer = connection.ask("connection: close\r\n");
        (answer, connection.is_resumed())
    }
}

impl TlsConnection {
    /// The whole answer to a request, up to the end of its body.
    pub(crate) fn ask(&mut self, header: &str) -> String {
        self.get("/", header).unwrap()
    }

    /// The same of any path, if there is an answer.
    pub(crate) fn get(&mut self, path: &str, header: &str) -> io::Result<String> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n{header}\r\n");
        self.0.write_all(request.as_bytes())?;
        let (mut text, mut buffer) = (String::new(), [0; 4096]);
        loop {
            let count = self.0.read(&mut buffer)?;
            text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
            if count == 0 || is_whole(&text) {
                return Ok(text);
            }
        }
    }

    /// Whether the other end has said goodbye, as TLS does.
    pub(crate) fn ends_well(&mut self) -> bool {
        matches!(self.0.read(&mut [0; 16]), Ok(0))
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.0.conn.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// What the server has shown.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        self.0.conn.peer_certificates().unwrap()[0].to_vec()
    }
}

fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| length.parse() == Ok(body.len()))
}

/// The certificate of a file.
pub(crate) fn certificate(dir: &Path, name: &str) -> Vec<u8> {
    let text = read(dir, name, "pem");
    CertificateDer::from_pem_slice(&text).unwrap().to_vec()
}

fn read(dir: &Path, name: &str, kind: &str) -> Vec<u8> {
    std::fs::read(dir.join(format!("{name}.{kind}"))).unwrap()
}
