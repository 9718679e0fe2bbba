//! From a request to its answer: the app's work, and what Brigade answers in its stead.
//!
//! ```text
//!            +-- not ready --> Waiting --+
//! request ---+                           +--> Working --> response, error or panic
//!            +---------- ready ----------+
//! ```

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::admit::refusals;
use crate::app::{App, BoxError};
use crate::body::RequestBody;
use crate::offload;
use crate::refusal::Refusal;
use crate::ticket::{Panicked, Ticket};

/// In HTTP/2 an answer is handed out in pieces of at most so many bytes, each when the client has room
/// for it: so a client that takes nothing is seen, and memory is not filled on its behalf.
pub(crate) const PIECE: usize = 16 << 10;

/// Why there is no response.
enum Fault<E> {
    Error(E),
    Panic,
    Refused(Refusal),
}

/// Begins to answer a request. Whatever the app does, there will be a response.
pub(crate) fn answer<A: App>(
    app: &A,
    request: Request<RequestBody>,
    ticket: Ticket,
) -> Answering<A> {
    let mut both = Some((app.clone(), request));
    // Written in place: it may be large, and each wall that it is handed through copies it.
    let mut step = Step::fail(Fault::Panic);
    let _ = ticket.work(|| Step::begin(&mut step, &mut both));
    Answering {
        step,
        ticket: Some(ticket),
    }
}

/// Answers in the app's stead, which does not hear of the request.
pub(crate) fn refuse<A: App>(refusal: Refusal, ticket: Ticket) -> Answering<A> {
    Answering {
        step: Step::fail(Fault::Refused(refusal)),
        ticket: Some(ticket),
    }
}

pin_project! {
    /// The work on one request.
    pub(crate) struct Answering<A: App> {
        #[pin]
        step: Step<A>,
        ticket: Option<Ticket>,
    }
}

pin_project! {
    #[project = StepProjected]
    enum Step<A: App> {
        Waiting { waiting: Option<Box<(A, Request<RequestBody>)>> },
        Working { #[pin] work: A::Answering },
        Failed { fault: Option<Fault<A::Error>> },
    }
}

impl<A: App> Step<A> {
    /// Nearly every app is always ready. So it is asked with nobody to wake, and the request need not
    /// be kept; one that is not ready is asked again.
    fn begin(step: &mut Self, both: &mut Option<(A, Request<RequestBody>)>) {
        let mut nobody = Context::from_waker(Waker::noop());
        let Some((mut app, request)) = both.take() else {
            return;
        };
        match app.poll_ready(&mut nobody) {
            Poll::Ready(Ok(())) => {
                let work = app.answer(request);
                *step = Self::Working { work };
            }
            Poll::Ready(Err(error)) => *step = Self::fail(Fault::Error(error)),
            Poll::Pending => {
                let waiting = Some(Box::new((app, request)));
                *step = Self::Waiting { waiting };
            }
        }
    }

    /// Asks an app again that was not ready.
    fn go_on_waiting(
        waiting: &mut Option<Box<(A, Request<RequestBody>)>>,
        task: &mut Context<'_>,
    ) -> Poll<Self> {
        let (app, _) = &mut **waiting.as_mut().expect("taken only to go on");
        if let Err(error) = ready!(app.poll_ready(task)) {
            return Poll::Ready(Self::fail(Fault::Error(error)));
        }
        let (mut app, request) = *waiting.take().expect("looked at above");
        let work = app.answer(request);
        Poll::Ready(Self::Working { work })
    }

    fn fail(fault: Fault<A::Error>) -> Self {
        Self::Failed { fault: Some(fault) }
    }
}

impl<A: App> Future for Answering<A> {
    type Output = Result<Response<Answer<A::Body>>, Infallible>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let ticket = this.ticket.as_ref().expect("not polled after its end");
        let is_too_long = ticket.is_too_long(task);
        let outcome = loop {
            if is_too_long {
                break Err(Fault::Refused(refusals::TOO_LONG));
            }
            let next = match this.step.as_mut().project() {
                StepProjected::Working { work } => {
                    let mut polled = Poll::Pending;
                    match ticket.work(|| polled = work.poll(task)) {
                        Ok(()) => break ready!(polled).map_err(Fault::Error),
                        Err(Panicked) => break Err(Fault::Panic),
                    }
                }
                StepProjected::Waiting { waiting } => {
                    match ticket.work(|| Step::go_on_waiting(waiting, task)) {
                        Ok(polled) => ready!(polled),
                        Err(Panicked) => Step::fail(Fault::Panic),
                    }
                }
                StepProjected::Failed { fault } => {
                    break Err(fault.take().unwrap_or(Fault::Panic));
                }
            };
            this.step.set(next);
        };
        let ticket = this.ticket.take().expect("looked at above");
        Poll::Ready(Ok(finish(outcome, ticket)))
    }
}

/// Makes the response: the app's, or one in its stead.
fn finish<B: Body, E: Into<BoxError>>(
    outcome: Result<Response<B>, Fault<E>>,
    mut ticket: Ticket,
) -> Response<Answer<B>> {
    let outcome = match ticket.broken_body() {
        Some(refusal) => Err(Fault::Refused(refusal)),
        None => outcome,
    };
    let (mut head, body, words) = match outcome {
        Ok(response) if !ticket.may_end_with(response.status()) => {
            ticket.failed(&format!("{} is no final status", response.status()));
            (Refusal::SORRY.head(), None, Refusal::SORRY.text)
        }
        Ok(response) => match ticket.overrule(Some(response.status())) {
            None => {
                let (head, body) = response.into_parts();
                (head, Some(body), "")
            }
            Some(refusal) => {
                ticket.refused(&refusal);
                (refusal.head(), None, refusal.text)
            }
        },
        Err(fault) => {
            let refusal = ticket.without_answer(fault);
            (refusal.head(), None, refusal.text)
        }
    };
    // An upgrade has a use of its own for this header, and is never followed by a request.
    if ticket.is_last() && head.status != StatusCode::SWITCHING_PROTOCOLS {
        let close = HeaderValue::from_static("close");
        head.headers.insert(CONNECTION, close);
    }
    let length = match &body {
        Some(body) => body.size_hint().exact(),
        None => Some(words.len() as u64),
    };
    ticket.answered(&mut head, length);
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        ticket.switches(&head.headers);
    }
    let rest = Bytes::from_static(words.as_bytes());
    let body = Answer { body, rest, ticket };
    Response::from_parts(head, body)
}

impl Ticket {
    /// A piece of it, which then waits for the client.
    fn hand_out(&self, rest: &mut Bytes) -> Frame<Bytes> {
        let piece = rest.split_to(rest.len().min(PIECE));
        self.handed(piece.len());
        Frame::data(piece)
    }

    /// The first piece of what came from the app, where answers are handed out in pieces.
    fn first_piece(
        &self,
        frame: Option<Result<Frame<Bytes>, BoxError>>,
        rest: &mut Bytes,
    ) -> Option<Result<Frame<Bytes>, BoxError>> {
        match frame {
            Some(Ok(frame)) if self.is_in_pieces() => Some(Ok(match frame.into_data() {
                Ok(data) => {
                    *rest = data;
                    self.hand_out(rest)
                }
                Err(frame) => frame,
            })),
            other => other,
        }
    }

    /// What the client gets when the app has no response.
    #[cold]
    fn without_answer<E: Into<BoxError>>(&mut self, fault: Fault<E>) -> Refusal {
        if let (Fault::Error(_), Some(refusal)) = (&fault, self.overrule(None)) {
            self.refused(&refusal);
            return refusal;
        }
        match fault {
            Fault::Panic => Refusal::SORRY,
            Fault::Error(error) => {
                let error = error.into();
                match offload::Error::within(&error) {
                    // Counted and told where it was refused, and not once more for each request.
                    Some(overload) if overload.is_overload() => overload.refusal(),
                    _ => {
                        self.failed(&error.to_string());
                        Refusal::SORRY
                    }
                }
            }
            Fault::Refused(refusal) => {
                self.refused(&refusal);
                refusal
            }
        }
    }
}

pin_project! {
    /// The body of an answer. Its end is the end of the request.
    pub(crate) struct Answer<B> {
        // None: the app had no response, and words stand for it.
        #[pin]
        body: Option<B>,
        // What is still to be handed out: the words, or the last piece of the app's.
        rest: Bytes,
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
        let Some(body) = this.body.as_pin_mut() else {
            let words = std::mem::take(this.rest);
            this.ticket.sent(Some(words.len()));
            return Poll::Ready((!words.is_empty()).then(|| Ok(Frame::data(words))));
        };
        if this.ticket.is_too_long(task) {
            return Poll::Ready(Some(Err("the request has taken too long".into())));
        }
        if this.ticket.is_in_pieces() {
            this.ticket.asked();
            if !this.rest.is_empty() {
                return Poll::Ready(Some(Ok(this.ticket.hand_out(this.rest))));
            }
        }
        match this.ticket.work(|| body.poll_frame(task)) {
            Ok(polled) => polled.map(|frame| {
                this.ticket.sent(match &frame {
                    Some(Ok(frame)) => Some(frame.data_ref().map_or(0, Bytes::len)),
                    Some(Err(_)) => Some(0),
                    None => None,
                });
                let frame = frame.map(|data| data.map_err(Into::into));
                this.ticket.first_piece(frame, this.rest)
            }),
            // The head is out: all that is left is to break off.
            Err(panicked) => Poll::Ready(Some(Err(panicked.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Some(body) => body.size_hint(),
            None => SizeHint::with_exact(self.rest.len() as u64),
        }
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
    fn an_overload_of_the_threads_is_a_503_with_a_time_and_no_error_of_the_app() {
        Rig::paused(async |rig| {
            let full = Handler::failing(|| Box::new(crate::offload::Error::Full));
            let mut client = rig.connect(full);
            client.write_all(LAST).await.unwrap();
            let text = all(client).await;
            assert!(text.starts_with("HTTP/1.1 503"), "{text}");
            assert!(text.contains("retry-after: 1\r\n"), "{text}");
            assert_eq!(rig.row().counts.get(Counter::AppErrors), 0);
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
