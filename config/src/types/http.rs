//! Which protocols a worker speaks, and how.

use std::time::Duration;

use super::Trusted;

/// Which protocols a worker speaks, and how.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Http {
    /// Which versions of HTTP.
    pub versions: HttpVersions,
    /// A client of HTTP/2 that has said nothing for so long is asked whether it still lives, and
    /// has as long again to answer; none: never.
    pub ping: Option<Duration>,
    /// Whether the peers of `proxy_protocol_from` begin connections with the PROXY protocol.
    pub proxy_protocol: bool,
    /// They must; others may not.
    pub proxy_protocol_from: Trusted,
}

/// Versions of HTTP.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum HttpVersions {
    /// Whichever the client begins with, or chooses by ALPN.
    #[default]
    Both,
    /// HTTP/1.0 and 1.1 only.
    Http1,
    /// HTTP/2 only.
    Http2,
}
