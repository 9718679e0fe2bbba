//! Who stands before us and whom we believe, and the headers of answers.

use std::fmt;
use std::net::IpAddr;

/// What a worker knows of the proxies before it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Proxy {
    /// Whether forwarded headers of trusted peers are believed at all.
    pub headers: bool,
    /// Whose forwarded headers are believed.
    pub trusted: Trusted,
    /// Which of the two families of headers counts.
    pub family: ForwardedFamily,
    /// The path under which a proxy shows this service, without a slash at its end; empty: none.
    pub root_path: String,
    /// Whether every request has an id, taken from a trusted peer or made here.
    pub request_id: bool,
    /// What every answer says.
    pub answers: AnswerHeaders,
}

/// What Brigade adds to the headers of every answer.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AnswerHeaders {
    /// `server: brigade`, unless the app names a server.
    pub server: bool,
    /// `date: ...`.
    pub date: bool,
    /// Names, in lower case, and values; left out where the app says something itself.
    pub more: Vec<(String, String)>,
}

/// Peers that are believed.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Trusted {
    /// Everybody.
    pub all: bool,
    /// Whoever connects to a Unix socket.
    pub unix: bool,
    /// And these.
    pub networks: Vec<Network>,
}

/// A part of the addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    /// Its first address; the bits behind the prefix are zero. Never an IPv4 address mapped into
    /// IPv6.
    pub address: IpAddr,
    /// How many bits of it all its addresses have in common: 0 to 32, or 128.
    pub prefix: u8,
}

/// A family of headers in which proxies say on whose behalf they speak.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum ForwardedFamily {
    /// `X-Forwarded-*` if there is any of them, otherwise `Forwarded`.
    #[default]
    Auto,
    /// `X-Forwarded-For`, `-Proto`, `-Host`, `-Port`, `-Prefix`.
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl Trusted {
    /// Whether this address is believed. One that is mapped into IPv6 counts as the IPv4 address
    /// that it is.
    #[must_use]
    pub fn covers(&self, address: IpAddr) -> bool {
        self.all || {
            let address = address.to_canonical();
            self.networks.iter().any(|network| network.holds(address))
        }
    }
}

impl Network {
    fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let differ = ours.to_bits() ^ theirs.to_bits();
                differ.leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let differ = ours.to_bits() ^ theirs.to_bits();
                differ.leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl fmt::Display for Network {
    /// `10.0.0.0/8`; a single address stands alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = if self.address.is_ipv4() { 32 } else { 128 };
        match self.prefix {
            prefix if prefix == whole => self.address.fmt(f),
            prefix => write!(f, "{}/{prefix}", self.address),
        }
    }
}

impl Trusted {
    /// The words for everybody in it.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let all = self.all.then(|| "*".to_owned());
        let networks = self.networks.iter().map(ToString::to_string);
        let unix = self.unix.then(|| "unix".to_owned());
        all.into_iter().chain(networks).chain(unix).collect()
    }
}
