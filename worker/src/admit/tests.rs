//! Clients that are too slow, too loud or too many.

use super::told::Limit;
use super::{enter, request::is_crowded};
use crate::body::BodyFault;
use crate::peer::Endpoint;
use crate::rig::{HEADER, Handler, KEEP_ALIVE, Rig, read_hello};
use crate::sweep::sweep;
use brigade_config::{Limits, Pace, WorkerConfig};
use brigade_shared::board::Counter;
use http::Response;
use http_body_util::{BodyExt, Full};
use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::sleep;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
const CHUNKED: &[u8] = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
const SPAN: Duration = Duration::from_secs(20);
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// A worker with other limits.
pub(super) fn limited(change: impl FnOnce(&mut Limits), test: impl AsyncFnOnce(Rig)) {
    Rig::paused(async |rig| {
        let mut config: WorkerConfig = rig.station.config.clone();
        config.limits.body_pace = Pace {
            within: SPAN,
            rate: Some(100),
        };
        config.limits.write_pace = config.limits.body_pace;
        change(&mut config.limits);
        let rig = rig.with(config);
        tokio::task::spawn_local(sweep(Rc::clone(&rig.station)));
        test(rig).await;
    });
}

/// Reads the whole body and says how long it was.
pub(super) fn reader() -> Handler {
    Handler::new(async |request| {
        let body = request.into_body().collect().await;
        let body = body.map_err(|error| {
            assert!(error.downcast_ref::<BodyFault>().is_some(), "{error}");
            error.to_string()
        })?;
        let length = body.to_bytes().len();
        Ok(Response::new(Full::from(format!("{length} hello"))))
    })
}

/// Answers with so many bytes.
pub(super) fn talker(bytes: usize) -> Handler {
    Handler::new(move |_| async move { Ok(Response::new(Full::from("x".repeat(bytes)))) })
}

/// Works for so long.
pub(super) fn sleeper(time: Duration) -> Handler {
    Handler::new(move |_| async move {
        sleep(time).await;
        Ok(Response::new(Full::from("hello")))
    })
}

async fn rest(client: &mut DuplexStream) -> String {
    let mut text = Vec::new();
    client.read_to_end(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

pub(super) fn count(rig: &Rig, counter: Counter) -> u64 {
    rig.row().counts.get(counter)
}

#[track_caller]
fn refused(answer: &str, status: u16) {
    let begin = format!("HTTP/1.1 {status} ");
    assert!(answer.starts_with(&begin), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[test]
fn a_body_that_comes_too_slowly_is_not_waited_for() {
    limited(
        |_| {},
        async |rig| {
            let mut client = rig.connect(reader());
            client.write_all(CHUNKED).await.unwrap();
            // Now and then a byte: enough for a deadline that only sees that something comes.
            for _ in 0..10 {
                client.write_all(b"1\r\nx\r\n").await.unwrap();
                sleep(SPAN / 11).await;
            }
            refused(&rest(&mut client).await, 408);
            assert!(rig.elapsed() >= SPAN && rig.elapsed() < SPAN + SECOND);
            assert_eq!(count(&rig, Counter::BodyTimeouts), 1);
            assert_eq!(count(&rig, Counter::AppErrors), 0);
        },
    );
}

#[test]
fn a_body_that_stalls_after_much_of_it_is_found_within_two_spans() {
    limited(
        |_| {},
        async |rig| {
            let mut client = rig.connect(reader());
            client.write_all(CHUNKED).await.unwrap();
            let much = format!("ffff\r\n{}\r\n", "x".repeat(0xffff));
            client.write_all(much.as_bytes()).await.unwrap();
            refused(&rest(&mut client).await, 408);
            assert!(rig.elapsed() >= SPAN && rig.elapsed() < 2 * SPAN + SECOND);
        },
    );
}

#[test]
fn a_body_may_take_any_time_as_long_as_it_keeps_the_pace() {
    limited(
        |_| {},
        async |rig| {
            let mut client = rig.connect(reader());
            client.write_all(CHUNKED).await.unwrap();
            let piece = format!("6e\r\n{}\r\n", "x".repeat(110));
            for _ in 0..200 {
                client.write_all(piece.as_bytes()).await.unwrap();
                sleep(SECOND).await;
            }
            client.write_all(b"0\r\n\r\n").await.unwrap();
            let answer = read_hello(&mut client).await;
            assert!(answer.ends_with("22000 hello"), "{answer}");
        },
    );
}

#[test]
fn an_app_that_takes_its_time_to_read_is_not_the_clients_fault() {
    limited(
        |_| {},
        async |rig| {
            let lazy = Handler::new(async |request| {
                sleep(5 * SPAN).await;
                let mut body = request.into_body();
                while let Some(frame) = body.frame().await {
                    frame.map_err(|error| error.to_string())?;
                    sleep(SPAN).await;
                }
                Ok(Response::new(Full::from("hello")))
            });
            let mut client = rig.connect(lazy);
            client.write_all(CHUNKED).await.unwrap();
            client
                .write_all(b"1\r\nx\r\n1\r\nx\r\n0\r\n\r\n")
                .await
                .unwrap();
            assert!(read_hello(&mut client).await.ends_with("hello"));
            assert!(rig.elapsed() > 6 * SPAN);
        },
    );
}

#[test]
fn a_body_that_says_that_it_is_too_large_is_refused_before_any_of_it_is_read() {
    limited(
        |limits| limits.body = Some(1000),
        async |rig| {
            for expects in ["", "expect: 100-continue\r\n"] {
                let mut client = rig.connect(Handler::new(async |_| panic!("it is not asked")));
                let head =
                    format!("POST / HTTP/1.1\r\nhost: x\r\n{expects}content-length: 1001\r\n\r\n");
                client.write_all(head.as_bytes()).await.unwrap();
                let answer = rest(&mut client).await;
                refused(&answer, 413);
                assert!(!answer.contains("100 Continue"));
            }
            assert_eq!(count(&rig, Counter::BodiesTooLarge), 2);
            let mut client = rig.connect(reader());
            let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n";
            client.write_all(head.as_bytes()).await.unwrap();
            client.write_all("x".repeat(1000).as_bytes()).await.unwrap();
            assert!(read_hello(&mut client).await.ends_with("1000 hello"));
        },
    );
}

#[test]
fn a_body_that_becomes_too_large_is_refused_whatever_the_app_makes_of_it() {
    limited(
        |limits| limits.body = Some(1000),
        async |rig| {
            let polite = Handler::new(async |request| {
                let body = request.into_body().collect().await;
                let mut response = Response::new(Full::from("bad"));
                assert!(body.is_err());
                *response.status_mut() = http::StatusCode::BAD_REQUEST;
                Ok(response)
            });
            for app in [reader(), polite] {
                let mut client = rig.connect(app);
                client.write_all(CHUNKED).await.unwrap();
                let piece = format!("3e8\r\n{}\r\n1\r\nx\r\n", "x".repeat(1000));
                client.write_all(piece.as_bytes()).await.unwrap();
                refused(&rest(&mut client).await, 413);
            }
            assert_eq!(count(&rig, Counter::BodiesTooLarge), 2);
        },
    );
}

#[test]
fn a_client_that_does_not_take_its_answer_is_cut() {
    limited(
        |_| {},
        async |rig| {
            let mut client = rig.connect(talker(100_000));
            client.write_all(REQUEST).await.unwrap();
            // A byte now and then, as slow readers do.
            for _ in 0..10 {
                sleep(SPAN / 11).await;
                client.read_u8().await.unwrap();
            }
            rig.station.meter.all_gone().await;
            assert!(rig.elapsed() >= SPAN && rig.elapsed() < 2 * SPAN + SECOND);
            assert_eq!(count(&rig, Counter::WriteTimeouts), 1);
        },
    );
}

#[test]
fn an_answer_may_take_any_time_as_long_as_the_client_keeps_the_pace() {
    limited(
        |_| {},
        async |rig| {
            let mut client = rig.connect(talker(30_000));
            client.write_all(REQUEST).await.unwrap();
            for _ in 0..250 {
                sleep(SECOND).await;
                client.read_exact(&mut [0; 110]).await.unwrap();
            }
            // And is found as soon as it does not.
            rig.station.meter.all_gone().await;
            assert!(rig.elapsed() < 250 * SECOND + 2 * SPAN + SECOND);
            assert_eq!(count(&rig, Counter::WriteTimeouts), 1);
        },
    );
}

#[test]
fn a_request_over_its_time_is_dropped_and_the_client_hears_of_it() {
    limited(
        |limits| limits.request = Some(3 * SECOND),
        async |rig| {
            let mut client = rig.connect(sleeper(60 * SECOND));
            client.write_all(REQUEST).await.unwrap();
            let answer = rest(&mut client).await;
            refused(&answer, 503);
            assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
            assert!(rig.elapsed() >= 3 * SECOND && rig.elapsed() < 4 * SECOND);
            assert_eq!(count(&rig, Counter::RequestTimeouts), 1);
            let mut quick = rig.connect(sleeper(2 * SECOND));
            for _ in 0..3 {
                quick.write_all(REQUEST).await.unwrap();
                assert!(read_hello(&mut quick).await.ends_with("hello"));
            }
        },
    );
}

#[test]
fn heads_have_their_limits() {
    limited(
        |limits| {
            limits.request_line = 200;
            limits.header_size = 2000;
            limits.headers = 10;
        },
        async |rig| {
            let ask = async |head: String| {
                let mut client = rig.connect(Handler::hello());
                // It may be refused before all of it is written.
                let _ = client.write_all(head.as_bytes()).await;
                rest(&mut client).await
            };
            let head = |path: usize, fields: usize, value: usize| {
                let fields = format!("a: {}\r\n", "x".repeat(value)).repeat(fields);
                let path = "x".repeat(path);
                format!("GET /{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{fields}\r\n")
            };
            assert!(ask(head(150, 8, 100)).await.ends_with("hello"));
            refused(&ask(head(190, 0, 0)).await, 414);
            assert!(ask(head(0, 9, 1)).await.starts_with("HTTP/1.1 431 "));
            assert!(ask(head(0, 2, 1000)).await.starts_with("HTTP/1.1 431 "));
            // Nor is the end of a head awaited that is too large already.
            let endless = "x".repeat(2001);
            let answer = ask(format!("GET / HTTP/1.1\r\na: {endless}")).await;
            assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
            rig.station.meter.all_gone().await;
            assert_eq!(count(&rig, Counter::LinesTooLong), 1);
            assert_eq!(count(&rig, Counter::HeadsTooLarge), 3);
        },
    );
}

#[test]
fn more_requests_than_allowed_are_told_to_come_again_and_their_connections_stay() {
    limited(
        |limits| limits.concurrency = Some(2),
        async |rig| {
            let asked = Rc::new(Cell::new(0));
            let app = {
                let asked = Rc::clone(&asked);
                Handler::new(move |_| {
                    asked.set(asked.get() + 1);
                    async {
                        sleep(SECOND).await;
                        Ok(Response::new(Full::from("hello")))
                    }
                })
            };
            let mut clients = [(); 3].map(|()| rig.connect(app.clone()));
            for client in &mut clients {
                client.write_all(REQUEST).await.unwrap();
            }
            let [one, other, third] = &mut clients;
            let mut answer = [0; 600];
            let length = third.read(&mut answer).await.unwrap();
            let answer = std::str::from_utf8(&answer[..length]).unwrap();
            assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
            assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
            assert!(!answer.contains("connection: close"), "{answer}");
            assert!(read_hello(one).await.ends_with("hello"));
            assert!(read_hello(other).await.ends_with("hello"));
            third.write_all(REQUEST).await.unwrap();
            assert!(read_hello(third).await.ends_with("hello"));
            assert_eq!(asked.get(), 3, "the app did not hear of the one refused");
            assert_eq!(count(&rig, Counter::RequestsCrowded), 1);
            assert_eq!(rig.station.admitted.get(), 0);
        },
    );
}

#[test]
fn near_the_limit_a_connection_gets_no_more_than_its_share() {
    limited(
        |limits| limits.concurrency = Some(100),
        async |rig| {
            let _clients = [(); 10].map(|()| rig.connect(Handler::hello()));
            let (limits, station) = (&rig.station.config.limits, &rig.station);
            let is_refused = |now, own| {
                station.admitted.set(now);
                is_crowded(limits, station, own)
            };
            assert!(!is_refused(74, 60), "there is room for all");
            assert!(is_refused(75, 11));
            assert!(!is_refused(75, 10));
            assert!(!is_refused(99, 1));
            assert!(is_refused(100, 1));
            station.admitted.set(0);
        },
    );
}

#[test]
fn more_connections_than_a_worker_may_have_are_turned_away() {
    limited(
        |limits| limits.worker_connections = Some(2),
        async |rig| {
            let mut clients = [(); 2].map(|()| rig.connect(Handler::hello()));
            for client in &mut clients {
                client.write_all(REQUEST).await.unwrap();
                assert!(read_hello(client).await.ends_with("hello"));
            }
            let mut third = rig.connect(Handler::hello());
            let _ = third.write_all(REQUEST).await;
            refused(&rest(&mut third).await, 503);
            assert_eq!(count(&rig, Counter::ConnectionsCrowded), 1);
            drop(clients);
            rig.station.meter.all_gone().await;
            let mut again = rig.connect(Handler::hello());
            again.write_all(REQUEST).await.unwrap();
            assert!(read_hello(&mut again).await.ends_with("hello"));
        },
    );
}

#[test]
fn a_peer_gets_its_share_whoever_else_is_there_and_the_machine_itself_any_number() {
    limited(
        |limits| limits.peer_connections = Some(3),
        async |rig| {
            let at = |address: &str| Endpoint::Tcp(address.parse::<SocketAddr>().unwrap());
            let enter = |address: &str| enter(&rig.station, at(address));
            let guests: Vec<_> = (0..3).map(|_| enter("192.0.2.1:9").unwrap()).collect();
            assert!(guests.iter().all(Option::is_some));
            assert_eq!(enter("192.0.2.1:10").unwrap_err(), Limit::PeerConnections);
            assert!(enter("192.0.2.2:9").is_ok());
            for _ in 0..10 {
                assert!(enter("127.0.0.1:9").unwrap().is_none());
                assert!(enter("[::1]:9").unwrap().is_none());
            }
            drop(guests);
            assert!(enter("192.0.2.1:10").is_ok());
        },
    );
}

#[test]
fn silent_connections_get_less_time_when_there_is_little_room() {
    limited(
        |limits| limits.worker_connections = Some(8),
        async |rig| {
            let mut idle = rig.connect(Handler::hello());
            idle.write_all(REQUEST).await.unwrap();
            read_hello(&mut idle).await;
            let mut others: Vec<_> = (0..7).map(|_| rig.connect(Handler::hello())).collect();
            let (full, least) = (KEEP_ALIVE, KEEP_ALIVE / 10);
            assert_eq!(rest(&mut idle).await, "");
            let elapsed = rig.elapsed();
            assert!(elapsed >= least && elapsed < full / 2, "{elapsed:?}");
            // With room again there is time again.
            others.truncate(3);
            let begun = rig.elapsed();
            sleep(Duration::from_millis(100)).await;
            assert_eq!(rest(&mut others[0]).await, "");
            assert!(rig.elapsed() >= begun + HEADER / 2, "{:?}", rig.elapsed());
        },
    );
}

#[test]
fn a_handshake_has_a_deadline_of_its_own() {
    limited(
        |limits| limits.handshake = 2 * SECOND,
        async |rig| {
            let mut client = rig.connect(Handler::hello());
            let connections = &rig.station.connections;
            connections.for_each(|connection| connection.pulse.handshake_begun());
            assert_eq!(rest(&mut client).await, "");
            assert!(rig.elapsed() >= 2 * SECOND && rig.elapsed() < 3 * SECOND);
            assert_eq!(count(&rig, Counter::HandshakeTimeouts), 1);
        },
    );
}
