//! HTTP/2 clients who ask again and again for what costs them nothing: told to calm down, closed,
//! counted; and whoever else is there does not notice.

use std::io;

use crate::admin::metric;
use crate::limits_http::{counted, single};
use crate::support::Brigade;
use crate::support::h2::{self, Frame, Http2};

const CALM: u8 = 11;
const CONTINUATION: u8 = 9;
const CANCEL: [u8; 4] = [0, 0, 0, 8];
/// Of a HEADERS frame that more of its block follows.
const UNFINISHED: u8 = 1;

/// Sends these frames, so many times; stops as soon as they are not taken any more. Then hears the
/// end: the reason of the GOAWAY, if there was one.
fn flood(brigade: &Brigade, begin: &[Frame], frames: &[Frame], times: usize) -> Option<u8> {
    let mut client = Http2::connect(&brigade.address()).unwrap();
    client.send(begin).unwrap();
    let batch: Vec<Frame> = frames
        .iter()
        .cycle()
        .take(frames.len() * 100)
        .cloned()
        .collect();
    for _ in 0..times / 100 {
        if client.send(&batch).is_err() {
            break;
        }
    }
    reason(&mut client)
}

/// Reads until the end, or until the GOAWAY that comes before it.
fn reason(client: &mut Http2) -> Option<u8> {
    loop {
        match client.next() {
            Ok(Some(frame)) if frame.kind == h2::GOAWAY => return Some(frame.payload[7]),
            Ok(Some(_)) => {}
            Ok(None) => return None,
            // It has closed over what we still sent.
            Err(error) => {
                assert_ne!(error.kind(), io::ErrorKind::WouldBlock, "it stays open");
                return None;
            }
        }
    }
}

#[test]
fn frames_that_ask_for_nothing_are_a_flood_with_the_limits_of_the_default() {
    let brigade = single(&[]).expects("limit.reached");
    let kinds = [
        (
            "settings",
            Frame::new(h2::SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 9]),
        ),
        ("pings", Frame::new(h2::PING, 0, 0, &[7; 8])),
        ("priorities", Frame::new(2, 0, 1, &[0, 0, 0, 0, 15])),
        ("windows", Frame::new(8, 0, 0, &[0, 0, 0, 1])),
        ("unknown ones", Frame::new(0x16, 0, 0, b"")),
    ];
    for (number, (name, frame)) in kinds.iter().enumerate() {
        let ends = flood(&brigade, &[], std::slice::from_ref(frame), 30_000);
        assert_eq!(ends, Some(CALM), "{name}");
        counted(
            &brigade,
            "connections_closed",
            "h2_flood",
            number as f64 + 1.0,
        );
        assert_eq!(brigade.get("/").status, 200);
    }
    let told = brigade.wait_for("limit.reached", |_| true);
    assert_eq!(told.text("limit"), "limit-h2-frames");
    assert_eq!(brigade.events("limit.reached").len(), 1, "not for each");
    // A few hundred are everybody's right.
    let mut client = Http2::connect(&brigade.address()).unwrap();
    let pings = vec![kinds[1].1.clone(); 900];
    client.send(&pings).unwrap();
    client.send(&[Frame::get(1, "/")]).unwrap();
    assert_eq!(client.next().unwrap().unwrap().kind, h2::HEADERS);
    brigade.stop_and_check();
}

#[test]
fn requests_that_are_begun_and_taken_back_are_a_flood() {
    let brigade = single(&["--limit-h2-cancels", "50"]).expects("limit.reached");
    let mut client = Http2::connect(&brigade.address()).unwrap();
    let mut begun = 0;
    let ends = loop {
        let stream = 2 * begun + 1;
        client
            .send(&[Frame::get(stream, "/stream?ms=60000")])
            .unwrap();
        // The app has it: its answer has a head.
        match client.next().unwrap() {
            Some(frame) if frame.kind == h2::HEADERS => {}
            Some(frame) if frame.kind == h2::GOAWAY => break Some(frame.payload[7]),
            other => panic!("{other:?} after {begun}"),
        }
        begun += 1;
        assert!(begun < 200, "it goes on for ever");
        let reset = Frame::new(h2::RST_STREAM, 0, stream, &CANCEL);
        client.send(&[reset]).unwrap();
    };
    assert_eq!(ends, Some(CALM));
    assert!(begun >= 50, "{begun}");
    counted(&brigade, "connections_closed", "h2_flood", 1.0);
    let told = brigade.wait_for("limit.reached", |_| true);
    assert_eq!(told.text("limit"), "limit-h2-cancels");
    let in_flight = "brigade_requests_in_flight{slot=\"0\"}";
    brigade.until("its requests are gone", || {
        metric(&brigade, in_flight) == 0.0
    });
    assert_eq!(brigade.get("/").status, 200);
    brigade.stop_and_check();
}

#[test]
fn streams_reset_at_once_and_blocks_without_end_are_a_flood() {
    let brigade = single(&[]);
    let resets: Vec<Frame> = (0..100)
        .map(|number| 2 * number + 1)
        .flat_map(|stream| {
            let reset = Frame::new(h2::RST_STREAM, 0, stream, &CANCEL);
            [Frame::get(stream, "/"), reset]
        })
        .collect();
    let continued = Frame::new(CONTINUATION, 0, 1, b"");
    let endless = Frame::new(h2::HEADERS, UNFINISHED, 1, &[0x82]);
    let fields = [&[0x00, 1, b'a', 100][..], &[b'b'; 100]]
        .concat()
        .repeat(100);
    let fields = Frame::new(CONTINUATION, 0, 1, &fields);
    let floods = [
        flood(&brigade, &resets, &[], 0),
        flood(&brigade, std::slice::from_ref(&endless), &[continued], 1000),
        flood(&brigade, &[endless], &[fields], 200),
    ];
    for ends in floods {
        // What the client still sends may reset the connection before it has heard why.
        assert!(matches!(ends, Some(CALM) | None), "{ends:?}");
    }
    counted(&brigade, "connections_closed", "h2_flood", 3.0);
    assert_eq!(brigade.get("/").status, 200);
    brigade.stop_and_check();
}

#[test]
fn streams_that_have_to_be_refused_again_and_again_are_a_flood() {
    let brigade = single(&["--limit-h2-streams", "5"]);
    let mut client = Http2::connect(&brigade.address()).unwrap();
    let ask = |number: u32| Frame::get(2 * number + 1, "/sleep?ms=60000");
    let asked: Vec<Frame> = (0..2000).map(ask).collect();
    for batch in asked.chunks(50) {
        if client.send(batch).is_err() {
            break;
        }
    }
    assert!(matches!(reason(&mut client), Some(CALM) | None));
    counted(&brigade, "connections_closed", "h2_flood", 1.0);
    let in_flight = "brigade_requests_in_flight{slot=\"0\"}";
    brigade.until("its requests are gone", || {
        metric(&brigade, in_flight) == 0.0
    });
    brigade.stop_and_check();
}
