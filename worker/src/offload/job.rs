//! A job as its owner sees it: a future of its result.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until};

use super::error::Error;
use super::pool::{JobId, Pool};
use crate::panic;

/// How long a job may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Patience {
    /// To be begun.
    pub(super) wait: Duration,
    /// To be done, from the call.
    pub(super) whole: Duration,
}

/// Something that is done beside the event loop, by [`blocking`](super::blocking) or
/// [`cpu`](super::cpu): the future of its result. It was put into the queue when it was made, so two
/// of them that are awaited one after the other are still done at the same time.
///
/// Dropped while it waits for a thread, it is never run. Dropped while it runs, it goes on and its
/// result is dropped: a thread can't be stopped from outside. Both are counted.
///
/// Its deadlines are tokio's, so it has to be awaited inside a runtime with a clock: that of a
/// worker, or of a test with `enable_all()`. A test that stops tokio's clock lets them pass at once.
#[must_use = "dropped before it was begun, it is never run"]
#[derive(Debug)]
pub struct Job<T> {
    state: State<T>,
    patience: Patience,
    since: Instant,
    alarm: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug)]
enum State<T> {
    Refused(Error),
    Submitted {
        pool: Arc<Pool>,
        id: JobId,
        result: oneshot::Receiver<Result<T, String>>,
    },
    Over,
}

impl<T: Send + 'static> Job<T> {
    /// Puts `function` into the queue of a pool.
    pub(super) fn submit(
        pool: &Arc<Pool>,
        patience: Patience,
        function: impl FnOnce() -> T + Send + 'static,
    ) -> Self {
        let (done, result) = oneshot::channel();
        let work = pool.submit(Box::new(move |tally| {
            let outcome = panic::catch(function);
            if outcome.is_err() {
                tally.panicked();
            }
            if done.send(outcome).is_err() {
                tally.abandoned();
            }
        }));
        let state = match work {
            Ok(id) => State::Submitted {
                pool: Arc::clone(pool),
                id,
                result,
            },
            Err(error) => State::Refused(error),
        };
        Self {
            state,
            patience,
            since: Instant::now(),
            alarm: None,
        }
    }
}

impl<T> Job<T> {
    /// Other deadlines than those of the configuration: from the call it may wait for a thread, and
    /// be done, for at most `whole`. To be said before it is awaited.
    ///
    /// ```
    /// use std::time::Duration;
    /// use brigade_worker::offload;
    ///
    /// # async fn example() -> Result<(), offload::Error> {
    /// let lookup = offload::blocking(|| std::net::ToSocketAddrs::to_socket_addrs("localhost:80"));
    /// let found = lookup.within(Duration::from_secs(2)).await?;
    /// # Ok(()) }
    /// ```
    pub fn within(mut self, whole: Duration) -> Self {
        self.patience = Patience { wait: whole, whole };
        self.alarm = None;
        self
    }

    /// Looks at the deadlines: the error if one of them has passed.
    fn overdue(&mut self, task: &mut Context<'_>) -> Poll<Error> {
        let (patience, since) = (self.patience, self.since);
        let first = since + patience.wait.min(patience.whole);
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(first)));
        loop {
            std::task::ready!(alarm.as_mut().poll(task));
            let State::Submitted { pool, id, .. } = &self.state else {
                return Poll::Pending;
            };
            let last = since + patience.whole;
            if pool.withdraw(*id) {
                pool.tally.late();
                return Poll::Ready(Error::Late(patience.wait.min(patience.whole)));
            }
            if alarm.deadline() >= last {
                pool.tally.late();
                return Poll::Ready(Error::Overran(patience.whole));
            }
            alarm.as_mut().reset(last);
        }
    }
}

impl<T> Future for Job<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let outcome = match &mut this.state {
            State::Refused(error) => Err(error.clone()),
            State::Submitted { result, .. } => match Pin::new(result).poll(task) {
                Poll::Ready(Ok(outcome)) => outcome.map_err(Error::Panicked),
                // It was dropped in the queue.
                Poll::Ready(Err(_)) => Err(Error::Stopped),
                Poll::Pending => Err(std::task::ready!(this.overdue(task))),
            },
            State::Over => return Poll::Pending,
        };
        // From here on a running job's result is wanted by nobody, and counted as such.
        this.state = State::Over;
        Poll::Ready(outcome)
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        if let State::Submitted { pool, id, .. } = &self.state
            && pool.withdraw(*id)
        {
            pool.tally.abandoned();
        }
    }
}
