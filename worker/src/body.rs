//! The body of a request, as it comes in.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::app::BoxError;
use crate::peer::Peer;
use crate::progress::{Over, Progress};
use crate::strict;

/// The body of a request as it comes in from the connection, piece by piece: what the app does not
/// read is not taken from the client.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Incoming,
    peer: Peer,
    /// What is looked at while it comes in, if there is anything to come.
    progress: Option<Arc<Progress>>,
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

impl RequestBody {
    pub(crate) fn new(incoming: Incoming, peer: Peer) -> Self {
        Self {
            incoming,
            peer,
            progress: None,
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

    /// From now on what comes in is told, and may not become too much.
    pub(crate) fn watch(&mut self, progress: Arc<Progress>) {
        self.progress = Some(progress);
    }

    fn look(&self, progress: &Progress, polled: Polled, task: &Context<'_>) -> Polled {
        let now = self.peer.now();
        match &polled {
            Poll::Pending => {
                progress.waits(task, now);
                // The sweeper may have looked a moment before.
                if progress.over() == Some(Over::Pace) {
                    progress.fail(now);
                    return Poll::Ready(Some(Err(BodyFault::TooSlow.into())));
                }
            }
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
                if !progress.came(bytes, now) {
                    progress.fail(now);
                    return Poll::Ready(Some(Err(BodyFault::TooLarge.into())));
                }
            }
            Poll::Ready(None | Some(Err(_))) => progress.waits_no_more(now),
        }
        polled
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, BoxError>>>;

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(progress) = &self.progress {
            progress.waits_no_more(self.peer.now());
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Polled {
        let this = &mut *self;
        if this
            .progress
            .as_ref()
            .is_some_and(|progress| progress.has_failed())
        {
            return Poll::Ready(None);
        }
        let frame = Pin::new(&mut this.incoming).poll_frame(task);
        let frame =
            frame.map(|frame| frame.map(|data| data.map(strict::unmarked).map_err(Into::into)));
        match &this.progress {
            Some(progress) => this.look(progress, frame, task),
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
