//! Addresses in words, the same as the standard library's, which takes ten times as long: a line
//! of every request has one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::stamp::{put_number, put_small};

const HEX: &[u8; 16] = b"0123456789abcdef";

pub(super) fn put_ip(line: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => put_v4(line, ip),
        IpAddr::V6(ip) => put_v6(line, ip),
    }
}

pub(super) fn put_socket(line: &mut Vec<u8>, address: SocketAddr) {
    match address {
        SocketAddr::V4(address) => put_v4(line, *address.ip()),
        SocketAddr::V6(address) => {
            line.push(b'[');
            put_v6(line, *address.ip());
            if address.scope_id() != 0 {
                line.push(b'%');
                put_number(line, address.scope_id().into());
            }
            line.push(b']');
        }
    }
    line.push(b':');
    put_number(line, address.port().into());
}

fn put_v4(line: &mut Vec<u8>, ip: Ipv4Addr) {
    let [first, others @ ..] = ip.octets();
    put_small(line, first.into());
    for octet in others {
        line.push(b'.');
        put_small(line, octet.into());
    }
}

/// As RFC 5952 wants it.
fn put_v6(line: &mut Vec<u8>, ip: Ipv6Addr) {
    if let Some(ip) = ip.to_ipv4_mapped() {
        line.extend_from_slice(b"::ffff:");
        return put_v4(line, ip);
    }
    let groups = ip.segments();
    let (start, end) = longest_zeros(&groups);
    put_groups(line, &groups[..start]);
    if start < end {
        line.extend_from_slice(b"::");
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

fn put_groups(line: &mut Vec<u8>, groups: &[u16]) {
    for (place, group) in groups.iter().enumerate() {
        if place > 0 {
            line.push(b':');
        }
        let digit = |shift: u32| HEX[usize::from(group >> shift & 15)];
        let digits = [digit(12), digit(8), digit(4), digit(0)];
        let leading = (group.leading_zeros() / 4).min(3) as usize;
        line.extend_from_slice(&digits[leading..]);
    }
}

#[cfg(test)]
mod tests {
    use super::{put_ip, put_socket};
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

    fn is_alike(ip: IpAddr, port: u16, scope: u32) {
        let mut line = Vec::new();
        put_ip(&mut line, ip);
        assert_eq!(String::from_utf8_lossy(&line), ip.to_string());
        let socket = match ip {
            IpAddr::V4(_) => SocketAddr::new(ip, port),
            IpAddr::V6(ip) => SocketAddrV6::new(ip, port, 0, scope).into(),
        };
        line.clear();
        put_socket(&mut line, socket);
        assert_eq!(String::from_utf8_lossy(&line), socket.to_string());
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
