//! Who is at the other end of a request, and how it came here.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::forwarded::Forwarded;
use crate::meter::Meter;
use crate::tls::TlsFacts;

/// One end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Endpoint {
    /// An address of the internet protocols, 4 or 6.
    Tcp(SocketAddr),
    /// A Unix socket; clients seldom have a name there.
    Unix,
}

impl Endpoint {
    /// The address, of a TCP connection.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address.ip()),
            Self::Unix => None,
        }
    }
}

/// Who sent a request: [`RequestBody::peer`](crate::RequestBody::peer) tells, and
/// [`with_peer`](crate::with_peer()) makes it an extension of every request. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Peer {
    line: Arc<Line>,
    forwarded: Option<Arc<Forwarded>>,
}

/// What all requests of a connection have in common.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) remote: Endpoint,
    pub(crate) local: Endpoint,
    pub(crate) tls: Option<TlsFacts>,
    /// Whether a proxy says that the client's connection to it is encrypted.
    pub(crate) is_encrypted: bool,
    pub(crate) meter: &'static Meter,
}

impl Peer {
    pub(crate) fn new(line: Line) -> Self {
        Self {
            line: Arc::new(line),
            forwarded: None,
        }
    }

    /// The last reading of its worker's clock, in nanoseconds.
    pub(crate) fn now(&self) -> u64 {
        self.line.meter.clock.last()
    }

    /// The same, with what a trusted proxy has said of one request.
    pub(crate) fn with(&self, forwarded: Arc<Forwarded>) -> Self {
        Self {
            line: Arc::clone(&self.line),
            forwarded: Some(forwarded),
        }
    }

    /// The other end of the connection: the client, or the last proxy before Brigade.
    #[must_use]
    pub fn remote(&self) -> Endpoint {
        self.line.remote
    }

    /// This end of the connection.
    #[must_use]
    pub fn local(&self) -> Endpoint {
        self.line.local
    }

    /// The client's address: what trusted proxies say it is, otherwise that of the connection.
    /// None on a Unix socket, if no proxy has said it.
    #[must_use]
    pub fn client_ip(&self) -> Option<IpAddr> {
        let said = self.forwarded.as_ref().and_then(|said| said.client);
        said.or_else(|| Some(self.line.remote.ip()?.to_canonical()))
    }

    /// `http` or `https`, as the client wrote it: what trusted proxies say, otherwise whether the
    /// connection is encrypted.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        let said = self.forwarded.as_ref().and_then(|said| said.scheme);
        let is_encrypted = self.line.is_encrypted || self.line.tls.is_some();
        said.unwrap_or(if is_encrypted { "https" } else { "http" })
    }

    /// How the connection is encrypted, and whom its client's certificate names; none if it is not
    /// encrypted here.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsFacts> {
        self.line.tls.as_ref()
    }

    /// The host that trusted proxies say the client asked for, with its port if it has one. None
    /// if they say nothing: then the request's own `host` (in HTTP/2 its authority) holds.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.forwarded.as_ref()?.host.as_deref()
    }

    /// The path below which the service is mounted, as links to it have to begin: empty, or with a
    /// slash at its beginning and none at its end.
    #[must_use]
    pub fn root_path(&self) -> &str {
        self.forwarded.as_ref().map_or("", |said| &said.root_path)
    }

    /// Ends when the worker begins to drain; at once if it does already. What sends for long, such
    /// as server-sent events or a large download, shall come to an end of its own then: after
    /// `timeout-graceful-shutdown` it is cut.
    pub fn draining(&self) -> impl Future<Output = ()> + Send + Sync + use<> {
        let meter = self.line.meter;
        async move { meter.draining().await }
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;
    use crate::rig::{Handler, Rig, read_hello};
    use http::Response;
    use http_body_util::Full;
    use tokio::io::AsyncWriteExt;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    #[test]
    fn every_request_knows_who_sent_it_and_without_a_proxy_that_is_the_other_end() {
        Rig::paused(async |rig| {
            let app = Handler::new(async |request| {
                let peer = request.body().peer();
                assert_eq!(
                    (peer.remote(), peer.local()),
                    (Endpoint::Unix, Endpoint::Unix)
                );
                assert_eq!((peer.client_ip(), peer.scheme()), (None, "http"));
                assert_eq!((peer.host(), peer.root_path()), (None, ""));
                Ok(Response::new(Full::from("hello")))
            });
            let mut client = rig.connect(app);
            for _ in 0..2 {
                client.write_all(REQUEST).await.unwrap();
                let answer = read_hello(&mut client).await;
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            }
        });
    }

    #[test]
    fn an_answer_that_takes_long_is_told_of_the_drain() {
        Rig::paused(async |rig| {
            let app = Handler::new(async |request| {
                request.body().peer().draining().await;
                Ok(Response::new(Full::from("hello")))
            });
            let mut clients = [rig.connect(app.clone()), rig.connect(app)];
            clients[0].write_all(REQUEST).await.unwrap();
            while rig.row().requests == 0 {
                tokio::task::yield_now().await;
            }
            rig.station.begin_drain();
            // The second asks when it has begun already.
            clients[1].write_all(REQUEST).await.unwrap();
            for client in &mut clients {
                assert!(read_hello(client).await.ends_with("hello"));
            }
        });
    }
}
