//! How a body ends that is too large or too slow, whatever its app does with it.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use brigade_config::Pace;
use brigade_shared::board::Counter;
use http::{Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{sleep, timeout};

use super::tests::{SECOND, count, limited, reader, talker};
use crate::body::{BodyFault, RequestBody};
use crate::rig::{Handler, Rig, read_hello};

const HEAD: &str = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
/// The rig's limits give a body so long for its first bytes.
const SPAN: u32 = 20;

async fn rest(client: &mut DuplexStream) -> String {
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap();
    text
}

/// Reads until an error and then goes on; writes down what came.
fn stubborn(seen: &Rc<RefCell<Vec<String>>>) -> Handler {
    let seen = Rc::clone(seen);
    Handler::new(move |request| {
        let seen = Rc::clone(&seen);
        async move {
            let mut body = request.into_body();
            let mut ends = 0;
            while ends < 3 {
                let words = match body.frame().await {
                    Some(Ok(frame)) => frame.into_data().unwrap().len().to_string(),
                    Some(Err(error)) => format!("{:?}", error.downcast_ref::<BodyFault>()),
                    None => {
                        ends += 1;
                        "end".to_owned()
                    }
                };
                seen.borrow_mut().push(words);
            }
            Ok(Response::new(Full::from("hello")))
        }
    })
}

#[test]
fn a_chunked_body_may_be_as_large_as_the_limit_and_not_a_byte_larger() {
    limited(
        |limits| limits.body = Some(1000),
        async |rig| {
            let chunks = |size: usize| {
                let whole = format!("3e7\r\n{}\r\n", "x".repeat(999));
                let rest = "1\r\nx\r\n".repeat(size - 999);
                format!("{HEAD}{whole}{rest}0\r\n\r\n")
            };
            let mut client = rig.connect(reader());
            client.write_all(chunks(1000).as_bytes()).await.unwrap();
            assert!(read_hello(&mut client).await.ends_with("1000 hello"));
            assert_eq!(count(&rig, Counter::BodiesTooLarge), 0);
            let _ = client.write_all(chunks(1001).as_bytes()).await;
            let answer = rest(&mut client).await;
            assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
            assert_eq!(count(&rig, Counter::BodiesTooLarge), 1);
        },
    );
}

#[test]
fn after_its_error_a_body_has_ended_whoever_asks_again() {
    limited(
        |limits| limits.body = Some(10),
        async |rig| {
            let seen = Rc::default();
            let mut client = rig.connect(stubborn(&seen));
            let large = format!("{HEAD}b\r\nhello hello\r\n5\r\nagain\r\n0\r\n\r\n");
            client.write_all(large.as_bytes()).await.unwrap();
            timeout(SECOND, read_hello(&mut client)).await.unwrap();
            let too_large = ["Some(TooLarge)", "end", "end", "end"];
            assert_eq!(seen.take(), too_large);

            let mut slow = rig.connect(stubborn(&seen));
            slow.write_all(format!("{HEAD}1\r\nx\r\n").as_bytes())
                .await
                .unwrap();
            let answer = timeout((SPAN + 1) * SECOND, read_hello(&mut slow));
            answer.await.expect("nothing more is waited for");
            assert_eq!(seen.take(), ["1", "Some(TooSlow)", "end", "end", "end"]);
        },
    );
}

/// Looks once whether there is more.
async fn glance(body: &mut RequestBody) {
    poll_fn(|task| {
        assert!(Pin::new(&mut *body).poll_frame(task).is_pending());
        Poll::Ready(())
    })
    .await;
}

/// Waits for long, then answers; the body is dropped before, or after.
fn thinker(is_dropped: bool) -> Handler {
    Handler::new(move |request| async move {
        let mut body = request.into_body();
        glance(&mut body).await;
        if is_dropped {
            drop(body);
            sleep(5 * SPAN * SECOND).await;
        } else {
            while body.frame().await.is_some() {}
            sleep(5 * SPAN * SECOND).await;
        }
        Ok(Response::new(Full::from("hello")))
    })
}

#[test]
fn who_has_all_of_a_body_or_wants_no_more_of_it_does_not_wait() {
    for is_dropped in [true, false] {
        limited(
            |_| {},
            async |rig| {
                let mut client = rig.connect(thinker(is_dropped));
                client.write_all(HEAD.as_bytes()).await.unwrap();
                sleep(SECOND).await;
                client.write_all(b"1\r\nx\r\n").await.unwrap();
                // The end comes by itself: it is waited for.
                sleep(SECOND).await;
                client.write_all(b"0\r\n\r\n").await.unwrap();
                assert!(read_hello(&mut client).await.ends_with("hello"));
                drop(client);
                rig.station.meter.all_gone().await;
                assert_eq!(count(&rig, Counter::BodyTimeouts), 0, "{is_dropped}");
            },
        );
    }
}

#[test]
fn who_goes_on_to_read_a_body_is_woken_and_not_who_began() {
    limited(
        |_| {},
        async |rig| {
            let is_told = Rc::new(Cell::new(false));
            let tells = Rc::clone(&is_told);
            let app = Handler::new(move |request| {
                let tells = Rc::clone(&tells);
                async move {
                    let mut body = request.into_body();
                    let nobody = &mut Context::from_waker(Waker::noop());
                    assert!(Pin::new(&mut body).poll_frame(nobody).is_pending());
                    let reading = tokio::task::spawn_local(async move { body.frame().await });
                    let frame = reading.await.unwrap();
                    tells.set(frame.is_some_and(|frame| frame.is_err()));
                    Ok(Response::new(Full::from("hello")))
                }
            });
            let mut client = rig.connect(app);
            client.write_all(HEAD.as_bytes()).await.unwrap();
            let answer = timeout((SPAN + 1) * SECOND, read_hello(&mut client));
            answer.await.expect("it is woken");
            assert!(is_told.get());
        },
    );
}

#[test]
fn the_first_line_counts_as_it_came_to_the_last_byte() {
    limited(
        |limits| (limits.request_line, limits.headers) = (200, 3),
        async |rig: Rig| {
            let ask = async |target: &str, fields: &str| {
                let mut client = rig.connect(Handler::hello());
                let line = format!("GET {target} HTTP/1.1");
                let head = format!("{line}\r\nhost: x\r\nconnection: close\r\n{fields}\r\n");
                client.write_all(head.as_bytes()).await.unwrap();
                let answer = rest(&mut client).await;
                (line.len(), answer[9..12].to_owned())
            };
            let long = |begin: &str, bytes: usize| {
                let rest = bytes - "GET  HTTP/1.1".len() - begin.len();
                format!("{begin}{}", "x".repeat(rest))
            };
            for begin in ["/", "http://x/", "http://x/?", "https://x:443/"] {
                let fits = ask(&long(begin, 200), "").await;
                assert_eq!(fits, (200, "200".to_owned()), "{begin}");
                let longer = ask(&long(begin, 201), "").await;
                assert_eq!(longer, (201, "414".to_owned()), "{begin}");
            }
            assert_eq!(ask("/", "a: b\r\n").await.1, "200", "three fields");
            assert_eq!(ask("/", "a: b\r\nc: d\r\n").await.1, "431");
        },
    );
}

/// A pace that everybody keeps, over a longer span.
const SLOWER: Pace = Pace {
    within: Duration::from_secs(60),
    rate: Some(1),
};

#[test]
fn bodies_have_their_own_pace() {
    limited(
        |limits| limits.write_pace = SLOWER,
        async |rig| {
            let mut client = rig.connect(reader());
            client.write_all(HEAD.as_bytes()).await.unwrap();
            let piece = format!("32\r\n{}\r\n", "x".repeat(50));
            let (mut rest, mut writer) = tokio::io::split(client);
            let sending = async {
                while writer.write_all(piece.as_bytes()).await.is_ok() {
                    sleep(SECOND).await;
                }
            };
            let mut answer = String::new();
            tokio::select! {
                () = sending => {}
                read = rest.read_to_string(&mut answer) => { read.unwrap(); }
                () = sleep(3 * SPAN * SECOND) => {}
            }
            assert!(rig.elapsed() < (SPAN + 2) * SECOND, "{:?}", rig.elapsed());
            assert_eq!(count(&rig, Counter::BodyTimeouts), 1);
        },
    );
}

#[test]
fn answers_have_their_own_pace() {
    limited(
        |limits| limits.body_pace = SLOWER,
        async |rig| {
            let mut client = rig.connect(talker(100_000));
            client
                .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                .await
                .unwrap();
            let reading = async {
                while client.read_exact(&mut [0; 10]).await.is_ok() {
                    sleep(SECOND).await;
                }
            };
            tokio::select! {
                () = reading => {}
                () = rig.station.meter.all_gone() => {}
                () = sleep(5 * SPAN * SECOND) => {}
            }
            assert!(
                rig.elapsed() <= (2 * SPAN + 1) * SECOND,
                "{:?}",
                rig.elapsed()
            );
            assert_eq!(count(&rig, Counter::WriteTimeouts), 1);
        },
    );
}

#[test]
fn an_apps_own_words_for_a_body_that_is_too_large_stand_unless_they_are_400_or_500() {
    limited(
        |limits| limits.body = Some(10),
        async |rig| {
            for (own, expected) in [(400, "413"), (500, "413"), (200, "200"), (422, "422")] {
                let app = Handler::new(move |request| async move {
                    assert!(request.into_body().collect().await.is_err());
                    let mut response = Response::new(Full::from("hello"));
                    *response.status_mut() = StatusCode::from_u16(own).unwrap();
                    Ok(response)
                });
                let mut client = rig.connect(app);
                let large = format!("{HEAD}b\r\nhello hello\r\n0\r\n\r\n");
                client.write_all(large.as_bytes()).await.unwrap();
                client.shutdown().await.unwrap();
                let answer = rest(&mut client).await;
                assert_eq!(&answer[9..12], expected, "{own}: {answer}");
            }
            assert_eq!(count(&rig, Counter::BodiesTooLarge), 4);
        },
    );
}
