//! Addresses, schemes and hosts as proxies write them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::uri::Authority;

/// An address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`,
/// `[2001:db8::1]:80`. One that is mapped into IPv6 is the IPv4 address that it is.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let inner = |text: &str| {
        let rest = text.strip_prefix('[')?.strip_suffix(']')?;
        rest.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    };
    let address = text
        .parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .or_else(|| inner(text))?;
    Some(address.to_canonical())
}

/// A scheme; proxies that speak of WebSockets mean the scheme below.
pub(super) fn scheme(text: &str) -> Option<&'static str> {
    let is = |name: &str| text.eq_ignore_ascii_case(name);
    if is("https") || is("wss") {
        Some("https")
    } else if is("http") || is("ws") {
        Some("http")
    } else {
        None
    }
}

/// A host with or without a port: what could stand in a URL, and nobody's name and password.
pub(super) fn host(text: &str) -> Option<&str> {
    let authority = text.parse::<Authority>().ok()?;
    // Of what a URL allows, only what names of hosts are made of.
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let is_plain = text.bytes().all(is_part) && !authority.host().is_empty();
    let has_port = match text.rsplit_once(':') {
        Some((before, port)) if !text.ends_with(']') && !before.ends_with(':') => {
            self::port(port).is_some()
        }
        _ => true,
    };
    (is_plain && has_port).then_some(text)
}

/// A port, in digits and nothing else.
pub(super) fn port(text: &str) -> Option<u16> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits
        .then(|| text.parse().ok())
        .flatten()
        .filter(|port| *port > 0)
}

/// The path before the paths of this service, without a slash at its end.
pub(super) fn prefix(text: &str) -> Option<&str> {
    let path = text.trim_end_matches('/');
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>?#\\^`{|},".contains(&byte);
    // Two slashes at the beginning would make links to another host.
    let is_path = path.starts_with('/') && !path.starts_with("//");
    (path.is_empty() || is_path && path.bytes().all(is_plain)).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::{address, host, port, prefix, scheme};

    #[test]
    fn an_address_may_have_a_port_and_brackets() {
        for (text, expected) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:80", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("::ffff:10.0.0.1", Some("10.0.0.1")),
            ("", None),
            ("unknown", None),
            ("_hidden", None),
            ("192.0.2.1:", None),
            ("192.0.2.1:99999", None),
            ("192.0.2", None),
            ("192.0.2.01", None),
            ("[192.0.2.1]", None),
            ("[::1", None),
            ("192.0.2.1 ", None),
            ("::1%eth0", None),
        ] {
            let found = address(text).map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn schemes_are_two() {
        assert_eq!(
            (scheme("HTTPS"), scheme("wss")),
            (Some("https"), Some("https"))
        );
        assert_eq!((scheme("http"), scheme("ws")), (Some("http"), Some("http")));
        assert_eq!(
            (scheme("javascript"), scheme(""), scheme("https ")),
            (None, None, None)
        );
    }

    #[test]
    fn a_host_has_nothing_but_a_name_and_a_port() {
        for good in [
            "a.example",
            "a.example:8443",
            "192.0.2.1",
            "[::1]",
            "[::1]:80",
            "localhost",
        ] {
            assert_eq!(host(good), Some(good));
        }
        for bad in [
            "", "a b", "user@a", "a/b", "a?b", "a#b", ":80", "a:", "a:b", "a:0", "a:99999", "a,b",
            "a\tb", "a\\b",
        ] {
            assert_eq!(host(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn ports_and_prefixes_are_plain() {
        assert_eq!(
            (port("443"), port("+443"), port("65536"), port("")),
            (Some(443), None, None, None)
        );
        assert_eq!(
            (prefix("/api/"), prefix("/"), prefix("")),
            (Some("/api"), Some(""), Some(""))
        );
        for bad in [
            "api",
            "//evil.example",
            "/a b",
            "/a?b",
            "/a,/b",
            "https://evil.example",
        ] {
            assert_eq!(prefix(bad), None, "{bad:?}");
        }
    }
}
