//! HTTP/2, by hyper.
//!
//! Whoever is to leave is told twice, as RFC 9113 section 6.8 has it: at first that no stream shall be
//! begun any more, with the highest number there is, so that what is on its way is still answered;
//! then, when the client has shown by its answer to a ping that it has heard this, with the number
//! of the last stream that was. The connection ends when all of them are answered.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::spawn_local;

use super::frames::Frames;
use super::too_much;
use crate::app::App;
use crate::connections::Connection;
use crate::overdue;
use crate::receive::receive;
use crate::strict::Opening;
use crate::under_way::Entry;

/// What every client begins with.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Serves until the connection ends.
pub(crate) async fn serve<S, A>(
    stream: S,
    app: &A,
    connection: &Rc<Connection>,
) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    A: App,
{
    let station = &connection.station;
    let pulse = &connection.pulse;
    pulse.begin_frames(station.meter.clock.last());
    let service = service_fn(|request| receive(connection, app, request));
    let builder = builder(connection);
    let limits = &station.config.limits;
    let frames = Frames::new(
        Opening::new(stream),
        limits,
        Arc::clone(pulse),
        station.meter,
    );
    let verdict = frames.verdict();
    let mut served = pin!(builder.serve_connection(TokioIo::new(frames), service));
    let (mut is_leaving, mut is_flooding) = (false, false);
    let outcome = poll_fn(|task| {
        is_leaving |= pulse.is_leaving();
        let is_overdue = pulse.is_overdue();
        if is_overdue {
            overdue::count(pulse, station.meter);
        }
        if is_leaving && is_overdue {
            // It was asked, and did not go.
            return Poll::Ready(Ok(()));
        }
        if !is_leaving && (is_overdue || station.draining_since().is_some()) {
            is_leaving = true;
            pulse.set_overdue(false);
            pulse.begin_leaving(station.meter.clock.last());
            served.as_mut().graceful_shutdown();
        }
        let polled = served.as_mut().poll(task);
        if !is_flooding && let Some(flood) = verdict.flood() {
            is_flooding = true;
            too_much::tell(station, flood);
        }
        polled
    })
    .await;
    if !is_flooding && let Err(error) = &outcome {
        too_much::count(station, error);
    }
    outcome
}

/// hyper's settings.
fn builder(connection: &Rc<Connection>) -> http2::Builder<Local> {
    let config = &connection.station.config;
    let mut builder = http2::Builder::new(Local(Rc::clone(connection)));
    let limits = &config.limits;
    builder
        .auto_date_header(config.proxy.answers.date)
        .max_concurrent_streams(limits.h2_streams)
        .max_pending_accept_reset_streams(limits.h2_resets as usize)
        // What h2 finds too large it answers itself and tells nobody: half as much is refused by
        // `admit`, which counts.
        .max_header_list_size(limits.header_size.saturating_mul(2));
    if let Some(ping) = config.http.ping {
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(ping)
            .keep_alive_timeout(ping);
    }
    builder
}

/// Streams are tasks of the worker's one thread.
#[derive(Clone, Debug)]
struct Local(Rc<Connection>);

impl<F: Future<Output = ()> + 'static> Executor<F> for Local {
    fn execute(&self, stream: F) {
        // hyper begins a request and its stream's task in one breath.
        let request = self.0.newest.take();
        spawn_local(Stream {
            stream: Some(stream),
            request,
        });
    }
}

pin_project! {
    /// The task of a stream. One that waits for its client's window asks neither app nor body, so
    /// that nobody else could end it: what is dropped resets its stream.
    struct Stream<F> {
        #[pin]
        stream: Option<F>,
        request: Option<Rc<Entry>>,
    }
}

impl<F: Future<Output = ()>> Future for Stream<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if this
            .request
            .as_ref()
            .is_some_and(|request| request.is_cut())
        {
            this.stream.set(None);
        }
        match this.stream.as_pin_mut() {
            Some(stream) => stream.poll(task),
            None => Poll::Ready(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PREFACE;
    use crate::pulse::Phase;
    use crate::rig::{HEADER, Handler, KEEP_ALIVE, LAME_DUCK, Rig};
    use crate::sweep::sweep;
    use brigade_config::{Http, WorkerConfig};
    use brigade_shared::board::Counter;
    use bytes::Bytes;
    use h2::client::{Connection, ResponseFuture, SendRequest, handshake};
    use http::{Request, Response, Version};
    use http_body_util::Full;
    use std::future::pending;
    use std::rc::Rc;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::sync::Semaphore;
    use tokio::task::{JoinHandle, spawn_local, yield_now};

    type Ended = JoinHandle<Result<(), h2::Error>>;

    fn sweeping(test: impl AsyncFnOnce(Rig)) {
        Rig::paused(async |rig| {
            spawn_local(sweep(Rc::clone(&rig.station)));
            test(rig).await;
        });
    }

    /// A client, and the end of its connection.
    async fn connect(rig: &Rig, app: Handler) -> (SendRequest<Bytes>, Ended) {
        let (client, connection) = handshake(rig.connect(app)).await.unwrap();
        let connection: Connection<DuplexStream> = connection;
        (client, spawn_local(connection))
    }

    fn ask(client: &mut SendRequest<Bytes>) -> ResponseFuture {
        let request = Request::get("http://x/soup").body(()).unwrap();
        client.send_request(request, true).unwrap().0
    }

    async fn read(answer: ResponseFuture) -> Result<String, h2::Error> {
        let response = answer.await?;
        assert!(!response.headers().contains_key("connection"));
        assert!(response.headers().contains_key("date"));
        let (head, mut body) = response.into_parts();
        assert_eq!((head.status.as_u16(), head.version), (200, Version::HTTP_2));
        let mut text = Vec::new();
        while let Some(data) = body.data().await {
            text.extend_from_slice(&data?);
        }
        Ok(String::from_utf8(text).unwrap())
    }

    /// Answers when it is let.
    fn gated() -> (Handler, Rc<Semaphore>) {
        let gate = Rc::new(Semaphore::new(0));
        let theirs = Rc::clone(&gate);
        let app = Handler::new(move |_| {
            let gate = Rc::clone(&theirs);
            async move {
                gate.acquire().await.unwrap().forget();
                Ok(Response::new(Full::from("hello")))
            }
        });
        (app, gate)
    }

    async fn until_requests(rig: &Rig, count: u64) {
        while rig.row().requests != count {
            yield_now().await;
        }
    }

    fn phase(rig: &Rig) -> Phase {
        let mut phase = None;
        let connections = &rig.station.connections;
        connections.for_each(|connection| phase = Some(connection.pulse.phase()));
        phase.expect("one is open")
    }

    #[test]
    fn several_requests_are_answered_at_a_time_and_the_connection_is_busy_till_the_last() {
        sweeping(async |rig| {
            let (app, gate) = gated();
            let (mut client, _ended) = connect(&rig, app).await;
            let answers = [ask(&mut client), ask(&mut client), ask(&mut client)];
            until_requests(&rig, 3).await;
            gate.add_permits(2);
            until_requests(&rig, 1).await;
            tokio::time::sleep(2 * KEEP_ALIVE).await;
            assert_eq!(phase(&rig), Phase::Busy);
            gate.add_permits(1);
            for answer in answers {
                assert_eq!(read(answer).await.unwrap(), "hello");
            }
            assert_eq!((rig.row().requests, phase(&rig)), (0, Phase::Idle));
            assert_eq!(rig.row().counts.get(Counter::Success), 3);
        });
    }

    #[test]
    fn an_idle_client_is_told_to_leave_and_its_late_request_is_answered() {
        sweeping(async |rig| {
            let (mut client, ended) = connect(&rig, Handler::hello()).await;
            tokio::time::sleep(KEEP_ALIVE - Duration::from_secs(1)).await;
            assert_eq!(read(ask(&mut client)).await.unwrap(), "hello");
            let begun = rig.elapsed();
            ended.await.unwrap().unwrap();
            let elapsed = rig.elapsed();
            assert!(elapsed >= begun + KEEP_ALIVE, "{elapsed:?}");
            assert!(elapsed < begun + KEEP_ALIVE + LAME_DUCK, "{elapsed:?}");
            rig.station.meter.all_gone().await;
            assert_eq!(rig.row().counts.get(Counter::Unanswered), 0);
            assert_eq!(rig.row().counts.get(Counter::KeepAliveTimeouts), 1);
        });
    }

    #[test]
    fn a_drain_answers_what_was_begun_and_lets_nothing_more_begin() {
        sweeping(async |rig| {
            let (app, gate) = gated();
            let (mut client, ended) = connect(&rig, app).await;
            let answer = ask(&mut client);
            until_requests(&rig, 1).await;
            rig.station.begin_drain();
            tokio::time::sleep(4 * LAME_DUCK).await;
            let request = Request::get("http://x/").body(()).unwrap();
            let late = client.send_request(request, true).unwrap_err();
            assert!(late.is_go_away() && late.is_remote(), "{late}");
            gate.add_permits(1);
            assert_eq!(read(answer).await.unwrap(), "hello");
            ended.await.unwrap().unwrap();
            rig.station.meter.all_gone().await;
            assert_eq!(rig.row().counts.get(Counter::Success), 1);
        });
    }

    /// A frame of these flags, of this stream.
    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let head = [0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream];
        [&head, payload].concat()
    }

    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    const PING: u8 = 6;
    const GOAWAY: u8 = 7;
    /// Whole, and the end of its stream.
    const COMPLETE: u8 = 5;
    /// GET http://x/
    const GET: &[u8] = &[0x82, 0x86, 0x84, 0x41, 1, b'x'];

    async fn next_frame(client: &mut DuplexStream) -> Option<(u8, u8, Vec<u8>)> {
        let mut head = [0; 9];
        client.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        client.read_exact(&mut payload).await.unwrap();
        Some((head[3], head[4], payload))
    }

    #[test]
    fn a_request_that_was_on_its_way_when_the_drain_began_is_answered() {
        sweeping(async |rig| {
            let mut client = rig.connect(Handler::hello());
            let begin = [PREFACE.to_vec(), frame(SETTINGS, 0, 0, &[])].concat();
            client.write_all(&begin).await.unwrap();
            while rig.row().counts.get(Counter::BytesOut) == 0 {
                yield_now().await;
            }
            client
                .write_all(&frame(HEADERS, COMPLETE, 1, GET))
                .await
                .unwrap();
            rig.station.begin_drain();
            let mut farewells = Vec::new();
            while let Some((kind, flags, payload)) = next_frame(&mut client).await {
                match kind {
                    PING => {
                        // What the client sends before it has heard of the drain.
                        let request = frame(HEADERS, COMPLETE, 3, GET);
                        let pong = frame(PING, 1, 0, &payload);
                        client.write_all(&[request, pong].concat()).await.unwrap();
                    }
                    GOAWAY => farewells.push(payload[3]),
                    kind => assert!(kind <= 8 && flags <= 5, "{kind}"),
                }
            }
            assert_eq!(farewells, [0xff, 3], "at first everything, then what came");
            assert_eq!(rig.row().counts.get(Counter::Success), 2);
            drop(client);
            rig.station.meter.all_gone().await;
        });
    }

    #[test]
    fn a_client_that_does_not_answer_when_it_is_told_to_leave_is_waited_for_no_longer() {
        for drains in [true, false] {
            sweeping(async |rig| {
                let mut mute = rig.connect(Handler::hello());
                mute.write_all(PREFACE).await.unwrap();
                mute.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
                while rig.row().counts.get(Counter::BytesOut) == 0 {
                    yield_now().await;
                }
                let most = if drains {
                    rig.station.begin_drain();
                    LAME_DUCK
                } else {
                    // A frame that begins no request is no sign of one.
                    tokio::time::sleep(KEEP_ALIVE / 2).await;
                    mute.write_all(&frame(PING, 0, 0, &[0; 8])).await.unwrap();
                    2 * KEEP_ALIVE
                };
                let mut rest = Vec::new();
                mute.read_to_end(&mut rest).await.unwrap();
                let elapsed = rig.elapsed();
                assert!(elapsed >= most && elapsed < most + LAME_DUCK, "{elapsed:?}");
                // GOAWAY with the highest number of a stream, and no error.
                let goaway = b"\x07\0\0\0\0\0\x7f\xff\xff\xff\0\0\0\0";
                assert!(rest.windows(goaway.len()).any(|bytes| bytes == goaway));
            });
        }
    }

    #[test]
    fn half_a_preface_has_to_be_complete_in_time() {
        sweeping(async |rig| {
            let mut client = rig.connect(Handler::hello());
            for byte in &PREFACE[..PREFACE.len() - 1] {
                client.write_all(&[*byte]).await.unwrap();
                yield_now().await;
            }
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).await.unwrap();
            assert_eq!(rest, b"");
            assert!(rig.elapsed() >= HEADER && rig.elapsed() < HEADER + LAME_DUCK);
            assert_eq!(rig.row().counts.get(Counter::HeaderTimeouts), 1);
        });
    }

    #[test]
    fn a_client_that_is_gone_without_a_word_is_found_while_its_answer_is_awaited() {
        Rig::paused(async |rig| {
            let ping = Duration::from_secs(20);
            let http = Http {
                ping: Some(ping),
                ..Http::default()
            };
            let config = WorkerConfig {
                http,
                ..rig.station.config.clone()
            };
            let rig = rig.with(config);
            let (app, _gate) = gated();
            let (mut client, connection) = handshake(rig.connect(app)).await.unwrap();
            let connection: Connection<DuplexStream> = connection;
            let leaves = Rc::new(Semaphore::new(0));
            let left = Rc::clone(&leaves);
            spawn_local(async move {
                tokio::pin!(connection);
                tokio::select! {
                    _ = &mut connection => {}
                    _ = left.acquire() => pending().await,
                }
            });
            let _answer = ask(&mut client);
            until_requests(&rig, 1).await;
            // It lives, and answers pings.
            tokio::time::sleep(10 * ping).await;
            assert_eq!(rig.row().requests, 1);
            let begun = rig.elapsed();
            leaves.add_permits(1);
            rig.station.meter.all_gone().await;
            assert!(rig.elapsed() <= begun + 3 * ping);
            while rig.row().requests > 0 {
                yield_now().await;
            }
            assert_eq!(rig.row().counts.get(Counter::Unanswered), 1);
        });
    }
}
