//! Where messages begin and end, and how much of them is kept.

use super::fault::Fault;
use super::scanner::{Scanned, Scanner};

const CHUNKED: &str = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n";

/// So many trailers, and the end of the body.
fn trailers(count: usize) -> String {
    format!("{CHUNKED}{}\r\n", "a: b\r\n".repeat(count))
}

#[test]
fn a_body_has_at_most_sixty_four_trailers_and_the_next_as_many_again() {
    let mut scanner = Scanner::new();
    for _ in 0..3 {
        let whole = scanner.scan(trailers(64).as_bytes());
        assert_eq!(whole, Scanned::Whole);
    }
    assert_eq!(scanner.heads(), 3);
    let outcome = scanner.scan(trailers(65).as_bytes());
    assert!(
        matches!(outcome, Scanned::BadBody(_, Fault::Endless)),
        "{outcome:?}"
    );
}

#[test]
fn trailers_have_at_most_fifteen_kibibytes() {
    let of = |bytes: usize| {
        // Two lines, with five bytes that are no value.
        let value = "b".repeat(bytes - 5 - 8000);
        let text = format!("{CHUNKED}a: {}\r\nb:{value}\r\n\r\n", "b".repeat(8000));
        Scanner::new().scan(text.as_bytes())
    };
    assert_eq!(of(15 << 10), Scanned::Whole);
    let outcome = of((15 << 10) + 1);
    assert!(
        matches!(outcome, Scanned::BadBody(_, Fault::Endless)),
        "{outcome:?}"
    );
}

#[test]
fn one_empty_line_may_stand_before_each_request() {
    let get = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut scanner = Scanner::new();
    let text = format!("\r\n{get}\r\n{get}");
    assert_eq!(scanner.scan(text.as_bytes()), Scanned::Whole);
    assert_eq!(scanner.heads(), 2);
    let outcome = scanner.scan(format!("\r\n\r\n{get}").as_bytes());
    assert!(
        matches!(outcome, Scanned::BadHead(_, Fault::EmptyLines)),
        "{outcome:?}"
    );
}

#[test]
fn what_follows_a_request_to_switch_is_not_read_before_its_answer() {
    for head in [
        "GET / HTTP/1.1\r\nhost: x\r\nUpgrade: h2c\r\n\r\n",
        "CONNECT x:1 HTTP/1.1\r\nhost: x:1\r\n\r\n",
    ] {
        let mut scanner = Scanner::new();
        let text = format!("{head}\x01\x02");
        assert_eq!(
            scanner.scan(text.as_bytes()),
            Scanned::Early(head.len()),
            "{head}"
        );
        assert!(scanner.has_asked());
        scanner.stays();
        let next = scanner.scan(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n");
        assert_eq!((next, scanner.heads()), (Scanned::Whole, 2));
    }
}

#[test]
fn a_line_without_an_end_is_not_kept_for_ever() {
    let mut scanner = Scanner::new();
    let piece = [b'a'; 1024];
    for _ in 0..256 {
        assert_eq!(scanner.scan(&piece), Scanned::Whole);
    }
    assert_eq!(scanner.scan(b"a"), Scanned::BadHead(0, Fault::LongLine));
}
