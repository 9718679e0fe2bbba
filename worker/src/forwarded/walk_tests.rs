//! The walk, entry by entry.

use super::walk::{Lines, Told, forwarded, x_forwarded};
use brigade_config::{Config, Proxy, Trusted};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::borrow::Cow;

/// 10.0.0.0/8 and ::1 are believed.
fn trusted() -> Trusted {
    let Proxy { mut trusted, .. } = Config::default().worker.proxy;
    trusted.networks[0].address = "10.0.0.0".parse().unwrap();
    trusted.networks[0].prefix = 8;
    trusted
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        headers.append(HeaderName::from_static(name), value);
    }
    headers
}

fn told(client: Option<&str>, scheme: Option<&'static str>, host: Option<&str>) -> Told<'static> {
    Told {
        client: client.map(|client| client.parse().unwrap()),
        scheme,
        host: host.map(|host| Cow::Owned(host.to_owned())),
        prefix: None,
    }
}

#[track_caller]
fn x(lines: &[(&'static str, &str)], expected: &Told<'_>) {
    let headers = headers(lines);
    assert_eq!(
        &x_forwarded(&Lines::of(&headers), &trusted()),
        expected,
        "{lines:?}"
    );
}

#[track_caller]
fn client(of: &str, expected: Option<&str>) {
    x(&[("x-forwarded-for", of)], &told(expected, None, None));
}

#[test]
fn the_walk_ends_at_the_first_who_is_not_believed() {
    client("203.0.113.9", Some("203.0.113.9"));
    client("1.1.1.1, 203.0.113.9", Some("203.0.113.9"));
    client("1.1.1.1, 203.0.113.9, 10.0.0.2", Some("203.0.113.9"));
    client("203.0.113.9,10.0.0.2 ,\t10.9.9.9", Some("203.0.113.9"));
    client("10.0.0.1, 10.0.0.2", Some("10.0.0.1"));
    client("203.0.113.9:5555, [::1]:80", Some("203.0.113.9"));
    client("203.0.113.9, ::ffff:10.0.0.2", Some("203.0.113.9"));
}

#[test]
fn what_cannot_be_read_ends_the_walk_where_it_is() {
    for nonsense in [
        "",
        "unknown",
        "evil.example",
        "1.2.3",
        "127.0.0.1 x",
        "\u{fc}",
        "\"1.2.3.4\"",
    ] {
        client(nonsense, None);
        client(
            &format!("203.0.113.9, {nonsense}, 10.0.0.2"),
            Some("10.0.0.2"),
        );
        client(&format!("203.0.113.9, {nonsense}"), None);
    }
    // What a client has put in front does not spoil what was appended to it.
    client("é, 203.0.113.9", Some("203.0.113.9"));
    let lines = [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-for", "é, 10.0.0.3"),
    ];
    x(&lines, &told(Some("10.0.0.3"), None, None));
}

#[test]
fn several_lines_are_one_list() {
    let lines = [
        ("x-forwarded-for", "1.1.1.1, 203.0.113.9"),
        ("x-forwarded-for", "10.0.0.2"),
        ("x-forwarded-for", "10.0.0.3"),
    ];
    x(&lines, &told(Some("203.0.113.9"), None, None));
}

#[test]
fn scheme_and_host_are_those_beside_the_client() {
    let of = ("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.0.0.2");
    let client = Some("203.0.113.9");
    let proto = |value| ("x-forwarded-proto", value);
    let host = |value| ("x-forwarded-host", value);
    // One entry per proxy.
    x(
        &[of, proto("http, https, http")],
        &told(client, Some("https"), None),
    );
    x(
        &[of, host("evil, a.example, inner")],
        &told(client, None, Some("a.example")),
    );
    // The nearest proxy has written anew.
    x(
        &[of, proto("https"), host("a.example:8443")],
        &told(client, Some("https"), Some("a.example:8443")),
    );
    // Without a client there is the word of the peer.
    x(&[proto("http, HTTPS")], &told(None, Some("https"), None));
    x(
        &[host("evil, a.example")],
        &told(None, None, Some("a.example")),
    );
    // Nonsense says nothing.
    x(
        &[of, proto("gopher"), host("a.example/path")],
        &told(client, None, None),
    );
}

#[test]
fn a_port_belongs_to_a_host_that_has_none() {
    let with = |host, port, proto| {
        let lines = [
            ("x-forwarded-host", host),
            ("x-forwarded-port", port),
            ("x-forwarded-proto", proto),
        ];
        let headers = headers(&lines);
        x_forwarded(&Lines::of(&headers), &trusted())
            .host
            .unwrap()
            .into_owned()
    };
    assert_eq!(with("a.example", "8443", "https"), "a.example:8443");
    assert_eq!(with("a.example", "443", "https"), "a.example");
    assert_eq!(with("a.example", "80", "http"), "a.example");
    assert_eq!(with("a.example", "443", "http"), "a.example:443");
    assert_eq!(with("a.example", "443", ""), "a.example");
    assert_eq!(with("a.example:1", "2", "http"), "a.example:1");
    assert_eq!(with("[::1]", "8080", "http"), "[::1]:8080");
    assert_eq!(with("[::1]:9", "8080", "http"), "[::1]:9");
    assert_eq!(with("a.example", "99999", "http"), "a.example");
}

#[test]
fn a_prefix_is_a_path_or_nothing() {
    for (value, expected) in [
        ("/api/", Some("/api")),
        ("/a, /b", Some("/b")),
        ("//evil", None),
        ("api", None),
    ] {
        let headers = headers(&[("x-forwarded-prefix", value)]);
        assert_eq!(
            x_forwarded(&Lines::of(&headers), &trusted()).prefix,
            expected
        );
    }
}

#[track_caller]
fn f(lines: &[&str], expected: &Told<'_>) {
    let lines: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
    let headers = headers(&lines);
    assert_eq!(
        &forwarded(&Lines::of(&headers), &trusted()),
        expected,
        "{lines:?}"
    );
}

#[test]
fn forwarded_is_walked_in_the_same_way() {
    let client = Some("203.0.113.9");
    f(
        &["for=203.0.113.9;proto=https;host=a.example"],
        &told(client, Some("https"), Some("a.example")),
    );
    f(
        &["for=1.1.1.1;proto=http, for=203.0.113.9;proto=https, for=10.0.0.2;proto=http"],
        &told(client, Some("https"), None),
    );
    f(
        &["for=1.1.1.1, for=203.0.113.9", "for=\"[::1]:80\""],
        &told(client, None, None),
    );
    f(
        &["for=203.0.113.9;proto=https, for=10.0.0.2;proto=http;by=unknown"],
        &told(client, Some("https"), None),
    );
    // The nearer proxy's word holds where the farther one says nothing.
    f(
        &["for=203.0.113.9, for=10.0.0.2;proto=https;host=a"],
        &told(client, Some("https"), Some("a")),
    );
    f(
        &["host=\"a.example:8443\""],
        &told(None, None, Some("a.example:8443")),
    );
}

#[test]
fn a_malformed_element_is_nobodys_word_and_neither_is_what_is_beyond() {
    let near = Some("10.0.0.2");
    for bad in [
        "for=1.1.1.1;proto",
        "for=\"1.1.1.1",
        "for=1.1.1.1;for=2.2.2.2",
        "",
        "for==1",
        "é",
    ] {
        f(
            &[&format!("for=203.0.113.9;proto=https, {bad}, for=10.0.0.2")],
            &told(near, None, None),
        );
    }
    f(
        &["for=\"", "for=203.0.113.9"],
        &told(Some("203.0.113.9"), None, None),
    );
    f(
        &["é, for=\", for=203.0.113.9"],
        &told(Some("203.0.113.9"), None, None),
    );
    // Somebody who hides, or is not known, has written what is beyond.
    f(
        &["for=203.0.113.9, for=_hidden;proto=https, for=10.0.0.2"],
        &told(near, Some("https"), None),
    );
    f(&["for=203.0.113.9, for=unknown"], &told(None, None, None));
    f(
        &["for=203.0.113.9;host=\"a/b\""],
        &told(Some("203.0.113.9"), None, None),
    );
}
