//! The service as its clients see it: over HTTP/2 without TLS, with trailers.

#[path = "../../tests/run/example.rs"]
mod example;

use example::{Example, binary};
use grpc::greeter::greeter_client::GreeterClient;
use grpc::greeter::{Limit, Name, Number};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tonic::{Code, Status};

/// A client on one connection, for as long as the test runs.
macro_rules! client {
    ($example:expr) => {{
        let stream = $example.connect();
        stream.set_nonblocking(true).unwrap();
        let stream = TokioIo::new(TcpStream::from_std(stream).unwrap());
        let (sender, line) = http2::handshake(TokioExecutor::new(), stream)
            .await
            .unwrap();
        tokio::spawn(line);
        let service = tower::service_fn(move |request| sender.clone().send_request(request));
        let origin = format!("http://{}", $example.address).parse().unwrap();
        GreeterClient::with_origin(service, origin)
    }};
}

fn with_runtime(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_io().build().unwrap().block_on(test);
}

#[test]
fn calls_are_answered_and_refused_with_a_status() {
    let example = Example::start(binary!("grpc"), &["--workers", "1"]);
    with_runtime(async {
        let mut client = client!(example);
        let greeting = client.say_hello(Name { name: "Ann".into() }).await.unwrap();
        assert_eq!(greeting.into_inner().words, "Hello Ann, this is worker 0");
        let nobody: Status = client.say_hello(Name::default()).await.unwrap_err();
        assert_eq!(nobody.code(), Code::InvalidArgument);
        assert_eq!(nobody.message(), "nobody has no name");
    });
    example.stop();
}

#[test]
fn many_calls_share_a_connection_and_streams_come_whole() {
    let example = Example::start(binary!("grpc"), &["--workers", "1"]);
    with_runtime(async {
        let client = client!(example);
        let last = 20_000;
        let calls: Vec<_> = (0..5)
            .map(|_| {
                let mut client = client.clone();
                tokio::spawn(async move {
                    let answer = client.count(Limit { last }).await.unwrap();
                    let mut numbers = answer.into_inner();
                    let mut next = 1;
                    while let Some(Number { number }) = numbers.message().await.unwrap() {
                        assert_eq!(number, next);
                        next += 1;
                    }
                    assert_eq!(next, last + 1);
                    // The status came as a trailer.
                    assert!(numbers.trailers().await.unwrap().is_some());
                })
            })
            .collect();
        for call in calls {
            call.await.unwrap();
        }
    });
    example.stop();
}
