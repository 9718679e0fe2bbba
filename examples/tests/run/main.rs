//! Every example does what it says, with Brigade's command line around it.

mod client;
mod example;

use std::io::Read;

use tungstenite::Message;

use client::ask;
use example::{Example, binary};

#[test]
fn an_axum_app_runs_as_it_is() {
    let example = Example::start(binary!("axum"), &["--workers", "2"]);
    let burger = ask(&example, "GET /burgers/plain?patties=2", &[]);
    assert_eq!(burger.text(), r#"{"name":"plain","patties":2}"#);
    assert_eq!(ask(&example, "GET /whoami", &[]).text(), "127.0.0.1\n");
    let hello = ask(&example, "GET /", &[]);
    assert!(hello.text().starts_with("worker "), "{hello:?}");
    example.stop();
}

#[test]
fn a_service_without_a_framework_shares_without_a_lock() {
    let example = Example::start(binary!("hyper"), &["--workers", "1"]);
    for number in [1, 2] {
        let answer = ask(&example, "GET /path", &[]);
        assert_eq!(
            answer.text(),
            format!("request {number} of worker 0, for /path\n")
        );
    }
    example.stop();
}

#[test]
fn layers_compose_around_a_service_that_is_not_send() {
    let example = Example::start(binary!("layers"), &["--workers", "1"]);
    let answer = ask(&example, "GET /", &[("x-request-id", "mine")]);
    assert_eq!((answer.status, answer.text()), (200, "answer 1\n"));
    assert_eq!(answer.header("x-request-id"), Some("mine"));

    let panicked = ask(&example, "GET /panic", &[]);
    assert_eq!(
        (panicked.status, panicked.text()),
        (500, "{\"error\":\"ours\"}\n")
    );
    let id = panicked.header("x-request-id").unwrap_or_default();
    assert_eq!(id.len(), 36, "it was given one: {panicked:?}");

    assert_eq!(ask(&example, "GET /never", &[]).status, 504);

    assert_eq!(
        ask(&example, "GET /", &[]).text(),
        "answer 4\n",
        "nothing of it is new"
    );
    example.stop();
}

#[test]
fn answers_are_compressed_as_the_client_asks_and_are_the_same_when_it_has_unpacked_them() {
    let example = Example::start(binary!("layers"), &["--workers", "1"]);
    let plain = ask(&example, "GET /long", &[]);
    assert_eq!(plain.text(), "again and again\n".repeat(1000));
    assert_eq!(plain.header("content-encoding"), None);
    for coding in ["gzip", "br", "zstd"] {
        let packed = ask(&example, "GET /long", &[("accept-encoding", coding)]);
        assert_eq!(packed.header("content-encoding"), Some(coding));
        assert_eq!(packed.header("vary"), Some("accept-encoding"));
        assert!(packed.body.len() < plain.body.len() / 10, "{coding}");
        assert!(unpacked(coding, &packed.body) == plain.body, "{coding}");
    }
    let any = [("accept-encoding", "gzip;q=0.5, br;q=0, zstd;q=0.9")];
    let best = ask(&example, "GET /long", &any);
    assert_eq!(best.header("content-encoding"), Some("zstd"));
    let short = ask(&example, "GET /", &[("accept-encoding", "gzip, br, zstd")]);
    assert_eq!(short.header("content-encoding"), None, "not worth it");
    example.stop();
}

/// What a client makes of a body in this coding.
fn unpacked(coding: &str, body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    let read = match coding {
        "gzip" => flate2::read::GzDecoder::new(body).read_to_end(&mut whole),
        "br" => brotli::Decompressor::new(body, 4096).read_to_end(&mut whole),
        "zstd" => zstd::Decoder::new(body).unwrap().read_to_end(&mut whole),
        other => panic!("nobody asked for {other}"),
    };
    read.expect("the whole of it");
    whole
}

#[test]
fn a_site_of_files_stands_beside_an_api() {
    let example = Example::start(binary!("site"), &["--workers", "1"]);
    assert_eq!(ask(&example, "GET /api/slot", &[]).text(), "0");
    let page = ask(&example, "GET /", &[]);
    assert!(page.text().contains("A site under Brigade"), "{page:?}");
    assert_eq!(ask(&example, "GET /some/view", &[]).body, page.body);
    let style = ask(&example, "GET /assets/style.css", &[]);
    assert_eq!(
        style.header("content-type"),
        Some("text/css; charset=utf-8")
    );
    assert_eq!(
        ask(&example, "GET /assets/%2e%2e/Cargo.toml", &[]).status,
        404
    );
    assert_eq!(ask(&example, "GET /assets/nothing", &[]).status, 404);
    let tag = style.header("etag").unwrap();
    let again = ask(&example, "GET /assets/style.css", &[("if-none-match", tag)]);
    assert_eq!((again.status, again.text()), (304, ""));
    example.stop();
}

#[test]
fn who_is_in_the_chat_hears_what_is_said() {
    let example = Example::start(binary!("chat"), &["--workers", "1"]);
    let enter = || {
        let url = format!("ws://{}/chat", example.address);
        tungstenite::client(url, example.connect()).unwrap().0
    };
    let (mut ann, mut ben) = (enter(), enter());
    ann.send(Message::text("is anybody here?")).unwrap();
    // Each is in the room before its first own word comes back.
    assert_eq!(ann.read().unwrap(), Message::text("is anybody here?"));
    ben.send(Message::text("I am")).unwrap();
    assert_eq!(ann.read().unwrap(), Message::text("I am"));
    let mut words = ben.read().unwrap();
    if words == Message::text("is anybody here?") {
        words = ben.read().unwrap();
    }
    assert_eq!(words, Message::text("I am"));
    ben.close(None).unwrap();
    while ben.read().is_ok() {}
    ann.send(Message::text("alone again")).unwrap();
    assert_eq!(ann.read().unwrap(), Message::text("alone again"));
    ann.close(None).unwrap();
    while ann.read().is_ok() {}
    example.stop();
}
