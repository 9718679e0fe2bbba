//! What single lines of a head or of trailers may say, by the letter: nobody else's reading of them
//! helps here.

use super::fault::Fault;
use super::lines::{Framing, is_token, number, trailer};

/// What a head of these lines says, or what is wrong with it.
fn head(lines: &[&str]) -> Result<Framing, Fault> {
    let mut framing = Framing::begin(lines[0].as_bytes())?;
    for line in &lines[1..] {
        framing.field(line.as_bytes())?;
    }
    framing.end()?;
    Ok(framing)
}

/// What these fields say of a POST.
fn post(fields: &[&str]) -> Result<Framing, Fault> {
    head(&[&["POST / HTTP/1.1"], fields].concat())
}

#[test]
fn a_token_is_made_of_the_characters_of_the_standard_and_no_other() {
    for byte in 0..=255_u8 {
        let is_one = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        assert_eq!(is_token(byte), is_one, "{byte:#x}");
        let line = [&[byte], &b"T / HTTP/1.1"[..]].concat();
        assert_eq!(Framing::begin(&line).is_ok(), is_one, "{byte:#x}");
    }
}

#[test]
fn a_target_is_made_of_visible_characters_and_has_no_fragment() {
    for byte in 0..=255_u8 {
        let line = [b"GET /", &[byte][..], b" HTTP/1.1"].concat();
        let expected = match byte {
            b'#' => Err(Fault::Fragment),
            0..=b' ' | 0x7f => Err(Fault::RequestLine),
            _ => Ok(Framing::default()),
        };
        assert_eq!(Framing::begin(&line), expected, "{byte:#x}");
    }
    let both = Framing::begin(b"GET /#\x01 HTTP/1.1");
    assert_eq!(both, Err(Fault::RequestLine));
}

#[test]
fn a_request_line_is_a_method_a_target_and_one_of_two_versions() {
    for line in [
        "",
        " HTTP/1.1",
        "GET HTTP/1.1",
        "GET  HTTP/1.1",
        " / HTTP/1.1",
        "GET  / HTTP/1.1",
        "GET / HTTP/1.2",
        "GET / HTTP/2.0",
        "GET / http/1.1",
        "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET\t/ HTTP/1.1",
        "GET /\tHTTP/1.1",
    ] {
        assert_eq!(head(&[line]), Err(Fault::RequestLine), "{line:?}");
    }
    let old = head(&["GET / HTTP/1.0"]).unwrap();
    assert!(old.is_old && !old.is_connect);
    let tunnel = head(&["CONNECT a:1 HTTP/1.1"]).unwrap();
    assert!(tunnel.is_connect && !tunnel.is_old);
    assert!(!head(&["connect a:1 HTTP/1.1"]).unwrap().is_connect);
}

#[test]
fn names_are_known_however_they_are_written() {
    for field in [
        "content-length: 5",
        "Content-Length:5",
        "CONTENT-LENGTH: \t5 ",
    ] {
        assert_eq!(post(&[field]).unwrap().length, Some(5), "{field}");
    }
    for field in ["transfer-encoding: chunked", "Transfer-Encoding:CHUNKED"] {
        assert!(post(&[field]).unwrap().is_chunked, "{field}");
    }
    for field in ["upgrade: h2c", "Upgrade: websocket"] {
        assert!(post(&[field]).unwrap().asks_to_switch, "{field}");
    }
    let other = post(&["upgrade-insecure-requests: 1", "te: trailers", "cookie: a"]);
    assert_eq!(other, Ok(Framing::default()));
}

#[test]
fn where_a_body_ends_is_said_once() {
    let length = "content-length: 5";
    let chunked = "transfer-encoding: chunked";
    for (fields, fault) in [
        (&[length, length][..], Fault::Lengths),
        (&[length, "content-length: 6"], Fault::Lengths),
        (&["content-length: 0", "content-length: 0"], Fault::Lengths),
        (&[chunked, chunked], Fault::Coding),
        (&["transfer-encoding: gzip"], Fault::Coding),
        (&["transfer-encoding: gzip, chunked"], Fault::Coding),
        (&["transfer-encoding: chunked;a"], Fault::Coding),
        (&["transfer-encoding:"], Fault::Coding),
        (&[length, chunked], Fault::LengthAndCoding),
        (&[chunked, "content-length: 0"], Fault::LengthAndCoding),
        (&["content-length"], Fault::FieldName),
        (&["x-a"], Fault::FieldName),
        (&[" content-length: 5"], Fault::Folded),
        (&["a: b", "\tc: d"], Fault::Folded),
    ] {
        assert_eq!(post(fields), Err(fault), "{fields:?}");
    }
    let old = head(&["POST / HTTP/1.0", chunked]);
    assert_eq!(old, Err(Fault::OldCoding));
    assert!(head(&["POST / HTTP/1.0", length]).is_ok());
}

#[test]
fn a_tunnel_begins_with_no_body() {
    let tunnel = |field| head(&["CONNECT a:1 HTTP/1.1", field]);
    assert_eq!(tunnel("content-length: 1"), Err(Fault::TunnelBody));
    assert_eq!(tunnel("transfer-encoding: chunked"), Err(Fault::TunnelBody));
    assert!(tunnel("content-length: 0").is_ok());
}

#[test]
fn a_length_is_of_digits_alone_and_below_2_to_the_63() {
    let largest = (1_u64 << 63) - 1;
    assert_eq!(number(largest.to_string().as_bytes()), Some(largest));
    assert_eq!(number(b"0000000000000000007"), Some(7), "19 digits");
    for text in [
        "",
        "00000000000000000007",
        "9223372036854775808",
        "9999999999999999999",
        "18446744073709551616",
        "+1",
        "-1",
        "1 ",
        "0x1",
        "1_0",
        "1,1",
    ] {
        assert_eq!(number(text.as_bytes()), None, "{text:?}");
    }
    assert_eq!(post(&["content-length:"]), Err(Fault::Length));
    assert_eq!(post(&["content-length: 5, 5"]), Err(Fault::Length));
}

#[test]
fn an_underscore_disguises_no_name_that_is_trusted() {
    for name in [
        "content-length",
        "content-type",
        "transfer-encoding",
        "x-real-ip",
        "x-request-id",
        "x-client-ip",
        "x-scheme",
        "true-client-ip",
        "cf-connecting-ip",
        "x-cluster-client-ip",
        "x-original-url",
        "x-rewrite-url",
        "x-forwarded-for",
        "x-forwarded-whatever-a-proxy-may-have-thought-of",
    ] {
        let hyphens = name.match_indices('-').map(|(at, _)| at);
        // One of them, or all.
        let mut disguises = vec![name.replace('-', "_")];
        disguises.extend(hyphens.map(|at| format!("{}_{}", &name[..at], &name[at + 1..])));
        for disguise in disguises {
            for name in [disguise.to_ascii_uppercase(), disguise] {
                let field = format!("{name}: 1");
                assert_eq!(post(&[&field]), Err(Fault::Underscore), "{field}");
            }
        }
    }
    for field in ["x_mine: 1", "content_md5: a", "x_forwarded: 1"] {
        assert!(post(&[field]).is_ok(), "{field}");
    }
}

#[test]
fn a_trailer_says_nothing_that_belongs_into_a_head() {
    for name in [
        "host",
        "connection",
        "te",
        "trailer",
        "authorization",
        "content-type",
        "content-encoding",
        "content-range",
        "expect",
        "forwarded",
        "cookie",
        "content-length",
        "transfer-encoding",
        "upgrade",
        "x-forwarded-for",
        "content_length",
    ] {
        for name in [name.to_ascii_uppercase(), name.to_owned()] {
            let line = format!("{name}: a");
            assert_eq!(trailer(line.as_bytes()), Err(Fault::Trailer), "{line}");
        }
    }
    for line in ["x-sum: 41", "etag:", "x_mine: a", "host-of-all: a"] {
        assert_eq!(trailer(line.as_bytes()), Ok(()), "{line}");
    }
    for line in ["x-sum", ": a", "a b: c", "a : b", "a\"b: c", "a\u{e9}: c"] {
        let outcome = trailer(line.as_bytes());
        assert_eq!(outcome, Err(Fault::FieldName), "{line}");
    }
    for line in [" x-sum: 41", "\tx-sum: 41"] {
        assert_eq!(trailer(line.as_bytes()), Err(Fault::Folded), "{line:?}");
    }
}
