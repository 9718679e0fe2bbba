//! What hyper and an app get to see behind the guard, whatever comes in which pieces.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use brigade_shared::board::Counter;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::scanner::{Scanned, Scanner};
use crate::rig::{Handler, Rig};

const HOUR: Duration = Duration::from_secs(3600);

/// What the app saw of each request: its target and its body, if that came to its end.
type Seen = Rc<RefCell<Vec<(String, Option<Vec<u8>>)>>>;

/// Reads bodies and answers 200 to whatever it sees.
fn recorder(seen: &Seen) -> Handler {
    let seen = Rc::clone(seen);
    Handler::new(move |request| {
        let seen = Rc::clone(&seen);
        async move {
            let target = request.uri().to_string();
            let body = request.into_body().collect().await;
            let body = body.ok().map(|body| body.to_bytes().to_vec());
            seen.borrow_mut().push((target, body));
            Ok(Response::new(Full::from("hello")))
        }
    })
}

/// Sends `text` in pieces of these sizes, over and over, then the end. Returns the statuses of the
/// answers, and what the app saw.
async fn serve(rig: &Rig, text: &[u8], sizes: &[usize]) -> (Vec<u16>, Seen) {
    let seen = Seen::default();
    let mut client = rig.connect(recorder(&seen));
    let (mut rest, mut sizes) = (text, sizes.iter().cycle());
    while !rest.is_empty() {
        let size = (*sizes.next().unwrap()).min(rest.len());
        // Who has refused does not read on.
        if client.write_all(&rest[..size]).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        rest = &rest[size..];
    }
    let mut answer = Vec::new();
    // When nobody has anything to do any more, this hour passes at once.
    let _ = timeout(HOUR, client.read_to_end(&mut answer)).await;
    let answer = String::from_utf8(answer).unwrap();
    let lines = answer.split("HTTP/1.1 ").skip(1);
    (lines.map(|line| line[..3].parse().unwrap()).collect(), seen)
}

const GOOD: [&str; 14] = [
    "GET /1 HTTP/1.1\r\nhost: x\r\n\r\n",
    "\r\nGET /2 HTTP/1.1\r\nHost: x:80\r\nx-empty:\r\n\r\n",
    "POST /3 HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab\n\r\n",
    "POST /4 HTTP/1.1\r\nhost: x\r\nTransfer-Encoding:\t Chunked \r\n\r\n5;a=\"b\"\r\n\r\n\r\n\n\r\n0\r\nx-sum: 1\r\n\r\n",
    "PUT /5 HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
    "GET http://x/6 HTTP/1.1\r\nhost: X:80\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
    "GET /8?a=b%00 HTTP/1.1\r\nhost: [::1]:8000\r\nx_mine: 1\r\nupgrade-insecure-requests: 1\r\n\r\n",
    "GET /9 HTTP/1.1\r\nhost: x\r\nuser-agent: a\tb \u{e9}\r\nte: trailers\r\n\r\n",
    "POST /10 HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade\r\ncontent-length: 3\r\n\r\nabc",
    "POST /11 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET /12 HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    "GET /13 HTTP/1.1\r\nhost: x\r\n\r\n",
    "GET /14 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
];

#[test]
fn what_everybody_reads_alike_is_served_in_pieces_of_any_size() {
    Rig::paused(async |rig| {
        let text = GOOD.concat();
        for sizes in [&[1][..], &[2, 3], &[7], &[64, 1], &[1000], &[100_000]] {
            let (statuses, seen) = serve(&rig, text.as_bytes(), sizes).await;
            assert_eq!(statuses, [200; GOOD.len()], "{sizes:?}: {seen:?}");
            let seen = seen.borrow();
            assert_eq!(seen[3].1.as_deref(), Some(&b"\r\n\r\n\n"[..]));
            assert_eq!(seen[9].1.as_deref(), Some(&b"abc"[..]));
            assert_eq!(seen[13].0, "/14");
        }
        assert_eq!(rig.row().counts.get(Counter::Malformed), 0);
    });
}

/// Heads, without their first line and host, that must not reach the app.
const BAD_FIELDS: [&str; 26] = [
    "content-length: 5\r\ncontent-length: 5",
    "content-length: 5\r\ncontent-length: 6",
    "content-length: 5, 5",
    "content-length: +5",
    "content-length: -5",
    "content-length: 0x5",
    "content-length: 5 5",
    "content-length:",
    "content-length: 5a",
    "content-length: 99999999999999999999",
    "content-length: 9223372036854775808",
    "content-length: 5\r\ntransfer-encoding: chunked",
    "transfer-encoding: chunked\r\ncontent-length: 5",
    "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
    "transfer-encoding: gzip, chunked",
    "transfer-encoding: chunked, chunked",
    "transfer-encoding: identity",
    "transfer-encoding: \"chunked\"",
    "transfer-encoding:\u{b}chunked",
    "transfer-encoding : chunked",
    "content_length: 5",
    "x_forwarded_for: 1.2.3.4",
    "X-Forwarded_Proto: https",
    "x-a: b\r\n c: d",
    "x-a: b\nc: d",
    "x-a: b\rc: d",
];

#[test]
fn what_is_ambiguous_gets_400_after_the_answers_before_it_and_never_reaches_the_app() {
    Rig::paused(async |rig| {
        let smuggled = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
        for fields in BAD_FIELDS {
            let text = format!(
                "{}POST /bad HTTP/1.1\r\nhost: x\r\n{fields}\r\n\r\n0\r\n\r\n{smuggled}",
                GOOD[2]
            );
            for sizes in [&[1][..], &[5, 3], &[100_000]] {
                let (statuses, seen) = serve(&rig, text.as_bytes(), sizes).await;
                assert_eq!(statuses, [200, 400], "{fields:?} in {sizes:?}: {seen:?}");
                assert_eq!(seen.borrow().len(), 1, "{fields:?} in {sizes:?}: {seen:?}");
            }
        }
        rig.station.meter.all_gone().await;
        let malformed = rig.row().counts.get(Counter::Malformed);
        assert_eq!(malformed, 3 * BAD_FIELDS.len() as u64);
    });
}

#[test]
fn a_malformed_body_is_answered_with_400_whatever_the_app_says() {
    Rig::paused(async |rig| {
        for body in [
            "5\r\nhelloX",
            "5\nhello",
            "+5\r\nhello",
            "5;\r\nhello",
            "0\r\ncontent-length: 1\r\n\r\n",
            "0\r\na\n\r\n",
            "0\r\n b: c\r\n\r\n",
        ] {
            let text = format!(
                "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{body}\r\n0\r\n\r\n{}",
                GOOD[0]
            );
            for sizes in [&[1][..], &[100_000]] {
                let (statuses, seen) = serve(&rig, text.as_bytes(), sizes).await;
                assert_eq!(statuses, [400], "{body:?} in {sizes:?}: {seen:?}");
                assert_eq!(seen.borrow()[..], [("/".to_owned(), None)]);
            }
        }
    });
}

#[test]
fn chunk_extensions_and_trailers_without_end_get_400_and_no_reset() {
    Rig::paused(async |rig| {
        for body in [
            format!("5;a={}\r\nhello\r\n0\r\n\r\n", "b".repeat(20_000)),
            format!("1;a={}\r\nx\r\n", "b".repeat(2000)).repeat(10),
            format!("0\r\na: {}\r\n\r\n", "b".repeat(20_000)),
            format!("0\r\n{}\r\n", "a: b\r\n".repeat(200)),
        ] {
            let head = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
            for sizes in [&[7][..], &[100_000]] {
                let text = format!("{head}{body}{}", GOOD[0]);
                let (statuses, seen) = serve(&rig, text.as_bytes(), sizes).await;
                assert_eq!(statuses, [400], "{sizes:?}: {:?}", &body[..20]);
                assert_eq!(seen.borrow()[..], [("/".to_owned(), None)]);
            }
        }
    });
}

#[test]
fn a_request_after_one_to_switch_waits_for_its_answer() {
    Rig::paused(async |rig| {
        let asking =
            "GET /ask HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n";
        let bad = format!("{asking}{asking}GET /bad HTTP/1.1\nhost: x\r\n\r\n");
        for sizes in [&[1][..], &[50], &[100_000]] {
            let (statuses, _) = serve(&rig, bad.as_bytes(), sizes).await;
            assert_eq!(statuses, [200, 200, 400], "{sizes:?}");
        }
    });
}

#[test]
fn a_status_line_is_all_that_a_client_of_nonsense_gets() {
    Rig::paused(async |rig| {
        for nonsense in [
            "\0",
            "\n",
            "\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n",
            "GET /\r\n\r\n",
            "GET / HTTP/2.0\r\n\r\n",
            "GET / HTTP/1.1 \r\n\r\n",
            "GET  / HTTP/1.1\r\n\r\n",
            "GET /#a HTTP/1.1\r\nhost: x\r\n\r\n",
            "\u{16}\u{3}\u{1}\r\n",
        ] {
            let (statuses, seen) = serve(&rig, nonsense.as_bytes(), &[3]).await;
            let refused = StatusCode::BAD_REQUEST.as_u16();
            assert!(seen.borrow().is_empty(), "{nonsense:?}: {seen:?}");
            assert!(
                statuses.iter().all(|status| *status == refused),
                "{nonsense:?}: {statuses:?}"
            );
        }
    });
}

/// What RFC 9112 makes of a whole stream, read in the plainest way: targets and bodies of complete
/// requests, until the stream ends or goes wrong.
fn reference(mut text: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut requests = Vec::new();
    while let Some((request, rest)) = reference_request(text) {
        requests.push(request);
        text = rest;
    }
    requests
}

type Request = (String, Vec<u8>);

fn reference_request(text: &[u8]) -> Option<(Request, &[u8])> {
    let text = text.strip_prefix(b"\r\n").unwrap_or(text);
    let end = text.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&text[..end]);
    let mut rest = &text[end + 4..];
    let mut lines = head.split("\r\n");
    let target = lines.next()?.split(' ').nth(1)?.to_owned();
    let (mut lengths, mut is_chunked) = (Vec::new(), false);
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let value = value.trim();
        match &*name.to_ascii_lowercase() {
            "content-length" => lengths.push(value.parse::<usize>().ok()?),
            "transfer-encoding" => {
                is_chunked = value.eq_ignore_ascii_case("chunked");
                is_chunked.then_some(())?;
            }
            _ => {}
        }
    }
    let mut body = Vec::new();
    match (&lengths[..], is_chunked) {
        ([], false) => {}
        (&[length], false) => (body, rest) = (rest.get(..length)?.to_vec(), &rest[length..]),
        ([], true) => loop {
            let end = rest.windows(2).position(|two| two == b"\r\n")?;
            let size = std::str::from_utf8(&rest[..end]).ok()?;
            let size = size.split(';').next()?.trim_end();
            let size = usize::from_str_radix(size, 16).ok()?;
            rest = &rest[end + 2..];
            if size == 0 {
                while !rest.starts_with(b"\r\n") {
                    let end = rest.windows(2).position(|two| two == b"\r\n")?;
                    rest = &rest[end + 2..];
                }
                rest = &rest[2..];
                break;
            }
            body.extend_from_slice(rest.get(..size)?);
            rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
        },
        _ => return None,
    }
    Some(((target, body), rest))
}

/// A generator of numbers that is the same everywhere (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// Whether the app saw this target; `http` writes an absolute one anew.
fn is_target(sent: &str, seen: &str) -> bool {
    sent == seen || sent.starts_with("http") && seen.starts_with("http")
}

/// How many streams are tried: 3000, or as many as SEEDS says.
fn seeds() -> u64 {
    let said = std::env::var("SEEDS").ok();
    said.map_or(3000, |count| count.parse().expect("a number"))
}

/// Changes a few bytes, to such as matter.
fn mutate(text: &mut Vec<u8>, chance: &mut Chance) {
    const PIECES: [&[u8]; 16] = [
        b"\r",
        b"\n",
        b"\r\n",
        b" ",
        b":",
        b"\0",
        b"\t",
        b";",
        b"0",
        b"5",
        b"content-length: 3\r\n",
        b"transfer-encoding: chunked\r\n",
        b"\r\n ",
        b"chunked",
        b"_",
        b"\r\n\r\n",
    ];
    for _ in 0..=chance.below(3) {
        let at = chance.below(text.len());
        let end = (at + chance.below(3)).min(text.len());
        let piece = PIECES[chance.below(PIECES.len())];
        text.splice(at..end, piece.iter().copied());
    }
}

#[test]
fn hyper_never_sees_other_requests_than_the_letter_of_the_standard_says() {
    Rig::paused(async |rig| {
        let (mut whole, mut cut) = (0, 0);
        for seed in 1..=seeds() {
            let mut chance = Chance(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
            let mut text: Vec<u8> = (0..=chance.below(3))
                .flat_map(|_| GOOD[chance.below(GOOD.len() - 1)].bytes())
                .collect();
            mutate(&mut text, &mut chance);
            let sizes = [1 + chance.below(40), 1 + chance.below(200)];
            let (_, seen) = serve(&rig, &text, &sizes).await;
            let expected = reference(&text);
            for (index, (target, body)) in seen.borrow().iter().enumerate() {
                let Some(body) = body else {
                    cut += 1;
                    continue;
                };
                let expected = expected.get(index).map(|(target, body)| (&**target, body));
                let is_same =
                    expected.is_some_and(|(path, bytes)| is_target(path, target) && bytes == body);
                assert!(
                    is_same,
                    "seed {seed}: {:?}\nsaw {target} {body:?}, not {expected:?}",
                    text.escape_ascii().to_string()
                );
                whole += 1;
            }
        }
        assert!(
            whole > 1000 && cut > 50,
            "{whole} requests, {cut} cut: too few to know"
        );
    });
}

#[test]
fn the_verdict_does_not_depend_on_the_pieces() {
    let verdict = |text: &[u8], size: usize| {
        let mut scanner = Scanner::new();
        for piece in text.chunks(size) {
            match scanner.scan(piece) {
                Scanned::Whole => {}
                Scanned::Early(_) => return (scanner.heads(), Some(None)),
                Scanned::BadHead(_, fault) | Scanned::BadBody(_, fault) => {
                    return (scanner.heads(), Some(Some(fault)));
                }
            }
        }
        (scanner.heads(), None)
    };
    for seed in 1..=seeds() {
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let mut text: Vec<u8> = GOOD[chance.below(9)]
            .bytes()
            .chain(GOOD[0].bytes())
            .collect();
        mutate(&mut text, &mut chance);
        let whole = verdict(&text, text.len());
        for size in [1, 2, 3, 10, 33] {
            assert_eq!(
                verdict(&text, size),
                whole,
                "{:?} by {size}",
                text.escape_ascii().to_string()
            );
        }
    }
}
