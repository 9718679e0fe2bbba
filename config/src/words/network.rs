//! Peers that are believed: addresses, networks, `unix` and `*`.

use std::net::IpAddr;

use super::fault::{Fault, quoted};
use super::nearest::nearest;
use crate::types::{Network, Trusted};

const FORMS: &str = "write an address (`10.0.0.7`, `::1`), a network (`10.0.0.0/8`, \
                     `fd00::/8`), `unix`, or `*` for everybody";

/// Adds the peers that some words name; uvicorn's users write several with commas between.
pub(crate) fn trust(trusted: &mut Trusted, text: &str) -> Result<(), Fault> {
    for word in text.split(',').map(str::trim) {
        match word {
            "*" => trusted.all = true,
            "unix" | "unix:" => trusted.unix = true,
            _ => trusted.networks.push(network(word)?),
        }
    }
    Ok(())
}

/// An address or a network.
pub(crate) fn network(word: &str) -> Result<Network, Fault> {
    let (address, prefix) = match word.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (word, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        let fault = Fault::new(format!("{} is not an address", quoted(word)), FORMS);
        return Err(fault.meaning(nearest(word, ["unix", "127.0.0.1"])));
    };
    let width = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix.map(str::parse::<u8>) {
        None => width,
        Some(Ok(prefix)) if prefix <= width => prefix,
        Some(_) => {
            let what = format!("{} has no prefix from 0 to {width}", quoted(word));
            return Err(Fault::new(what, FORMS));
        }
    };
    let first = first(address, prefix);
    if first != address {
        // A slip in either half would trust somebody else than meant.
        let what = format!("{} is an address within a network", quoted(word));
        let cure = format!("write the network's first address, `{first}/{prefix}`, or `{address}`");
        return Err(Fault::new(what, cure));
    }
    Ok(plain(Network { address, prefix }))
}

/// The first address of the network that this one lies in.
fn first(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

/// A network of IPv4 addresses that are mapped into IPv6 as what it is: peers are compared so.
fn plain(network: Network) -> Network {
    match network.address.to_canonical() {
        address @ IpAddr::V4(_) if network.prefix >= 96 && network.address.is_ipv6() => Network {
            address,
            prefix: network.prefix - 96,
        },
        _ => network,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::{network, trust};
    use crate::types::Trusted;

    fn trusted(text: &str) -> Trusted {
        let mut trusted = Trusted::default();
        trust(&mut trusted, text).unwrap();
        trusted
    }

    fn covers(text: &str, address: &str) -> bool {
        trusted(text).covers(address.parse().unwrap())
    }

    #[test]
    fn a_network_covers_its_addresses_and_no_other() {
        assert!(covers("10.0.0.0/8", "10.255.0.1"));
        assert!(!covers("10.0.0.0/8", "11.0.0.0"));
        assert!(covers("10.0.0.7", "10.0.0.7") && !covers("10.0.0.7", "10.0.0.6"));
        assert!(covers("fd00::/8", "fdff::1") && !covers("fd00::/8", "fe00::1"));
        assert!(covers("0.0.0.0/0", "203.0.113.9") && !covers("0.0.0.0/0", "::1"));
        assert!(covers("::/0", "2001:db8::1") && !covers("::/0", "1.2.3.4"));
        assert!(!covers("unix", "127.0.0.1"));
        assert!(covers("*", "2001:db8::1"));
        assert!(trusted("::1, unix").unix && !trusted("::1").unix);
    }

    #[test]
    fn an_address_that_is_mapped_into_ipv6_is_the_one_that_it_is() {
        assert!(covers("127.0.0.1", "::ffff:127.0.0.1"));
        assert!(covers("::ffff:10.0.0.0/104", "10.9.9.9"));
        assert!(!covers("::ffff:10.0.0.0/104", "11.9.9.9"));
    }

    #[test]
    fn what_is_no_network_is_told() {
        for (wrong, said) in [
            ("10.0.0.1/8", "`10.0.0.0/8`"),
            ("10.0.0.0/33", "prefix"),
            ("fd00::/129", "prefix"),
            ("10.0.0.0/", "prefix"),
            ("localhost", "not an address"),
            ("", "not an address"),
            ("10.0.0", "not an address"),
        ] {
            let fault = network(wrong).unwrap_err();
            let told = format!("{} {}", fault.what, fault.cure);
            assert!(told.contains(said), "{wrong}: {told}");
        }
        let fault = trust(&mut Trusted::default(), "unx").unwrap_err();
        assert_eq!(fault.nearest.as_deref(), Some("unix"));
    }

    proptest! {
        #[test]
        fn the_words_of_a_network_read_back_as_it(bits: u128, prefix in 0_u8..=128, short: bool) {
            let address = if short {
                IpAddr::V4((bits as u32).into())
            } else {
                IpAddr::V6(bits.into())
            };
            let prefix = if short { prefix % 33 } else { prefix };
            let word = format!("{}/{prefix}", super::first(address, prefix));
            let first = network(&word).unwrap();
            prop_assert_eq!(network(&first.to_string()), Ok(first));
            let trusted = Trusted { networks: vec![first], ..Trusted::default() };
            prop_assert!(trusted.covers(address));
        }

        #[test]
        fn no_words_panic(text in r"\PC*|[0-9a-f:./,*]*") {
            let _ = trust(&mut Trusted::default(), &text);
        }
    }
}
