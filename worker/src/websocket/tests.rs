//! WebSockets behind the watch, with an app that speaks frames by hand.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use brigade_shared::board::Counter;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, ReadHalf, WriteHalf,
};
use tokio::sync::mpsc;
use tokio::time::Duration;

use super::switch::{Reason, Switch};
use super::watch::Watch;
use crate::body::RequestBody;
use crate::rig::{Handler, Rig};

const ASKING: &[u8] =
    b"GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
const RESTART: [u8; 4] = [0x88, 2, 0x03, 0xf4];
const TOO_BIG: [u8; 4] = [0x88, 2, 0x03, 0xf1];

trait Io: AsyncRead + AsyncWrite + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Unpin + 'static> Io for T {}

/// Answers 101 and hands the connection over to `code`.
fn switching<F: Future<Output = ()> + 'static>(
    code: impl Fn(Box<dyn Io>) -> F + Clone + 'static,
) -> Handler {
    Handler::new(move |mut request: Request<RequestBody>| {
        let code = code.clone();
        let on_upgrade = hyper_upgrade(&mut request);
        tokio::task::spawn_local(async move {
            if let Ok(upgraded) = on_upgrade.await {
                code(Box::new(TokioIo::new(upgraded))).await;
            }
        });
        async {
            let mut response = Response::new(Full::<Bytes>::default());
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let headers = response.headers_mut();
            headers.insert("upgrade", "WebSocket".parse().unwrap());
            headers.insert("connection", "upgrade".parse().unwrap());
            Ok(response)
        }
    })
}

fn hyper_upgrade(request: &mut Request<RequestBody>) -> hyper::upgrade::OnUpgrade {
    hyper::upgrade::on(request)
}

/// What the app read until the end came.
fn reading() -> (Handler, mpsc::UnboundedReceiver<Vec<u8>>) {
    let (said, heard) = mpsc::unbounded_channel();
    let app = switching(move |mut io| {
        let said = said.clone();
        async move {
            let mut all = Vec::new();
            let _ = io.read_to_end(&mut all).await;
            // As a library answers the peer's close frame; it must go nowhere after ours.
            let _ = io.write_all(&[0x88, 0]).await;
            let _ = said.send(all);
        }
    });
    (app, heard)
}

type Ends = (ReadHalf<DuplexStream>, WriteHalf<DuplexStream>);

/// A client of `app` that has read the head of the answer.
async fn upgrade(rig: &Rig, app: Handler, with: &[u8]) -> Ends {
    let (mut read, mut write) = tokio::io::split(rig.connect(app));
    write.write_all(&[ASKING, with].concat()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(read.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    // The server's side has let go of HTTP when everybody else waits.
    tokio::time::sleep(Duration::from_millis(1)).await;
    (read, write)
}

async fn rest(read: &mut ReadHalf<DuplexStream>) -> Vec<u8> {
    let mut bytes = Vec::new();
    read.read_to_end(&mut bytes).await.unwrap();
    bytes
}

/// A masked frame, of zeros.
fn frame(first: u8, length: u16) -> Vec<u8> {
    let mut bytes = vec![first, 0xfe];
    bytes.extend(length.to_be_bytes());
    bytes.extend(vec![0; 4 + usize::from(length)]);
    bytes
}

#[test]
fn a_drain_closes_websockets_in_order_and_waits_for_the_peer() {
    Rig::paused(async |rig| {
        let (app, mut heard) = reading();
        let (mut read, mut write) = upgrade(&rig, app, b"").await;
        let hello = frame(0x82, 300);
        write.write_all(&hello).await.unwrap();
        rig.station.begin_drain();
        let mut close = [0; 4];
        read.read_exact(&mut close).await.unwrap();
        assert_eq!(close, RESTART);
        let answer = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xf4];
        write.write_all(&answer).await.unwrap();
        write.shutdown().await.unwrap();
        assert_eq!(heard.recv().await.unwrap(), [&hello[..], &answer].concat());
        assert_eq!(
            rest(&mut read).await,
            b"",
            "nothing may follow a close frame"
        );
        rig.station.meter.all_gone().await;
        let counts = rig.row().counts;
        assert_eq!(counts.get(Counter::WebSockets), 1);
        assert_eq!(counts.get(Counter::WebSocketsRestarted), 1);
    });
}

#[test]
fn a_peer_that_does_not_answer_is_waited_for_five_seconds() {
    Rig::paused(async |rig| {
        let (app, mut heard) = reading();
        let (mut read, _write) = upgrade(&rig, app, b"").await;
        let begun = rig.elapsed();
        rig.station.begin_drain();
        assert_eq!(rest(&mut read).await, RESTART);
        assert_eq!(heard.recv().await.unwrap(), b"");
        let waited = rig.elapsed() - begun;
        assert!((5..6).contains(&waited.as_secs()), "{waited:?}");
    });
}

#[test]
fn a_frame_of_the_app_that_is_under_way_is_finished_first() {
    Rig::paused(async |rig| {
        let (go, mut gone) = mpsc::unbounded_channel();
        let go = std::rc::Rc::new(go);
        let app = switching(move |mut io| {
            let go = std::rc::Rc::clone(&go);
            async move {
                io.write_all(&[0x82, 5, b'h', b'e']).await.unwrap();
                let (resume, resumed) = tokio::sync::oneshot::channel::<()>();
                go.send(resume).unwrap();
                resumed.await.unwrap();
                // The end of the frame and the next one, in one piece.
                io.write_all(b"llo\x82\x02no").await.unwrap();
                io.write_all(b"\x82\x02no").await.unwrap();
                let _ = io.read_to_end(&mut Vec::new()).await;
            }
        });
        let (mut read, _write) = upgrade(&rig, app, b"").await;
        let resume = gone.recv().await.unwrap();
        rig.station.begin_drain();
        resume.send(()).unwrap();
        let all = rest(&mut read).await;
        assert_eq!(all, [&b"\x82\x05hello"[..], &RESTART].concat());
    });
}

#[test]
fn an_app_that_has_closed_is_left_alone() {
    Rig::paused(async |rig| {
        let app = switching(|mut io| async move {
            io.write_all(&[0x88, 2, 0x03, 0xe8]).await.unwrap();
            let _ = io.read_to_end(&mut Vec::new()).await;
        });
        let (mut read, mut write) = upgrade(&rig, app, b"").await;
        rig.station.begin_drain();
        write.shutdown().await.unwrap();
        assert_eq!(rest(&mut read).await, [0x88, 2, 0x03, 0xe8]);
        let counts = rig.row().counts;
        assert_eq!(counts.get(Counter::WebSocketsRestarted), 0);
    });
}

#[test]
fn a_message_that_is_too_big_is_closed_with_1009_before_it_is_read() {
    Rig::paused(async |rig| {
        for (frames, passed) in [
            // One frame that says that it is too long.
            (
                vec![vec![0x82, 0xff, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]],
                0,
            ),
            // Many that are together.
            (
                vec![frame(0x02, 65_000), frame(0x89, 100), frame(0x80, 65_000)],
                2,
            ),
        ] {
            let rig = rig.with_longest_message(if passed == 0 { 16 << 20 } else { 100_000 });
            let (app, mut heard) = reading();
            let (mut read, mut write) = upgrade(&rig, app, b"").await;
            let sent: Vec<u8> = frames.concat();
            let sending = tokio::task::spawn_local(async move {
                let _ = write.write_all(&sent).await;
                let _ = write.shutdown().await;
            });
            assert_eq!(rest(&mut read).await, TOO_BIG);
            sending.await.unwrap();
            assert_eq!(heard.recv().await.unwrap(), frames[..passed].concat());
        }
        assert_eq!(rig.row().counts.get(Counter::WebSocketsTooBig), 2);
    });
}

#[test]
fn small_messages_may_be_many_and_frames_that_came_early_are_followed() {
    Rig::paused(async |rig| {
        let rig = rig.with_longest_message(1000);
        let (app, mut heard) = reading();
        let early = frame(0x02, 400);
        let (_read, mut write) = upgrade(&rig, app, &early).await;
        let mut sent = frame(0x80, 400);
        for _ in 0..10 {
            sent.extend(frame(0x82, 1000));
        }
        write.write_all(&sent).await.unwrap();
        write.shutdown().await.unwrap();
        assert_eq!(heard.recv().await.unwrap(), [early, sent].concat());
        assert_eq!(rig.row().counts.get(Counter::WebSocketsTooBig), 0);
    });
}

/// Nothing comes in; while it is asked for something, the order to close comes.
struct Told<'a> {
    switch: &'a Switch,
    written: Vec<u8>,
}

impl AsyncRead for Told<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.switch.close(Reason::Restart);
        Poll::Pending
    }
}

impl AsyncWrite for Told<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.written.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn an_order_to_close_that_comes_before_it_knows_whom_to_wake_is_not_lost() {
    Rig::paused(async |rig| {
        let pulse = rig.pulse();
        let mut watch = Watch::new(Arc::clone(&pulse), rig.station.meter, 1000);
        let mut io = Told {
            switch: &pulse.switch,
            written: Vec::new(),
        };
        let (mut room, mut early) = ([0; 16], Vec::new());
        let nobody = &mut Context::from_waker(Waker::noop());
        let mut buf = ReadBuf::new(&mut room);
        assert!(
            watch
                .poll_read(&mut io, &mut early, nobody, &mut buf)
                .is_pending()
        );
        assert_eq!(io.written, RESTART);
    });
}
