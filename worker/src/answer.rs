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
