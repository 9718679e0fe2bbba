//! The body of a request, as it comes in.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::app::BoxError;
use crate::meter::Meter;
use crate::peer::Peer;
use crate::progress::{Over, Progress};
use crate::strict;

/// The body of a request as it comes in from the connection, piece by piece: what the app does not
/// read is not taken from the client.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Incoming,
    peer: Peer,
    watch: Option<Watch>,
}

/// Why a body has no end, as the error of [`RequestBody`] (`error.downcast_ref::<BodyFault>()`).
/// Whatever an app makes of it, the client gets a 413 or a 408 in place of a 400 or a 500.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum BodyFault {
    /// It is larger than `limit-body`.
    TooLarge,
    /// The client sends it more slowly than `min-rate-body`.
    TooSlow,
}

impl fmt::Display for BodyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the body is larger than allowed",
            Self::TooSlow => "the body comes too slowly",
        })
    }
}

impl std::error::Error for BodyFault {}

/// What is looked at while a body comes in.
#[derive(Debug)]
struct Watch {
    progress: Arc<Progress>,
    most: u64,
    meter: &'static Meter,
    has_failed: bool,
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming, peer: Peer) -> Self {
        Self {
            incoming,
            peer,
            watch: None,
        }
    }

    /// Who sent the request.
    ///
    /// ```
    /// use brigade_worker::RequestBody;
    ///
    /// fn greet(request: &http::Request<RequestBody>) -> String {
    ///     match request.body().peer().client_ip() {
    ///         Some(ip) => format!("hello, {ip}"),
    ///         None => "hello, neighbour".to_owned(),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// A trusted proxy knows better who sent it.
    pub(crate) fn introduce(&mut self, peer: Peer) {
        self.peer = peer;
    }

    /// From now on it may not become larger than `most`, and what comes in is told.
    pub(crate) fn watch(&mut self, progress: Arc<Progress>, most: u64, meter: &'static Meter) {
        self.watch = Some(Watch {
            progress,
            most,
            meter,
            has_failed: false,
        });
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, BoxError>>>;

impl Watch {
    fn look(&mut self, polled: Polled, task: &Context<'_>) -> Polled {
        let now = self.meter.clock.last();
        match &polled {
            Poll::Pending => {
                self.progress.waits(task, now);
                // The sweeper may have looked a moment before.
                if self.progress.over() == Some(Over::Pace) {
                    return self.fail(BodyFault::TooSlow);
                }
            }
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
                if self.progress.came(bytes, now) > self.most {
                    self.progress.end(Over::Size);
                    return self.fail(BodyFault::TooLarge);
                }
            }
            Poll::Ready(None | Some(Err(_))) => self.progress.waits_no_more(now),
        }
        polled
    }

    fn fail(&mut self, fault: BodyFault) -> Polled {
        self.has_failed = true;
        self.progress.waits_no_more(self.meter.clock.last());
        Poll::Ready(Some(Err(fault.into())))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.progress.waits_no_more(self.meter.clock.last());
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if this.watch.as_ref().is_some_and(|watch| watch.has_failed) {
            return Poll::Ready(None);
        }
        let frame = Pin::new(&mut this.incoming).poll_frame(task);
        let frame =
            frame.map(|frame| frame.map(|data| data.map(strict::unmarked).map_err(Into::into)));
        match &mut this.watch {
            Some(watch) => watch.look(frame, task),
            None => frame,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
