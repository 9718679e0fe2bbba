//! A body that comes bit by bit.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::time::{Instant, Sleep, sleep};

/// Chunks, with a pause before each.
#[derive(Debug)]
pub(super) struct Chunks {
    sent: u32,
    of: u32,
    pause: Duration,
    timer: Pin<Box<Sleep>>,
}

impl Chunks {
    pub(super) fn new(of: u32, pause: Duration) -> Self {
        Self {
            sent: 0,
            of,
            pause,
            timer: Box::pin(sleep(pause)),
        }
    }
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.sent == self.of {
            return Poll::Ready(None);
        }
        ready!(self.timer.as_mut().poll(task));
        let next = Instant::now() + self.pause;
        self.timer.as_mut().reset(next);
        self.sent += 1;
        let words = format!("chunk {} of {}\n", self.sent, self.of);
        Poll::Ready(Some(Ok(Frame::data(words.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.sent == self.of
    }
}

/// Events, with a pause before each, until the worker is to leave: then a last one says so, and the
/// client comes again, to somebody else.
pub(super) struct Events {
    sent: u32,
    pause: Duration,
    timer: Pin<Box<Sleep>>,
    /// None when the last one was sent.
    draining: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

impl Events {
    pub(super) fn new(
        pause: Duration,
        draining: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self {
            sent: 0,
            pause,
            timer: Box::pin(sleep(pause)),
            draining: Some(Box::pin(draining)),
        }
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(draining) = &mut self.draining else {
            return Poll::Ready(None);
        };
        let words = if draining.as_mut().poll(task).is_ready() {
            self.draining = None;
            "event: leaving\ndata: come again\n\n".to_owned()
        } else {
            ready!(self.timer.as_mut().poll(task));
            let next = Instant::now() + self.pause;
            self.timer.as_mut().reset(next);
            self.sent += 1;
            format!("data: event {}\n\n", self.sent)
        };
        Poll::Ready(Some(Ok(Frame::data(words.into()))))
    }
}

#[cfg(test)]
mod tests {
    use super::{Chunks, Events};
    use http_body_util::BodyExt;
    use std::time::Duration;
    use tokio::time::Instant;

    #[test]
    fn all_chunks_come_with_a_pause_before_each() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(Default::default())
            .unwrap();
        runtime.block_on(async {
            let begin = Instant::now();
            let chunks = Chunks::new(3, Duration::from_millis(2));
            let text = chunks.collect().await.unwrap().to_bytes();
            assert_eq!(text, "chunk 1 of 3\nchunk 2 of 3\nchunk 3 of 3\n");
            assert!(begin.elapsed() >= Duration::from_millis(6));
            let none = Chunks::new(0, Duration::from_secs(9)).collect().await;
            assert!(none.unwrap().to_bytes().is_empty());
        });
    }

    #[test]
    fn events_end_with_a_word_when_the_worker_is_to_leave() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(Default::default())
            .unwrap();
        runtime.block_on(async {
            let leave = tokio::time::sleep(Duration::from_millis(7));
            let events = Events::new(Duration::from_millis(2), leave);
            let text = events.collect().await.unwrap().to_bytes();
            let text = String::from_utf8_lossy(&text);
            assert!(text.starts_with("data: event 1\n\n"), "{text}");
            assert!(
                text.ends_with("event: leaving\ndata: come again\n\n"),
                "{text}"
            );
        });
    }
}
