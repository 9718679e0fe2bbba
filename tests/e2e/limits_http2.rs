//! Limits that hold for streams of HTTP/2, where the connection stays.

use std::time::{Duration, Instant};

use crate::admin::metric;
use crate::limits_http::{counted, single};
use crate::support::h2::{self, Frame, Http2};

/// REFUSED_STREAM: not begun, so that it may be asked again.
const REFUSED: [u8; 4] = [0, 0, 0, 7];
const WINDOW_UPDATE: u8 = 8;

/// The frames of this stream that begin or end an answer, as they come: one for each stream asked.
fn outcomes(client: &mut Http2, count: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    while frames.len() < count {
        let frame = client.next().unwrap().expect("it stays open");
        if [h2::HEADERS, h2::RST_STREAM].contains(&frame.kind) {
            frames.push(frame);
        }
    }
    frames
}

#[test]
fn streams_beyond_the_limit_are_refused_and_may_come_again() {
    let brigade = single(&["--limit-h2-streams", "5"]);
    let mut client = Http2::connect(&brigade.address()).unwrap();
    let asked: Vec<_> = (0..7)
        .map(|number| Frame::get(2 * number + 1, "/sleep?ms=300"))
        .collect();
    client.send(&asked).unwrap();
    let mut frames = outcomes(&mut client, 7);
    let refused: Vec<_> = frames
        .extract_if(.., |frame| frame.kind == h2::RST_STREAM)
        .collect();
    let streams: Vec<_> = refused.iter().map(|frame| frame.stream).collect();
    assert_eq!(streams, [11, 13]);
    assert!(
        refused.iter().all(|frame| frame.payload == REFUSED),
        "{refused:?}"
    );
    assert_eq!(frames.len(), 5, "the others are answered");
    client.send(&[Frame::get(15, "/")]).unwrap();
    assert_eq!(outcomes(&mut client, 1)[0].kind, h2::HEADERS);
    brigade.stop_and_check();
}

#[test]
fn an_answer_that_nobody_takes_ends_its_stream_and_no_other() {
    let brigade = single(&[
        "--timeout-write",
        "400ms",
        "--min-rate-write",
        "1000000",
        "--http2-ping",
        "off",
    ]);
    let mut client = Http2::connect(&brigade.address()).unwrap();
    // From now on no stream has room for a byte.
    client
        .send(&[Frame::new(h2::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])])
        .unwrap();
    let begin = Instant::now();
    client.send(&[Frame::get(1, "/")]).unwrap();
    let frames = outcomes(&mut client, 2);
    assert_eq!(
        (frames[0].kind, frames[1].kind),
        (h2::HEADERS, h2::RST_STREAM)
    );
    assert!(
        begin.elapsed() >= Duration::from_millis(400),
        "{:?}",
        begin.elapsed()
    );
    counted(&brigade, "connections_closed", "write_timeout", 1.0);
    let room = Frame::new(WINDOW_UPDATE, 0, 3, &[0, 0, 1, 0]);
    client.send(&[Frame::get(3, "/"), room]).unwrap();
    let mut text = Vec::new();
    loop {
        let frame = client.next().unwrap().expect("it stays open");
        assert_eq!(frame.stream, 3);
        if frame.kind == h2::DATA {
            text.extend_from_slice(&frame.payload);
        }
        if frame.flags & h2::END_STREAM != 0 {
            break;
        }
    }
    assert!(text.starts_with(b"Hello from slot 0"));
    brigade.stop_and_check();
}

#[test]
fn one_client_with_many_streams_keeps_out_no_client_with_one() {
    let brigade =
        single(&["--limit-concurrency", "8", "--http2-ping", "off"]).expects("limit.reached");
    let mut crowd = Http2::connect(&brigade.address()).unwrap();
    let mut single = brigade.connect();
    assert_eq!(single.get("/").unwrap().status, 200);
    let asked: Vec<_> = (0..20)
        .map(|number| Frame::get(2 * number + 1, "/sleep?ms=60000"))
        .collect();
    crowd.send(&asked).unwrap();
    // Six are taken: three quarters. The others are told to come again.
    for frame in outcomes(&mut crowd, 14) {
        assert_eq!(frame.kind, h2::HEADERS, "{frame:?}");
    }
    let in_flight = "brigade_requests_in_flight{slot=\"0\"}";
    brigade.until("six are at work", || metric(&brigade, in_flight) == 6.0);
    counted(&brigade, "requests_refused", "concurrency", 14.0);
    for _ in 0..5 {
        assert_eq!(single.get("/").unwrap().status, 200);
    }
    drop(crowd);
    brigade.until("their work is dropped", || {
        metric(&brigade, in_flight) == 0.0
    });
    brigade.stop_and_check();
}
