//! The same limits in HTTP/2, where they hold for streams and the connection stays.

use super::tests::{SECOND, count, limited, reader, sleeper, talker};
use crate::rig::{Handler, Rig};
use brigade_shared::board::Counter;
use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use http::Request;
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::task::spawn_local;
use tokio::time::sleep;

type Client = SendRequest<Bytes>;

/// A client whose streams have room for so many bytes, and its connection for many.
async fn connect(rig: &Rig, app: Handler, window: u32) -> Client {
    let mut builder = Builder::new();
    builder
        .initial_window_size(window)
        .initial_connection_window_size(1 << 30);
    let handshake = builder.handshake::<DuplexStream, Bytes>(rig.connect(app));
    let (client, connection) = handshake.await.unwrap();
    spawn_local(connection);
    client
}

async fn get(client: &Client) -> ResponseFuture {
    send(client, "/", true).await.0
}

async fn post(client: &Client) -> (ResponseFuture, SendStream<Bytes>) {
    send(client, "/", false).await
}

async fn send(client: &Client, path: &str, ends: bool) -> (ResponseFuture, SendStream<Bytes>) {
    let mut client = client.clone().ready().await.unwrap();
    let request = Request::get(format!("http://x{path}")).body(()).unwrap();
    client.send_request(request, ends).unwrap()
}

async fn status(answer: ResponseFuture) -> u16 {
    answer.await.unwrap().status().as_u16()
}

/// Takes so many bytes a second; says how many came in all, and how it ended.
async fn take(mut body: RecvStream, pace: usize) -> (usize, Option<Reason>) {
    let mut all = 0;
    loop {
        match body.data().await {
            Some(Ok(data)) => {
                all += data.len();
                let mut held = data.len();
                while held > 0 {
                    sleep(SECOND).await;
                    let part = held.min(pace);
                    body.flow_control().release_capacity(part).unwrap();
                    held -= part;
                }
            }
            Some(Err(error)) => return (all, error.reason()),
            None => return (all, None),
        }
    }
}

#[test]
fn a_client_that_takes_nothing_of_an_answer_loses_it_and_keeps_the_others() {
    limited(
        |_| {},
        async |rig| {
            let client = connect(&rig, talker(1_000_000), 20_000).await;
            let mut stalled = get(&client).await.await.unwrap().into_body();
            while stalled.data().await.is_some_and(|data| data.is_ok()) {}
            // Its piece had the time that it takes at the least pace, a hundred bytes a second.
            let most = 2 * Duration::from_secs(164) + SECOND;
            assert!(
                rig.elapsed() >= 100 * SECOND && rig.elapsed() < most,
                "{:?}",
                rig.elapsed()
            );
            assert_eq!(count(&rig, Counter::WriteTimeouts), 1);
            assert_eq!(rig.row().requests, 0);
            let other = get(&client).await.await.unwrap().into_body();
            assert_eq!(take(other, 20_000).await, (1_000_000, None));
        },
    );
}

#[test]
fn a_client_that_takes_its_answer_slowly_gets_all_of_it() {
    limited(
        |_| {},
        async |rig| {
            let client = connect(&rig, talker(100_000), 1000).await;
            let body = get(&client).await.await.unwrap().into_body();
            assert_eq!(take(body, 210).await, (100_000, None));
            assert!(rig.elapsed() > 400 * SECOND);
            assert_eq!(count(&rig, Counter::WriteTimeouts), 0);
        },
    );
}

#[test]
fn bodies_of_streams_have_to_keep_the_pace_and_their_size() {
    limited(
        |limits| limits.body = Some(1000),
        async |rig| {
            let client = connect(&rig, reader(), 20_000).await;
            let (answer, _body) = post(&client).await;
            let begun = rig.elapsed();
            assert_eq!(status(answer).await, 408);
            assert!(rig.elapsed() - begun >= 20 * SECOND);
            let (answer, mut body) = post(&client).await;
            body.send_data(Bytes::from(vec![b'x'; 1001]), false)
                .unwrap();
            assert_eq!(status(answer).await, 413);
            let (answer, mut body) = post(&client).await;
            body.send_data(Bytes::from(vec![b'x'; 1000]), true).unwrap();
            assert_eq!(status(answer).await, 200);
            assert_eq!(count(&rig, Counter::BodyTimeouts), 1);
            assert_eq!(count(&rig, Counter::BodiesTooLarge), 1);
        },
    );
}

#[test]
fn a_stream_over_its_time_is_answered_or_reset() {
    limited(
        |limits| limits.request = Some(3 * SECOND),
        async |rig| {
            let client = connect(&rig, sleeper(60 * SECOND), 20_000).await;
            assert_eq!(status(get(&client).await).await, 503);
            assert!(rig.elapsed() < 4 * SECOND);
            let client = connect(&rig, talker(1_000_000), 20_000).await;
            let body = get(&client).await.await.unwrap().into_body();
            let (taken, reason) = take(body, 1000).await;
            assert!(taken < 100_000);
            assert_eq!(reason, Some(Reason::CANCEL));
            assert!(rig.elapsed() < 40 * SECOND);
            assert_eq!(count(&rig, Counter::RequestTimeouts), 2);
        },
    );
}

#[test]
fn one_connection_with_many_streams_does_not_take_the_room_of_others() {
    limited(
        |limits| limits.concurrency = Some(8),
        async |rig| {
            let greedy = connect(&rig, sleeper(10 * SECOND), 20_000).await;
            let modest = connect(&rig, sleeper(SECOND), 20_000).await;
            let mut answers = Vec::new();
            for _ in 0..20 {
                answers.push(get(&greedy).await);
            }
            let refused = || count(&rig, Counter::RequestsCrowded);
            // Paused time: this waits for tasks, and only a fault lets it run out.
            for _ in 0..1000 {
                if refused() < 14 {
                    sleep(Duration::from_millis(1)).await;
                }
            }
            assert_eq!(refused(), 14);
            assert_eq!(status(get(&modest).await).await, 200);
            let mut statuses = Vec::new();
            for answer in answers {
                statuses.push(status(answer).await);
            }
            assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 6);
            assert_eq!(statuses.iter().filter(|status| **status == 503).count(), 14);
        },
    );
}

/// The status of the answer to a request with so many fields, each so long.
async fn with_fields(client: &Client, count: usize, length: usize) -> u16 {
    let mut ready = client.clone().ready().await.unwrap();
    let mut request = Request::get("http://x/");
    for _ in 0..count {
        request = request.header("a", "x".repeat(length));
    }
    let request = request.body(()).unwrap();
    let (answer, _) = ready.send_request(request, true).unwrap();
    status(answer).await
}

#[test]
fn heads_of_streams_have_their_limits() {
    limited(
        |limits| {
            limits.request_line = 200;
            limits.headers = 10;
            limits.header_size = 2000;
        },
        async |rig| {
            let client = connect(&rig, Handler::hello(), 20_000).await;
            let path = format!("/{}", "x".repeat(200));
            assert_eq!(status(send(&client, &path, true).await.0).await, 414);
            // What the line and the pseudo-fields take of the limit.
            let others = "GET http://x/ HTTP/1.1:method:scheme:authority:path".len() + 4 * 32;
            let (just, long) = (2000 - others - 33, 2000 - others - 32);
            for (count, length, expected) in [(10, 9, 200), (11, 1, 431), (1, just, 200)] {
                assert_eq!(with_fields(&client, count, length).await, expected);
            }
            assert_eq!(self::count(&rig, Counter::HeadsTooLarge), 1);
            // The last of them is too large for h2, which answers it and tells nobody.
            for (length, counted) in [(long, 2), (3500, 3), (4100, 3)] {
                assert_eq!(with_fields(&client, 1, length).await, 431);
                assert_eq!(self::count(&rig, Counter::HeadsTooLarge), counted);
            }
            assert_eq!(status(get(&client).await).await, 200);
        },
    );
}
