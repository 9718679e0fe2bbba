//! Clients who ask again and again for what costs them nothing, against the real h2.

use super::PREFACE;
use crate::rig::{Handler, Rig};
use brigade_config::{Limits, WorkerConfig};
use brigade_shared::board::Counter;
use std::future::pending;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::{JoinHandle, spawn_local, yield_now};

const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CALM: u8 = 11;
/// GET http://x/
const GET: &[u8] = &[0x82, 0x86, 0x84, 0x41, 1, b'x'];

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

pub(super) fn limited(rig: Rig, change: impl FnOnce(&mut Limits)) -> Rig {
    let mut limits = rig.station.config.limits.clone();
    change(&mut limits);
    let config = WorkerConfig {
        limits,
        ..rig.station.config.clone()
    };
    rig.with(config)
}

pub(super) type Writer = tokio::io::WriteHalf<DuplexStream>;

/// A client that has begun, and the reasons of the GOAWAYs that it gets.
pub(super) async fn begin(rig: &Rig, app: Handler) -> (Writer, JoinHandle<Vec<u8>>) {
    let (mut reader, mut writer) = tokio::io::split(rig.connect(app));
    let reasons = spawn_local(async move {
        let (mut reasons, mut head) = (Vec::new(), [0; 9]);
        while reader.read_exact(&mut head).await.is_ok() {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let mut payload = vec![0; length];
            reader.read_exact(&mut payload).await.unwrap();
            if head[3] == GOAWAY {
                reasons.push(payload[7]);
            }
        }
        reasons
    });
    let first = [PREFACE.to_vec(), frame(SETTINGS, 0, 0, &[])].concat();
    writer.write_all(&first).await.unwrap();
    (writer, reasons)
}

async fn until_requests(rig: &Rig, count: u64) {
    while rig.row().requests != count {
        yield_now().await;
    }
}

pub(super) fn floods(rig: &Rig) -> u64 {
    rig.row().counts.get(Counter::Floods)
}

/// Begins a request, waits until the app has it, and takes it back.
pub(super) async fn take_back(rig: &Rig, client: &mut Writer, stream: u32) -> bool {
    client.write_all(&frame(1, 5, stream, GET)).await.unwrap();
    until_requests(rig, 1).await;
    let reset = frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]);
    client.write_all(&reset).await.unwrap();
    until_requests(rig, 0).await;
    floods(rig) > 0
}

#[test]
fn requests_that_are_begun_and_taken_back_for_ever_end_the_connection() {
    Rig::paused(async |rig| {
        let rig = limited(rig, |limits| limits.h2_cancels = 30);
        let (mut client, reasons) = begin(&rig, Handler::new(async |_| pending().await)).await;
        let mut count = 0;
        while !take_back(&rig, &mut client, 2 * count + 1).await {
            count += 1;
            assert!(count < 100, "they go on for ever");
        }
        // Each of them gives back a quarter.
        assert!((30..=41).contains(&count), "{count}");
        drop(client);
        assert_eq!(reasons.await.unwrap(), [CALM]);
        rig.station.meter.all_gone().await;
        let unanswered = rig.row().counts.get(Counter::Unanswered);
        assert_eq!((floods(&rig), unanswered), (1, u64::from(count) + 1));
    });
}

#[test]
fn who_takes_back_now_and_then_may_do_so_for_ever() {
    Rig::paused(async |rig| {
        let rig = limited(rig, |limits| limits.h2_cancels = 30);
        let (mut client, reasons) = begin(&rig, Handler::new(async |_| pending().await)).await;
        for count in 0..500 {
            assert!(!take_back(&rig, &mut client, 2 * count + 1).await);
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        drop(client);
        assert!(!reasons.await.unwrap().contains(&CALM));
        rig.station.meter.all_gone().await;
    });
}

#[test]
fn frames_that_ask_for_nothing_end_the_connection_when_they_are_a_flood() {
    let kinds = [
        ("pings", frame(PING, 0, 0, &[7; 8])),
        ("their acknowledgements", frame(PING, 1, 0, &[7; 8])),
        ("settings", frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255])),
        ("empty settings", frame(SETTINGS, 0, 0, &[])),
        ("priorities", frame(2, 0, 1, &[0, 0, 0, 0, 15])),
        ("windows", frame(8, 0, 0, &[0, 0, 0, 1])),
        ("unknown ones", frame(0x16, 0, 0, b"abc")),
    ];
    for (name, frame) in kinds {
        Rig::paused(async |rig| {
            let rig = limited(rig, |limits| limits.h2_frames = 500);
            let (mut client, reasons) = begin(&rig, Handler::hello()).await;
            let mut count = 0;
            while floods(&rig) == 0 {
                // Nobody hears of it in the middle of a frame.
                for part in frame.chunks(5) {
                    client.write_all(part).await.unwrap();
                }
                yield_now().await;
                count += 1;
                assert!(count < 1000, "{name} go on for ever");
            }
            assert!(count >= 499, "{name}: {count}");
            // Whoever goes on nevertheless hears why it is closed, and costs nothing more.
            for _ in 0..1000 {
                let _ = client.write_all(&frame).await;
            }
            drop(client);
            assert_eq!(reasons.await.unwrap(), [CALM], "{name}");
            rig.station.meter.all_gone().await;
            assert_eq!(floods(&rig), 1);
        });
    }
}

#[test]
fn a_connection_that_floods_is_not_lingered_over_for_ever() {
    Rig::paused(async |rig| {
        let rig = limited(rig, |limits| limits.h2_frames = 100);
        spawn_local(crate::sweep::sweep(std::rc::Rc::clone(&rig.station)));
        let (mut client, reasons) = begin(&rig, Handler::hello()).await;
        let ping = frame(PING, 0, 0, &[7; 8]);
        while client.write_all(&ping).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(reasons.await.unwrap(), [CALM]);
        rig.station.meter.all_gone().await;
        assert!(
            rig.elapsed() < 3 * crate::rig::KEEP_ALIVE,
            "{:?}",
            rig.elapsed()
        );
    });
}

#[test]
fn pieces_of_a_body_and_what_its_reader_says_of_its_windows_are_no_flood() {
    Rig::paused(async |rig| {
        let rig = limited(rig, |limits| {
            (limits.h2_frames, limits.h2_cancels) = (20, 20)
        });
        let app = Handler::new(async |_| {
            let body = "x".repeat(1_000_000);
            Ok(http::Response::new(http_body_util::Full::from(body)))
        });
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(2000);
        let handshake = builder.handshake::<_, bytes::Bytes>(rig.connect(app));
        let (mut client, connection) = handshake.await.unwrap();
        spawn_local(connection);
        let request = http::Request::get("http://x/").body(()).unwrap();
        let answer = client.send_request(request, true).unwrap().0;
        let mut body = answer.await.unwrap().into_body();
        let mut all = 0;
        while let Some(data) = body.data().await {
            let length = data.unwrap().len();
            all += length;
            // A widened window for every piece.
            body.flow_control().release_capacity(length).unwrap();
        }
        assert_eq!((all, floods(&rig)), (1_000_000, 0));
    });
}
