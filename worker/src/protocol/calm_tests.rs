//! What is taken for a flood, to the last frame, and what is said of it.

use std::future::pending;

use brigade_config::Limits;
use brigade_shared::board::Counter;
use tokio::io::AsyncWriteExt;

use super::calm::{Calm, Flood};
use super::flood_tests::{begin, floods, frame, limited, take_back};
use super::frames::Kind;
use crate::heard::Heard;
use crate::rig::{Handler, Rig};

const HEADERS: u8 = 1;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
/// GET http://x/
const GET: &[u8] = &[0x82, 0x86, 0x84, 0x41, 1, b'x'];

const CALM: u8 = 11;
const PROTOCOL_ERROR: u8 = 1;

fn calm(h2_cancels: u32, h2_frames: u32) -> Calm {
    Calm::new(&Limits {
        h2_cancels,
        h2_frames,
        ..Limits::default()
    })
}

#[test]
fn exactly_as_many_as_the_limit_are_no_flood() {
    for most in [1, 2, 10, 1000] {
        for (kind, flood) in [(Kind::Reset, Flood::Cancels), (Kind::Other, Flood::Frames)] {
            let mut calm = match flood {
                Flood::Cancels => calm(most, 1_000_000),
                Flood::Frames => calm(1_000_000, most),
            };
            for _ in 0..most {
                assert_eq!(calm.began(kind, 7), None, "{most}");
            }
            assert_eq!(calm.began(kind, 7), Some(flood), "{most}");
        }
    }
}

#[test]
fn whoever_was_quiet_for_long_may_ask_no_more_than_the_limit() {
    let mut calm = calm(10, 10);
    let mut now = 0;
    for kind in [Kind::Reset, Kind::Other] {
        assert_eq!(calm.began(kind, now), None);
        now += 3_600_000_000_000;
        for _ in 0..10 {
            assert_eq!(calm.began(kind, now), None);
        }
        assert!(calm.began(kind, now).is_some());
    }
}

#[test]
fn sixty_four_bytes_of_an_answer_allow_a_frame_and_a_request_four() {
    let mut calm = calm(1000, 1000);
    let used_up = |calm: &mut Calm, kind| (0..1001).find(|_| calm.began(kind, 0).is_some());
    assert_eq!(used_up(&mut calm, Kind::Other), Some(1000));
    assert_eq!(used_up(&mut calm, Kind::Reset), Some(1000));
    // One more for the frame that was too much.
    calm.wrote(64 * 801, 0);
    assert_eq!(used_up(&mut calm, Kind::Other), Some(800));
    for _ in 0..804 {
        assert_eq!(calm.began(Kind::Headers, 0), None);
    }
    assert_eq!(used_up(&mut calm, Kind::Reset), Some(200));
    assert_eq!(used_up(&mut calm, Kind::Other), Some(1000), "never more");
}

#[test]
fn a_flood_is_told_by_the_name_of_its_limit() {
    Rig::paused(async |rig| {
        let rig = limited(rig, |limits| {
            (limits.h2_cancels, limits.h2_frames) = (5, 50)
        });
        let heard = Heard::begin();
        let (mut client, reasons) = begin(&rig, Handler::new(async |_| pending().await)).await;
        let mut stream = 1;
        while !take_back(&rig, &mut client, stream).await {
            stream += 2;
        }
        drop(client);
        assert_eq!(reasons.await.unwrap(), [CALM]);
        let told = heard.take("limit.reached");
        assert!(
            told.len() == 1 && told[0].contains("limit-h2-cancels"),
            "{told:?}"
        );

        let (mut client, reasons) = begin(&rig, Handler::hello()).await;
        let ping = frame(PING, 0, 0, &[7; 8]);
        for _ in 0..200 {
            let _ = client.write_all(&ping).await;
        }
        drop(client);
        assert_eq!(reasons.await.unwrap(), [CALM]);
        let told = heard.take("limit.reached");
        assert!(
            told.len() == 1 && told[0].contains("limit-h2-frames"),
            "{told:?}"
        );
        assert_eq!(floods(&rig), 2);
    });
}

/// How many floods are counted of a client who sends this, and how it is told to go.
fn ended_by(bytes: &[u8]) -> (u64, Vec<u8>) {
    let mut outcome = (0, Vec::new());
    Rig::paused(async |rig| {
        let (mut client, reasons) = begin(&rig, Handler::hello()).await;
        let _ = client.write_all(bytes).await;
        drop(client);
        outcome.1 = reasons.await.unwrap();
        rig.station.meter.all_gone().await;
        outcome.0 = floods(&rig);
    });
    outcome
}

#[test]
fn a_flood_that_h2_finds_is_counted_and_no_other_end_is() {
    let endless = [
        frame(HEADERS, 1, 1, GET),
        frame(CONTINUATION, 0, 1, &[]).repeat(500),
    ]
    .concat();
    assert_eq!(ended_by(&endless), (1, vec![CALM]));
    let twisted = frame(HEADERS, 5, 2, GET);
    assert_eq!(ended_by(&twisted), (0, vec![PROTOCOL_ERROR]));
    // The client says that it is we who are too much.
    let farewell = frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, CALM]);
    assert_eq!(ended_by(&farewell).0, 0);
}

#[test]
fn requests_allow_the_pings_that_go_with_them() {
    Rig::paused(async |rig| {
        let rig = limited(rig, |limits| limits.h2_frames = 20);
        let (mut client, reasons) = begin(&rig, Handler::hello()).await;
        let ping = frame(PING, 1, 0, &[7; 8]);
        for number in 0..500 {
            let request = frame(HEADERS, 5, 2 * number + 1, GET);
            client
                .write_all(&[&*request, &ping].concat())
                .await
                .unwrap();
            while rig.row().counts.get(Counter::Success) <= number.into() {
                tokio::task::yield_now().await;
            }
        }
        drop(client);
        assert!(!reasons.await.unwrap().contains(&CALM));
        assert_eq!(floods(&rig), 0);
    });
}
