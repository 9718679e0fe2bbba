//! What a finished head must not say, whichever version brought it.

use http::{Request, Version};

use super::check::check;

/// What is wrong with a request of these fields.
fn refused(version: Version, method: &str, target: &str, fields: &[(&str, &str)]) -> &'static str {
    let mut request = Request::builder()
        .version(version)
        .method(method)
        .uri(target);
    for field in fields {
        request = request.header(field.0, field.1);
    }
    match check(&request.body(()).unwrap()) {
        Ok(()) => "",
        Err(refusal) => {
            assert!(refusal.closes && refusal.status == 400, "{refusal:?}");
            let text = refusal.text.strip_prefix("Bad Request: ").unwrap();
            text.trim_end()
        }
    }
}

fn http1(method: &str, target: &str, hosts: &[&str]) -> &'static str {
    let fields: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
    refused(Version::HTTP_11, method, target, &fields)
}

#[test]
fn a_request_names_one_host() {
    assert_eq!(http1("GET", "/", &["x"]), "");
    assert_eq!(http1("GET", "/", &[]), "no host");
    assert_eq!(http1("GET", "/", &["x", "x"]), "more than one host");
    for host in ["", "x y", "x,y", "x/y", "a@x", "x:port", "[x"] {
        assert_eq!(http1("GET", "/", &[host]), "the host is no host", "{host}");
    }
    // It was optional once.
    assert_eq!(refused(Version::HTTP_10, "GET", "/", &[]), "");
}

#[test]
fn a_target_that_names_a_host_names_the_same() {
    for (target, host) in [
        ("http://x/", "x"),
        ("http://x/", "X:80"),
        ("http://x:80/", "x"),
        ("https://x/", "x:443"),
        ("https://x:443/", "x"),
        ("http://x:81/", "x:81"),
    ] {
        assert_eq!(http1("GET", target, &[host]), "", "{target} {host}");
    }
    for (target, host) in [
        ("http://x/", "y"),
        ("http://x/", "x:81"),
        ("http://x:81/", "x"),
        ("https://x/", "x:80"),
        ("http://x/", "x:443"),
    ] {
        let words = http1("GET", target, &[host]);
        assert_eq!(words, "target and host differ", "{target} {host}");
    }
    assert_eq!(http1("GET", "http://x/", &[]), "");
    let strange = http1("GET", "http://a@x/", &["x"]);
    assert_eq!(strange, "the target's host is no host");
}

#[test]
fn each_form_of_a_target_is_for_its_methods() {
    for (method, target, host) in [
        ("GET", "/a?b", "x"),
        ("GET", "http://x/a", "x"),
        ("GET", "https://x", "x"),
        ("OPTIONS", "*", "x"),
        ("OPTIONS", "/", "x"),
        ("CONNECT", "x:1", "x:1"),
    ] {
        assert_eq!(http1(method, target, &[host]), "", "{method} {target}");
    }
    for (method, target, host) in [
        ("GET", "*", "x"),
        ("GET", "ftp://x/a", "x"),
        ("CONNECT", "x", "x"),
        ("CONNECT", "/", "x"),
        ("CONNECT", "http://x:1/", "x:1"),
    ] {
        let words = http1(method, target, &[host]);
        assert_eq!(words, "no target for this method", "{method} {target}");
    }
    // A tunnel has no port that need not be said.
    let words = http1("CONNECT", "x:80", &["x"]);
    assert_eq!(words, "target and host differ");
}

#[test]
fn fields_of_http_2_could_be_written_down_as_those_of_http_1() {
    let told = |fields: &[_]| refused(Version::HTTP_2, "POST", "http://x/", fields);
    assert_eq!(told(&[("content-length", "5"), ("x_mine", "a b")]), "");
    for fields in [
        &[("content-length", "5"), ("content-length", "5")][..],
        &[("content-length", "+5")],
        &[("content-length", "")],
    ] {
        assert_eq!(told(fields), "no content-length", "{fields:?}");
    }
    let disguised = told(&[("x_forwarded_for", "1.2.3.4")]);
    assert_eq!(disguised, "an underscore for a hyphen");
    for value in [" a", "a ", "a\t"] {
        let words = told(&[("x-a", value)]);
        assert_eq!(words, "space around a field's value", "{value:?}");
    }
    // Schemes of others are theirs; gRPC has some.
    assert_eq!(refused(Version::HTTP_2, "GET", "grpc://x/a", &[]), "");
}
