//! Behind a proxy that passes on bytes: who the client is, and who may say so.

use std::fs;

use crate::support::h2::{self, Frame, Http2};
use crate::support::{Authority, Brigade, Connection};

const REQUEST: &str = "GET / HTTP/1.1\r\nhost: own.example\r\nconnection: close\r\n\r\n";
const TEXT: &str = "PROXY TCP4 203.0.113.7 198.51.100.1 12345 443\r\n";

fn start(more: &[&str]) -> Brigade {
    let arguments = [
        "serve",
        "--workers",
        "1",
        "--access-log",
        "a.log",
        "--access-log-format",
        "{remote} {scheme}",
        "--proxy-protocol",
    ];
    Brigade::start(&[&arguments[..], more].concat())
}

/// The lines of the access log, as soon as there are so many.
fn logged(brigade: &Brigade, count: usize) -> Vec<String> {
    let path = brigade.dir().join("a.log");
    let mut lines = Vec::new();
    brigade.until("the lines are there", || {
        let text = fs::read_to_string(&path).unwrap_or_default();
        lines = text.lines().map(str::to_owned).collect();
        lines.len() >= count
    });
    lines
}

/// Of version 2, with addresses of version 4 and more.
fn binary(command: u8, more: &[u8]) -> Vec<u8> {
    let addresses = [203, 0, 113, 8, 198, 51, 100, 1, 0x30, 0x39, 1, 0xbb];
    let length = (addresses.len() + more.len()) as u16;
    let head = [
        &b"\r\n\r\n\0\r\nQUIT\n"[..],
        &[command, 0x11],
        &length.to_be_bytes(),
    ];
    [&head.concat()[..], &addresses, more].concat()
}

#[test]
fn the_client_is_whom_the_proxy_tells_in_both_versions_of_both_protocols() {
    let brigade = start(&["--bind", "127.0.0.1:0", "--bind", "unix:a.sock"]);
    let tls = [0x20, 0, 5, 1, 0, 0, 0, 0];
    for address in brigade.addresses() {
        for header in [
            TEXT.as_bytes().to_vec(),
            binary(0x21, &[]),
            binary(0x21, &tls),
        ] {
            let mut client = Connection::open(&address).unwrap();
            // In two pieces, the second with the request.
            client.send(&header[..7]).unwrap();
            client
                .send([&header[7..], REQUEST.as_bytes()].concat())
                .unwrap();
            assert_eq!(client.receive().unwrap().status, 200);
        }
    }
    let lines = logged(&brigade, 6);
    let told = ["203.0.113.7 http", "203.0.113.8 http", "203.0.113.8 https"];
    assert_eq!(lines, [told, told].concat());

    let mut client = Http2::connect_after(&brigade.address(), TEXT.as_bytes()).unwrap();
    client.send(&[Frame::get(1, "/")]).unwrap();
    assert_eq!(client.next().unwrap().unwrap().kind, h2::HEADERS);
    assert_eq!(logged(&brigade, 7)[6], "203.0.113.7 http");
    brigade.stop_and_check();
}

#[test]
fn a_proxy_that_speaks_for_itself_is_the_client() {
    let brigade = start(&[]);
    for header in [b"PROXY UNKNOWN\r\n".to_vec(), binary(0x20, &[])] {
        let mut client = brigade.connect();
        client
            .send([&header[..], REQUEST.as_bytes()].concat())
            .unwrap();
        assert_eq!(client.receive().unwrap().status, 200);
    }
    assert_eq!(logged(&brigade, 2), ["127.0.0.1 http"; 2]);
    // It looks whether somebody listens.
    drop(brigade.connect());
    brigade.stop_and_check();
}

#[test]
fn who_must_send_a_header_and_does_not_is_not_served_and_the_log_says_so_once() {
    let brigade = start(&[]).expects("proxy_protocol.missing");
    for nonsense in [
        REQUEST,
        "PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n",
        "\r\n\r\n\0\r\nQUOT\n",
    ] {
        let mut client = brigade.connect();
        client.send(nonsense).unwrap();
        assert_eq!(client.rest().unwrap_or_default(), b"");
    }
    let told = brigade.wait_for("proxy_protocol.missing", |_| true);
    assert_eq!(
        (told.text("peer"), told.number("connections")),
        ("127.0.0.1", Some(1))
    );
    assert_eq!(brigade.events("proxy_protocol.missing").len(), 1);
    brigade.stop_and_check();
}

#[test]
fn half_a_header_is_waited_for_no_longer_than_half_a_head() {
    let brigade = start(&["--timeout-header", "300ms"]);
    for part in [
        &TEXT.as_bytes()[..20],
        &binary(0x21, &[])[..14],
        &TEXT.as_bytes()[..46],
    ] {
        let mut client = brigade.connect();
        client.send(part).unwrap();
        assert_eq!(client.rest().unwrap_or_default(), b"");
    }
    brigade.stop_and_check();
}

#[test]
fn who_is_not_trusted_is_a_client_and_can_pretend_nothing() {
    let brigade = start(&["--proxy-protocol-from", "192.0.2.0/24, unix"]);
    let mut client = brigade.connect();
    client.send(REQUEST).unwrap();
    assert_eq!(client.receive().unwrap().status, 200);
    assert_eq!(logged(&brigade, 1), ["127.0.0.1 http"]);
    let mut liar = brigade.connect();
    liar.send([TEXT, REQUEST].concat()).unwrap();
    assert_eq!(liar.receive().unwrap().status, 400);
    brigade.stop_and_check();
}

#[test]
fn before_tls_both_versions_tell_the_client_and_nobody_shakes_hands_without() {
    let authority = Authority::new();
    let brigade = crate::tls::launch(&authority, &["--workers", "1", "--proxy-protocol"]).ready();
    brigade.expect("proxy_protocol.missing");
    let (port, client) = (brigade.address().port(), authority.client());
    let local = binary(0x20, &[]);
    for (header, address) in [
        (TEXT.as_bytes(), "203.0.113.7"),
        (&binary(0x21, &[]), "203.0.113.8"),
        (&local, "127.0.0.1"),
    ] {
        let mut connection = client.connect_after(port, "a.example", header);
        let text = connection.get("/peer", "").unwrap();
        assert!(text.contains(&format!("client {address}\n")), "{text}");
        assert!(text.contains("scheme https\n"), "{text}");
        assert!(text.contains("tls TLSv1.3\n"), "{text}");
    }
    let mut without = client.connect(port, "a.example");
    assert!(without.get("/", "").is_err(), "a handshake is no header");
    brigade.wait_for("proxy_protocol.missing", |_| true);
    brigade.stop_and_check();
}
