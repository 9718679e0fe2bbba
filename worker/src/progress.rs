//! What is watched of one request while it is answered: how its body comes in, and whether a limit
//! has ended it. Shared by the body, which its app may take to another thread, and the sweeper.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};

/// Which limit has ended a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Over {
    /// Its body is larger than `limit-body`.
    Size = 1,
    /// Its body does not keep `min-rate-body`.
    Pace = 2,
    /// `timeout-request` has passed.
    Time = 3,
    /// Its client does not take the answer, in HTTP/2, where others on the connection may.
    Taking = 4,
}

/// Only time that the app spends waiting for the body counts, cut into spans as in `outflow`.
#[derive(Default, Debug)]
pub(crate) struct Progress {
    /// So many bytes may come.
    most: u64,
    received: AtomicU64,
    /// Since when the app waits for more; zero: it does not.
    waits_since: AtomicU64,
    /// For how long it has waited, before that.
    waited: AtomicU64,
    span_begun: AtomicU64,
    span_received: AtomicU64,
    over: AtomicU8,
    /// The app was told that it gets no more.
    has_failed: AtomicBool,
    /// Who waits.
    reader: Mutex<Option<Waker>>,
}

impl Progress {
    /// Of a body that may have so many bytes.
    pub(crate) fn new(most: u64) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    /// The app waits for more of the body.
    pub(crate) fn waits(&self, task: &Context<'_>, now_ns: u64) {
        if self.waits_since.load(Relaxed) == 0 {
            self.waits_since.store(now_ns.max(1), Relaxed);
        }
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if !reader
            .as_ref()
            .is_some_and(|own| own.will_wake(task.waker()))
        {
            *reader = Some(task.waker().clone());
        }
    }

    /// So much of it came. Returns whether all of it together may be.
    pub(crate) fn came(&self, bytes: u64, now_ns: u64) -> bool {
        self.waits_no_more(now_ns);
        let received = self.received.load(Relaxed) + bytes;
        self.received.store(received, Relaxed);
        if received > self.most {
            self.end(Over::Size);
        }
        received <= self.most
    }

    /// The app gets an error in place of the rest.
    pub(crate) fn fail(&self, now_ns: u64) {
        self.waits_no_more(now_ns);
        self.has_failed.store(true, Relaxed);
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Relaxed)
    }

    /// All of it came, or nobody wants the rest.
    pub(crate) fn waits_no_more(&self, now_ns: u64) {
        self.waited.store(self.waited_until(now_ns), Relaxed);
        self.waits_since.store(0, Relaxed);
    }

    /// When the present span will have this length; never, while nobody waits.
    pub(crate) fn span_ends(&self, within_ns: u64) -> Option<u64> {
        // The span may have begun after the present wait did.
        let ends = self.span_begun.load(Relaxed).saturating_add(within_ns);
        let lacks = ends.saturating_sub(self.waited.load(Relaxed));
        let since = self.waits_since.load(Relaxed);
        (since != 0).then(|| since.saturating_add(lacks))
    }

    /// The span is over. If so many bytes came, the next one begins; otherwise the body is too slow,
    /// and whoever waits for it hears of it.
    pub(crate) fn next_span(&self, least: u64, now_ns: u64) {
        let received = self.received.load(Relaxed);
        if received - self.span_received.load(Relaxed) < least {
            self.end(Over::Pace);
            let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(reader) = reader.take() {
                reader.wake();
            }
            return;
        }
        self.span_begun.store(self.waited_until(now_ns), Relaxed);
        self.span_received.store(received, Relaxed);
    }

    /// A limit ends the request; the first that does is the one that is told.
    pub(crate) fn end(&self, why: Over) {
        if self.over().is_none() {
            self.over.store(why as u8, Relaxed);
        }
    }

    pub(crate) fn over(&self) -> Option<Over> {
        match self.over.load(Relaxed) {
            1 => Some(Over::Size),
            2 => Some(Over::Pace),
            3 => Some(Over::Time),
            4 => Some(Over::Taking),
            _ => None,
        }
    }

    fn waited_until(&self, now_ns: u64) -> u64 {
        let lasts = match self.waits_since.load(Relaxed) {
            0 => 0,
            since => now_ns.saturating_sub(since),
        };
        self.waited.load(Relaxed) + lasts
    }
}

#[cfg(test)]
mod tests {
    use super::{Over, Progress};
    use std::task::{Context, Waker};

    #[test]
    fn only_time_that_the_app_waits_makes_a_span() {
        let task = Context::from_waker(Waker::noop());
        let progress = Progress::new(10);
        assert_eq!(progress.span_ends(100), None);
        progress.waits(&task, 10);
        progress.waits(&task, 50);
        assert_eq!(progress.span_ends(100), Some(110));
        assert!(progress.came(7, 70));
        assert_eq!(progress.span_ends(100), None, "the app is at work");
        progress.waits(&task, 1000);
        assert_eq!(progress.span_ends(100), Some(1040), "60 of it have passed");
        progress.next_span(7, 1040);
        assert_eq!(
            (progress.over(), progress.span_ends(100)),
            (None, Some(1140))
        );
        progress.next_span(1, 1140);
        assert_eq!(progress.over(), Some(Over::Pace));
        progress.end(Over::Time);
        assert_eq!(progress.over(), Some(Over::Pace), "the first is told");
    }
}
