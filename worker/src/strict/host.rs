//! What names a host, in a `host` field or in a target.

use super::bytes::letters_and;

/// Whether `text` is a host and perhaps a port, as in RFC 3986, 3.2, without user information and
/// not empty. A comma, which that grammar has in names, is refused: it is how two hosts become one.
pub(super) fn is_host(text: &[u8]) -> bool {
    // Nearly every one is a plain name.
    let end = text.iter().position(|byte| !PLAIN[usize::from(*byte)]);
    let end = end.unwrap_or(text.len());
    match text.get(end) {
        None => end > 0,
        Some(b':') => end > 0 && is_port(&text[end + 1..]),
        Some(b'%' | b'[') => is_rare_host(text),
        Some(_) => false,
    }
}

/// The same for those with escapes or brackets.
fn is_rare_host(text: &[u8]) -> bool {
    let (host, port) = split_port(text);
    let is_name = match host.strip_prefix(b"[") {
        Some(rest) => rest.strip_suffix(b"]").is_some_and(is_address),
        None => !host.is_empty() && is_registered_name(host),
    };
    is_name && port.is_none_or(is_port)
}

/// The port, if there is a colon outside of brackets.
fn split_port(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let after = match text.first() {
        Some(b'[') => memchr::memchr(b']', text).map_or(text.len(), |end| end + 1),
        _ => memchr::memchr(b':', text).unwrap_or(text.len()),
    };
    match text.get(after) {
        Some(b':') => (&text[..after], Some(&text[after + 1..])),
        _ => (text, None),
    }
}

fn is_port(digits: &[u8]) -> bool {
    let value = digits.iter().try_fold(0_u32, |sum, digit| match digit {
        b'0'..=b'9' if sum <= 65_535 => Some(sum * 10 + u32::from(digit - b'0')),
        _ => None,
    });
    value.is_some_and(|value| value <= 65_535)
}

/// An address of IPv6 (or of a future version) as it stands in brackets.
fn is_address(text: &[u8]) -> bool {
    let text = std::str::from_utf8(text).unwrap_or_default();
    text.parse::<std::net::Ipv6Addr>().is_ok()
}

/// What stands for itself in a name: all of RFC 3986's `reg-name` but escapes and the comma.
const PLAIN: [bool; 256] = letters_and(b"-._~!$&'()*+;=");

fn is_registered_name(host: &[u8]) -> bool {
    let mut rest = host;
    while let [byte, after @ ..] = rest {
        rest = match byte {
            b'%' => match after {
                [high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    after
                }
                _ => return false,
            },
            _ if PLAIN[usize::from(*byte)] => after,
            _ => return false,
        };
    }
    true
}

/// Whether both name the same host and port, where `default` is the port that need not be said.
pub(super) fn are_same(one: &[u8], other: &[u8], default: &[u8]) -> bool {
    let (one, one_port) = split_port(one);
    let (other, other_port) = split_port(other);
    let port = |port: Option<&[u8]>| match port {
        None | Some(b"") => default.to_vec(),
        Some(port) => port.to_vec(),
    };
    one.eq_ignore_ascii_case(other)
        && (one_port == other_port || port(one_port) == port(other_port))
}

#[cfg(test)]
mod tests {
    use super::{are_same, is_host};

    #[test]
    fn names_addresses_and_ports_are_hosts() {
        for host in [
            "a",
            "a.example",
            "A_b-1.example:80",
            "127.0.0.1:8000",
            "[::1]",
            "[::1]:443",
            "a:",
            "a:0",
            "a:65535",
            "a:000080",
            "%41",
            "%4a.%A4:80",
            "xn--e1a",
        ] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for host in [
            "",
            ":80",
            "a b",
            "a,b",
            "a/b",
            "a@b",
            "a?b",
            "a#b",
            "a\\b",
            "a:b",
            "a:80:80",
            "a:-1",
            "a:65536",
            "a:+80",
            "a:99999999999",
            "[::1",
            "::1",
            "[]",
            "[::1]a",
            "[g::]",
            "%4",
            "%zz",
            "%z0",
            "%0z",
            "%41:a",
            "%41:65536",
            "a\u{e9}",
            "<a>",
            "a\"",
            "a|b",
            "a^b",
            "{a}",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn a_name_is_made_of_the_characters_of_the_standard_but_the_comma() {
        for byte in 0..=255_u8 {
            let is_one = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(&byte);
            // A colon without a port may follow a name.
            for host in [&[b'a', byte][..], &[b'%', b'4', b'1', byte]] {
                let is_name = is_one || byte == b':';
                assert_eq!(is_host(host), is_name, "{byte:#x} in {host:?}");
            }
            assert_eq!(is_host(&[byte]), is_one, "{byte:#x}");
        }
    }

    #[test]
    fn the_same_host_may_be_written_in_several_ways() {
        for (one, other) in [
            ("a", "A"),
            ("a:80", "a"),
            ("a:", "a"),
            ("[::1]:80", "[::1]"),
        ] {
            assert!(
                are_same(one.as_bytes(), other.as_bytes(), b"80"),
                "{one} {other}"
            );
        }
        for (one, other) in [("a", "b"), ("a:81", "a"), ("a:8080", "a:80"), ("a.", "a")] {
            assert!(
                !are_same(one.as_bytes(), other.as_bytes(), b"80"),
                "{one} {other}"
            );
        }
    }
}
