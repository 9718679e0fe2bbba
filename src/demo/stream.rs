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

#[cfg(test)]
mod tests {
    use super::Chunks;
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
}
