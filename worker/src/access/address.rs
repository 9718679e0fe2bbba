//! Addresses in words, the same as the standard library's, which takes ten times as long: a line
//! of every request has one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::ink::Ink;
use super::stamp::put_number;

const HEX: &[u8; 16] = b"0123456789abcdef";

pub(super) fn put_ip(line: &mut Ink, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => put_v4(line, ip),
        IpAddr::V6(ip) => put_v6(line, ip),
    }
}

pub(super) fn put_socket(line: &mut Ink, address: SocketAddr) {
    match address {
        SocketAddr::V4(address) => put_v4(line, *address.ip()),
        SocketAddr::V6(address) => {
            line.put_byte(b'[');
            put_v6(line, *address.ip());
            if address.scope_id() != 0 {
                line.put_byte(b'%');
                put_number(line, address.scope_id().into());
            }
            line.put_byte(b']');
        }
    }
    line.put_byte(b':');
    put_number(line, address.port().into());
}

/// The words of an octet with a dot behind them, and how many they are.
static OCTETS: [([u8; 4], u8); 256] = {
    let mut octets = [([0; 4], 0); 256];
    let mut octet = 0;
    while octet < 256 {
        let [hundreds, tens, ones] = [octet / 100, octet / 10 % 10, octet % 10];
        let [hundreds, tens, ones] = [b'0' + hundreds as u8, b'0' + tens as u8, b'0' + ones as u8];
        octets[octet] = match octet {
            0..10 => ([ones, b'.', 0, 0], 2),
            10..100 => ([tens, ones, b'.', 0], 3),
            _ => ([hundreds, tens, ones, b'.'], 4),
        };
        octet += 1;
    }
    octets
};

fn put_v4(line: &mut Ink, ip: Ipv4Addr) {
    for octet in ip.octets() {
        let (words, length) = &OCTETS[usize::from(octet)];
        line.put_short(words, usize::from(*length));
    }
    line.take_back(1);
}

/// As RFC 5952 wants it.
fn put_v6(line: &mut Ink, ip: Ipv6Addr) {
    if let Some(ip) = ip.to_ipv4_mapped() {
        line.put(b"::ffff:");
        return put_v4(line, ip);
    }
    let groups = ip.segments();
    let (start, end) = longest_zeros(&groups);
    put_groups(line, &groups[..start]);
    if start < end {
        line.put(b"::");
        put_groups(line, &groups[end..]);
    }
}

/// The first of the longest runs of two zeros or more; if there is none, the end.
fn longest_zeros(groups: &[u16; 8]) -> (usize, usize) {
    let (mut best, mut start) = ((8, 8), 0);
    for (place, group) in groups.iter().enumerate() {
        if *group != 0 {
            start = place + 1;
        } else if place > start && place + 1 - start > best.1 - best.0 {
            best = (start, place + 1);
        }
    }
    best
}

fn put_groups(line: &mut Ink, groups: &[u16]) {
    for (place, group) in groups.iter().enumerate() {
        if place > 0 {
            line.put_byte(b':');
        }
        let digit = |shift: u32| HEX[usize::from(group >> shift & 15)];
        let digits = [digit(12), digit(8), digit(4), digit(0)];
        let leading = (group.leading_zeros() / 4).min(3) as usize;
        line.put(&digits[leading..]);
    }
}

#[cfg(test)]
mod tests {
    use super::{put_ip, put_socket};
    use crate::access::ink::Ink;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

    fn is_alike(ip: IpAddr, port: u16, scope: u32) {
        let mut line = Ink::default();
        put_ip(&mut line, ip);
        assert_eq!(String::from_utf8_lossy(line.bytes()), ip.to_string());
        let socket = match ip {
            IpAddr::V4(_) => SocketAddr::new(ip, port),
            IpAddr::V6(ip) => SocketAddrV6::new(ip, port, 0, scope).into(),
        };
        line.clear();
        put_socket(&mut line, socket);
        assert_eq!(String::from_utf8_lossy(line.bytes()), socket.to_string());
    }

    #[test]
    fn an_address_is_written_as_everybody_writes_it() {
        let of = |groups: [u16; 8]| Ipv6Addr::from(groups);
        let mut random = 1_u64;
        // Runs of zeros of all lengths at all places, between groups of one to four digits.
        for zeros in 0..=u8::MAX {
            for digits in 0..4 {
                let groups = std::array::from_fn(|place| {
                    random = random.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17) + 1;
                    let is_zero = zeros >> place & 1 == 1;
                    if is_zero {
                        0
                    } else {
                        (random >> 48) as u16 >> (4 * digits)
                    }
                });
                is_alike(of(groups).into(), groups[0], groups[1].into());
                is_alike(Ipv4Addr::from(random as u32).into(), groups[0], 0);
            }
        }
    }

    #[test]
    fn addresses_of_special_form_are_too() {
        for text in [
            "127.0.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "::",
            "::1",
            "1::",
            "::ffff:192.0.2.9",
            "1:0:0:2:0:0:0:3",
            "1:0:2:0:3:0:4:0",
            "0:0:2:3:4:5:0:0",
            "fe80::1",
            "1:2:3:4:5:6:7:8",
        ] {
            is_alike(text.parse().unwrap(), 443, 7);
        }
    }
}
