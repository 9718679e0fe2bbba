//! How a client takes what is written to it: whether it keeps the pace that is asked of it.
//!
//! Only the time counts in which there is more to write than the kernel takes. It is cut into
//! spans, and in each the client has to take so many bytes. The kernel may hold megabytes, and has
//! no room for more for minutes although a slow client reads: so what the client has taken is all
//! that was written but for what the kernel still holds, which is asked at the end of a span.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// Written by one thread at a time, like the pulse that it is a part of.
#[derive(Default, Debug)]
pub(crate) struct Outflow {
    /// Bytes that the kernel took.
    sent: AtomicU64,
    /// Since when it takes no more; zero: it does.
    blocked_since: AtomicU64,
    /// For how long it took no more, before that.
    blocked: AtomicU64,
    /// How long that was when the present span began,
    span_begun: AtomicU64,
    /// and what the client had taken then.
    span_taken: AtomicU64,
    /// What it has to take within the span,
    least: AtomicU64,
    /// which is over.
    is_due: AtomicBool,
}

impl Outflow {
    /// The kernel took so many bytes.
    pub(crate) fn sent(&self, count: u64, now_ns: u64) {
        self.sent.store(self.sent.load(Relaxed) + count, Relaxed);
        if self.is_blocked() {
            self.blocked.store(self.blocked_until(now_ns), Relaxed);
            self.blocked_since.store(0, Relaxed);
        }
    }

    /// It takes no more.
    pub(crate) fn blocked(&self, now_ns: u64) {
        if !self.is_blocked() {
            self.blocked_since.store(now_ns.max(1), Relaxed);
        }
    }

    /// Whether the last write had to wait and still does.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked_since.load(Relaxed) != 0
    }

    /// When the present span will have this length; never, while nothing is blocked.
    pub(crate) fn span_ends(&self, within_ns: u64) -> Option<u64> {
        // The span may have begun after the present wait did.
        let ends = self.span_begun.load(Relaxed).saturating_add(within_ns);
        let lacks = ends.saturating_sub(self.blocked.load(Relaxed));
        let since = self.blocked_since.load(Relaxed);
        (since != 0).then(|| since.saturating_add(lacks))
    }

    /// The span is over: from the next write on it counts whether so many bytes were taken.
    pub(crate) fn is_due(&self, least: u64) {
        self.least.store(least, Relaxed);
        self.is_due.store(true, Relaxed);
    }

    /// Whether the client has yet to be found to have kept the pace.
    pub(crate) fn has_to_answer(&self) -> bool {
        self.is_due.load(Relaxed)
    }

    /// Looks what the client has taken, since so much is still under way to it. If it is enough,
    /// the next span begins.
    pub(crate) fn look(&self, under_way: u64, now_ns: u64) {
        let taken = self.sent.load(Relaxed).saturating_sub(under_way);
        let moved = taken.saturating_sub(self.span_taken.load(Relaxed));
        if moved >= self.least.load(Relaxed) {
            self.span_begun.store(self.blocked_until(now_ns), Relaxed);
            self.span_taken.store(taken, Relaxed);
            self.is_due.store(false, Relaxed);
        }
    }

    fn blocked_until(&self, now_ns: u64) -> u64 {
        let lasts = match self.blocked_since.load(Relaxed) {
            0 => 0,
            since => now_ns.saturating_sub(since),
        };
        self.blocked.load(Relaxed) + lasts
    }
}

#[cfg(test)]
mod tests {
    use super::Outflow;

    #[test]
    fn only_blocked_time_makes_a_span_and_what_is_under_way_is_not_taken() {
        let outflow = Outflow::default();
        outflow.sent(1000, 5);
        assert_eq!(outflow.span_ends(100), None);
        outflow.blocked(10);
        outflow.blocked(20);
        assert_eq!(outflow.span_ends(100), Some(110), "from the first refusal");
        outflow.sent(50, 40);
        assert_eq!(outflow.span_ends(100), None);
        outflow.blocked(1000);
        assert_eq!(outflow.span_ends(100), Some(1070), "30 of it have passed");
        outflow.is_due(500);
        outflow.look(600, 1070);
        assert!(outflow.has_to_answer(), "450 of 1050 are taken");
        outflow.look(550, 1070);
        assert!(!outflow.has_to_answer());
        assert_eq!(outflow.span_ends(100), Some(1170));
        outflow.is_due(1);
        outflow.look(550, 1170);
        assert!(outflow.has_to_answer(), "nothing more was taken");
    }
}
