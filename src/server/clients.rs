//! How clients are spoken with: TLS, HTTP, and proxies in front.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use super::Server;

impl Server {
    /// A chain of certificates in PEM, the server's own first: all TCP addresses speak TLS then. Once more with
    /// each call, for clients that ask for another name (SNI); each needs its [`ssl_keyfile`](Self::ssl_keyfile), in
    /// the same order.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let server = brigade::Server::new();
    /// server
    ///     .bind("0.0.0.0:443")
    ///     .ssl_certfile("/etc/shop/fullchain.pem")
    ///     .ssl_keyfile("/etc/shop/privkey.pem")
    ///     .ssl_min_version("1.3")
    ///     .insecure_bind("127.0.0.1:8080")
    /// # ;
    /// ```
    pub fn ssl_certfile(self, path: impl AsRef<Path>) -> Self {
        self.path("ssl-certfile", path.as_ref())
    }

    /// The private key of a certificate, in PEM and not encrypted; one for each, in the same order.
    pub fn ssl_keyfile(self, path: impl AsRef<Path>) -> Self {
        self.path("ssl-keyfile", path.as_ref())
    }

    /// An OCSP response to staple, in DER; one for each certificate, in the same order.
    pub fn ssl_ocsp(self, path: impl AsRef<Path>) -> Self {
        self.path("ssl-ocsp", path.as_ref())
    }

    /// Who may sign clients' certificates, in PEM.
    pub fn ssl_ca_certs(self, path: impl AsRef<Path>) -> Self {
        self.path("ssl-ca-certs", path.as_ref())
    }

    /// Whether clients show certificates: `none`, `optional` or `required`.
    pub fn ssl_cert_reqs(self, word: impl Display) -> Self {
        self.set("ssl-cert-reqs", word)
    }

    /// The oldest version of TLS that is spoken: `1.2` or `1.3`.
    pub fn ssl_min_version(self, version: impl Display) -> Self {
        self.set("ssl-min-version", version)
    }

    /// How often the keys change with which clients resume their sessions.
    pub fn ssl_ticket_rotation(self, time: Duration) -> Self {
        self.time("ssl-ticket-rotation", time)
    }

    /// A TCP address without TLS beside those with it, as [`bind`](Self::bind) takes them; once more with each call.
    pub fn insecure_bind(self, address: impl Display) -> Self {
        self.set("insecure-bind", address)
    }

    /// Which versions of HTTP are spoken: `1`, `2` or `both`.
    pub fn http(self, versions: impl Display) -> Self {
        self.set("http", versions)
    }

    /// How long a client of HTTP/2 may be silent before it is pinged; zero: never.
    pub fn http2_ping(self, time: Duration) -> Self {
        self.time("http2-ping", time)
    }

    /// Whether answers say `server: brigade`.
    pub fn server_header(self, is_on: bool) -> Self {
        self.set("server-header", is_on)
    }

    /// Whether answers say the date.
    pub fn date_header(self, is_on: bool) -> Self {
        self.set("date-header", is_on)
    }

    /// Adds a header to every answer, `name: value`; once more with each call.
    pub fn header(self, header: impl Display) -> Self {
        self.set("header", header)
    }

    /// Whether what trusted proxies say of the client is believed.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let server = brigade::Server::new();
    /// server.proxy_headers(true).forwarded_allow_ips("10.0.0.0/8, unix").root_path("/shop").request_id(true)
    /// # ;
    /// ```
    pub fn proxy_headers(self, is_on: bool) -> Self {
        self.set("proxy-headers", is_on)
    }

    /// Whose forwarded headers are believed: addresses, networks, `unix` or `*`, separated by commas.
    pub fn forwarded_allow_ips(self, peers: impl Display) -> Self {
        self.set("forwarded-allow-ips", peers)
    }

    /// Which headers a proxy writes: `x-forwarded`, `forwarded`, or `auto` for either.
    pub fn forwarded_header(self, family: impl Display) -> Self {
        self.set("forwarded-header", family)
    }

    /// The path under which a proxy shows this service: `/shop`.
    pub fn root_path(self, path: impl Display) -> Self {
        self.set("root-path", path)
    }

    /// Whether every request gets an id, in `x-request-id`.
    pub fn request_id(self, is_on: bool) -> Self {
        self.set("request-id", is_on)
    }

    /// Whether peers of [`proxy_protocol_from`](Self::proxy_protocol_from) tell the client's address by the PROXY protocol.
    pub fn proxy_protocol(self, is_on: bool) -> Self {
        self.set("proxy-protocol", is_on)
    }

    /// Who speaks the PROXY protocol: addresses, networks, `unix` or `*`, separated by commas.
    pub fn proxy_protocol_from(self, peers: impl Display) -> Self {
        self.set("proxy-protocol-from", peers)
    }
}
