//! From a request to its answer: the app's work, and what Brigade answers in its stead.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{Either, Full};
use pin_project_lite::pin_project;

use crate::app::{App, BoxError, RequestBody};
use crate::ticket::{Panicked, Ticket};

/// Answers one request. Whatever the app does, there is a response.
pub(crate) async fn answer<A: App>(
    mut app: A,
    request: Request<RequestBody>,
    mut ticket: Ticket,
) -> Result<Response<Answer<A::Body>>, Infallible> {
    let mut response = match work(&mut app, request, &ticket).await {
        Ok(Ok(response)) => response.map(Either::Left),
        Ok(Err(error)) => {
            ticket.failed(&error.into().to_string());
            sorry()
        }
        Err(Panicked) => sorry(),
    };
    if ticket.is_last() {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    ticket.answered(response.status());
    Ok(response.map(|body| Answer { body, ticket }))
}

/// Polls the app in sight of the scoreboard, and lives through its panics.
async fn work<A: App>(
    app: &mut A,
    request: Request<RequestBody>,
    ticket: &Ticket,
) -> Result<Result<Response<A::Body>, A::Error>, Panicked> {
    let ready = poll_fn(|task| lift(ticket.work(|| app.poll_ready(task))));
    if let Err(error) = ready.await? {
        return Ok(Err(error));
    }
    let mut answering = pin!(ticket.work(|| app.answer(request))?);
    poll_fn(|task| lift(ticket.work(|| answering.as_mut().poll(task)))).await
}

/// A panic ends the waiting.
fn lift<T>(outcome: Result<Poll<T>, Panicked>) -> Poll<Result<T, Panicked>> {
    match outcome {
        Ok(poll) => poll.map(Ok),
        Err(panicked) => Poll::Ready(Err(panicked)),
    }
}

/// What the client gets when the app has no response.
fn sorry<B>() -> Response<Either<B, Full<Bytes>>> {
    let words = Bytes::from_static(b"Internal Server Error\n");
    let mut response = Response::new(Either::Right(Full::new(words)));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}

pin_project! {
    /// The body of an answer. Its end is the end of the request.
    #[derive(Debug)]
    pub(crate) struct Answer<B> {
        #[pin]
        body: Either<B, Full<Bytes>>,
        ticket: Ticket,
    }
}

impl<B> Body for Answer<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        match lift(this.ticket.work(|| this.body.poll_frame(task))) {
            Poll::Ready(Ok(frame)) => Poll::Ready(frame),
            // The head is out: all that is left is to break off.
            Poll::Ready(Err(panicked)) => Poll::Ready(Some(Err(panicked.into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use crate::rig::{Handler, Rig, read_hello};
    use brigade_shared::board::{Counter, LoopState};
    use http::Response;
    use http_body_util::Full;
    use std::cell::RefCell;
    use std::rc::Rc;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    const REQUEST: &[u8] = b"GET /soup?hot=1 HTTP/1.1\r\nhost: x\r\n\r\n";
    const LAST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

    async fn all(mut client: DuplexStream) -> String {
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        text
    }

    #[test]
    fn a_handler_that_panics_or_fails_costs_its_request_a_500_and_nothing_else() {
        Rig::paused(async |rig| {
            crate::panic::listen();
            let mut requests = 0;
            let moody = Handler::new(move |_| {
                requests += 1;
                assert!(requests != 1, "not in the mood");
                async move {
                    match requests {
                        2 => Err("no salt".to_owned()),
                        3 => panic!("later, and even so"),
                        _ => Ok(Response::new(Full::from("hello"))),
                    }
                }
            });
            let mut client = rig.connect(moody);
            for request in [REQUEST, REQUEST, REQUEST, LAST] {
                client.write_all(request).await.unwrap();
            }
            let text = all(client).await;
            assert_eq!(text.matches("HTTP/1.1 500").count(), 3, "{text}");
            assert!(text.ends_with("hello"), "{text}");
            let counts = rig.row().counts;
            assert_eq!(counts.get(Counter::Panics), 2);
            assert_eq!(counts.get(Counter::AppErrors), 1);
            assert_eq!(counts.get(Counter::ServerError), 3);
            assert_eq!(counts.get(Counter::Success), 1);
        });
    }

    #[test]
    fn the_board_shows_the_request_while_the_loop_works_on_it_and_only_then() {
        Rig::paused(async |rig| {
            let station = Rc::clone(&rig.station);
            let readings = Rc::new(RefCell::new(Vec::new()));
            let seen = Rc::clone(&readings);
            let app = Handler::new(move |_| {
                let (row, seen) = (station.meter.row, Rc::clone(&seen));
                async move {
                    let look = || row.read().unwrap();
                    let first = look();
                    let other = tokio::task::spawn_local(async move { row.read().unwrap() });
                    let between = other.await.unwrap();
                    seen.borrow_mut().extend([first, between, look()]);
                    Ok(Response::new(Full::from("hello")))
                }
            });
            let mut client = rig.connect(app);
            client.write_all(REQUEST).await.unwrap();
            let answer = read_hello(&mut client).await;

            for (index, reading) in readings.borrow().iter().enumerate() {
                assert_ne!(reading.loop_state, LoopState::Parked);
                assert_eq!(reading.requests, 1);
                let path = reading.request.as_ref().map(|request| &*request.path);
                assert_eq!(path, [Some("/soup"), None, Some("/soup")][index]);
            }
            assert_eq!(readings.borrow().len(), 3);
            let row = rig.row();
            assert_eq!((row.requests, row.connections), (0, 1));
            assert_eq!(row.counts.latency.count(), 1);
            assert_eq!(row.counts.get(Counter::BytesIn), REQUEST.len() as u64);
            assert_eq!(row.counts.get(Counter::BytesOut), answer.len() as u64);
        });
    }

    #[test]
    fn a_client_that_leaves_takes_its_request_with_it() {
        Rig::paused(async |rig| {
            let mut client = rig.connect(Handler::new(async |_| std::future::pending().await));
            client.write_all(REQUEST).await.unwrap();
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            assert_eq!(rig.row().requests, 1);
            drop(client);
            rig.station.meter.all_gone().await;
            let row = rig.row();
            assert_eq!((row.requests, row.connections), (0, 0));
            assert_eq!(row.counts.get(Counter::Unanswered), 1);
        });
    }
}
