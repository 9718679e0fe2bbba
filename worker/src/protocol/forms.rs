//! What HTTP asks of a server beside requests and answers, shown one by one.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use brigade_shared::board::Counter;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::body::RequestBody;
use crate::function::service_fn;
use crate::rig::{Handler, Rig};

/// What comes back for these bytes, until the connection is closed.
async fn said(rig: &Rig, app: Handler, request: &str) -> String {
    let mut client = rig.connect(app);
    client.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Answers with what it was asked for.
fn parrot() -> Handler {
    Handler::new(async |request| {
        let (method, uri) = (request.method(), request.uri());
        let said = format!("{method} {:?} {}", uri.host(), uri.path());
        Ok(Response::new(Full::from(said)))
    })
}

/// Reads the whole body and sends it back.
fn echo() -> Handler {
    Handler::new(async |request| {
        let body = request.into_body().collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        Ok(Response::new(Full::from(body)))
    })
}

#[test]
fn a_target_may_be_a_whole_url_or_an_asterisk() {
    Rig::paused(async |rig| {
        let proxied = "GET http://shop.test/soup?hot=1 HTTP/1.1\r\nhost: shop.test\r\n\
                       connection: close\r\n\r\n";
        let answer = said(&rig, parrot(), proxied).await;
        assert!(
            answer.ends_with("GET Some(\"shop.test\") /soup"),
            "{answer}"
        );
        let whole = "OPTIONS * HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n";
        let answer = said(&rig, parrot(), whole).await;
        assert!(answer.ends_with("OPTIONS None *"), "{answer}");
    });
}

#[test]
fn who_waits_to_be_told_to_continue_is_told_when_the_app_wants_the_body() {
    Rig::paused(async |rig| {
        let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\
                    expect: 100-continue\r\nconnection: close\r\n\r\n";
        let mut client = rig.connect(echo());
        client.write_all(head.as_bytes()).await.unwrap();
        let mut interim = [0; 25];
        client.read_exact(&mut interim).await.unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        client.write_all(b"hello").await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("hello"),
            "{answer}"
        );

        // An app that does not want it answers at once, and the body can't be mistaken for a
        // request: the connection ends.
        let keeping = head.replace("connection: close\r\n", "");
        let answer = said(&rig, parrot(), &keeping).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert!(answer.ends_with("POST None /"), "{answer}");
    });
}

#[test]
fn the_answer_to_head_has_the_length_of_the_body_and_no_body() {
    Rig::paused(async |rig| {
        let requests = "HEAD / HTTP/1.1\r\nhost: x\r\n\r\n\
                        GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let answers = said(&rig, Handler::hello(), requests).await;
        let (head, rest) = answers.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("content-length: 5"), "{answers}");
        assert!(
            rest.starts_with("HTTP/1.1 200 OK") && rest.ends_with("hello"),
            "{answers}"
        );
    });
}

#[test]
fn every_answer_has_a_date_and_the_last_one_says_that_it_is() {
    Rig::paused(async |rig| {
        let failing = Handler::new(async |_| Err("no salt".to_owned()));
        for (app, version) in [
            (Handler::hello(), "1.1"),
            (failing, "1.1"),
            (parrot(), "1.0"),
        ] {
            let request = format!("GET / HTTP/{version}\r\nhost: x\r\nconnection: close\r\n\r\n");
            let answer = said(&rig, app, &request).await;
            let date = answer.lines().find_map(|line| line.strip_prefix("date: "));
            let date = date.unwrap_or_else(|| panic!("{answer}"));
            // Sun, 06 Nov 1994 08:49:37 GMT
            assert!(date.len() == 29 && date.ends_with(" GMT"), "{date}");
            assert!(
                version == "1.0" || answer.contains("connection: close"),
                "{answer}"
            );
        }
    });
}

#[test]
fn http_1_0_closes_unless_it_is_asked_to_stay() {
    Rig::paused(async |rig| {
        let answer = said(&rig, Handler::hello(), "GET / HTTP/1.0\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.0 200 OK"), "{answer}");
        let requests = "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n";
        let answers = said(&rig, Handler::hello(), requests).await;
        assert_eq!(answers.matches("hello").count(), 2, "{answers}");
        assert!(answers.contains("connection: keep-alive"), "{answers}");
    });
}

#[test]
fn an_interim_status_is_no_answer_and_costs_its_request_a_500_and_nothing_else() {
    Rig::paused(async |rig| {
        let app = Handler::new(async |request| {
            let mut response = Response::new(Full::from("hello"));
            if request.uri().path() == "/hints" {
                *response.status_mut() = StatusCode::from_u16(103).unwrap();
            }
            Ok(response)
        });
        let requests = "GET /hints HTTP/1.1\r\nhost: x\r\n\r\n\
                        GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let answers = said(&rig, app, requests).await;
        assert!(answers.starts_with("HTTP/1.1 500"), "{answers}");
        assert!(answers.ends_with("hello"), "{answers}");
        assert_eq!(rig.row().counts.get(Counter::AppErrors), 1);
    });
}

/// Ends with trailers.
#[derive(Default)]
struct Checked {
    sent: u8,
}

impl Body for Checked {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.sent += 1;
        Poll::Ready(match self.sent {
            1 => Some(Ok(Frame::data(Bytes::from_static(b"hello")))),
            2 => {
                let mut trailers = HeaderMap::new();
                trailers.insert("sum", HeaderValue::from_static("42"));
                Some(Ok(Frame::trailers(trailers)))
            }
            _ => None,
        })
    }
}

#[test]
fn trailers_reach_the_app_and_the_client() {
    Rig::paused(async |rig| {
        let app = service_fn(async |request: Request<RequestBody>| {
            assert_eq!(request.method(), Method::POST);
            let body = request.into_body().collect().await.unwrap();
            let trailers = body.trailers().expect("some came").clone();
            assert_eq!(trailers["sum"], "41");
            let mut response = Response::new(Checked::default());
            let announced = HeaderValue::from_static("sum");
            response.headers_mut().insert("trailer", announced);
            Ok::<_, Infallible>(response)
        });
        let mut client = rig.connect(app);
        let request = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nte: trailers\r\n\
                       connection: close\r\n\r\n5\r\nhello\r\n0\r\nsum: 41\r\n\r\n";
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.ends_with("5\r\nhello\r\n0\r\nsum: 42\r\n\r\n"),
            "{answer}"
        );
    });
}

#[test]
fn an_upgrade_is_the_apps_from_its_101_on() {
    Rig::paused(async |rig| {
        let app = Handler::new(async |mut request| {
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::task::spawn_local(async move {
                let upgraded = upgrade.await.unwrap();
                let mut stream = hyper_util::rt::TokioIo::new(upgraded);
                let mut word = [0; 5];
                stream.read_exact(&mut word).await.unwrap();
                stream.write_all(&word).await.unwrap();
            });
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let headers = response.headers_mut();
            headers.insert("connection", HeaderValue::from_static("upgrade"));
            headers.insert("upgrade", HeaderValue::from_static("parrot"));
            Ok(response)
        });
        let request =
            "GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: parrot\r\n\r\nhello";
        let answer = said(&rig, app, request).await;
        assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
        assert_eq!(rig.row().counts.get(Counter::Informational), 1);
    });
}
