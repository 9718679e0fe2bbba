//! Which addresses speak TLS.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use brigade_shared::seat::{Address, Listener};

/// Every TCP address where this worker listens, and whether it speaks TLS.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Addresses(Vec<(SocketAddr, bool)>);

impl Addresses {
    pub(crate) fn of(listeners: &[Listener]) -> Self {
        let tcp = |listener: &Listener| match listener.address {
            Address::Tcp(address) => Some((address, listener.may_encrypt)),
            Address::Unix(_) | Address::Abstract(_) => None,
        };
        Self(listeners.iter().filter_map(tcp).collect())
    }

    /// Whether a connection to this address speaks TLS. Exact addresses come before those that
    /// stand for all of a machine; at unknown ones nothing goes in the clear by mistake.
    pub(super) fn encrypts(&self, local: SocketAddr) -> bool {
        let local = SocketAddr::new(local.ip().to_canonical(), local.port());
        let exact = |(address, _): &&(SocketAddr, bool)| *address == local;
        let whole = |(address, _): &&(SocketAddr, bool)| stands_for(*address, local);
        let found = self.0.iter().find(exact).or(self.0.iter().find(whole));
        found.is_none_or(|(_, encrypts)| *encrypts)
    }
}

fn stands_for(address: SocketAddr, local: SocketAddr) -> bool {
    let covers = match address.ip() {
        IpAddr::V4(ip) => ip == Ipv4Addr::UNSPECIFIED && local.is_ipv4(),
        // Also of v4, if the socket takes both.
        IpAddr::V6(ip) => ip.is_unspecified(),
    };
    covers && address.port() == local.port()
}

#[cfg(test)]
mod tests {
    use super::Addresses;

    #[test]
    fn a_connection_speaks_what_its_address_speaks() {
        let all = ["0.0.0.0:443", "127.0.0.1:8080", "[::]:8081"];
        let encrypts = [true, false, false];
        let all = all.map(|text| text.parse().unwrap());
        let addresses = Addresses(all.into_iter().zip(encrypts).collect());
        for (local, expected) in [
            ("10.0.0.1:443", true),
            ("127.0.0.1:8080", false),
            ("[::ffff:127.0.0.1]:8080", false),
            ("10.0.0.1:8081", false),
            ("[fd00::1]:8081", false),
            ("10.0.0.1:8080", true),
            ("10.0.0.1:9999", true),
        ] {
            let found = addresses.encrypts(local.parse().unwrap());
            assert_eq!(found, expected, "{local}");
        }
    }
}
