//! What the reader of a connection's bytes and those who answer its requests tell each other.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64};

use super::fault::Fault;

/// Written by one thread, and atomic only because a transport must be `Send`. Requests are
/// numbered from 1.
#[derive(Default, Debug)]
pub(crate) struct Marks {
    begun: AtomicU64,
    ended: AtomicU64,
    /// The request whose body is malformed; 0: none.
    broken: AtomicU64,
    fault: AtomicU8,
    /// Something that came early waits for the answer.
    holds: AtomicBool,
}

impl Marks {
    /// A request has come to be answered.
    pub(crate) fn begun(&self) {
        self.begun.store(self.begun.load(Relaxed) + 1, Relaxed);
    }

    /// A request's answer is complete. Returns whether the reader waits for that.
    #[must_use]
    pub(crate) fn ended(&self) -> bool {
        self.ended.store(self.ended.load(Relaxed) + 1, Relaxed);
        self.holds.load(Relaxed)
    }

    /// The reader holds back what may be HTTP or not.
    pub(super) fn hold(&self, holds: bool) {
        self.holds.store(holds, Relaxed);
    }

    /// How many are answered.
    pub(super) fn answered(&self) -> u64 {
        self.ended.load(Relaxed)
    }

    /// Something is wrong with the body of this request; with 0, in a head.
    pub(super) fn broke(&self, request: u64, fault: Fault) {
        self.broken.store(request, Relaxed);
        self.fault.store(fault as u8, Relaxed);
    }

    /// What is wrong with the body of the request that has come last.
    pub(crate) fn broken_body(&self) -> Option<Fault> {
        let broken = self.broken.load(Relaxed);
        if broken == 0 || broken != self.begun.load(Relaxed) {
            return None;
        }
        self.fault()
    }

    /// What went wrong on this connection.
    pub(crate) fn fault(&self) -> Option<Fault> {
        Fault::numbered(self.fault.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Marks};

    #[test]
    fn a_malformed_body_is_that_of_its_own_request() {
        let marks = Marks::default();
        assert_eq!(marks.broken_body(), None);
        // The reader is ahead: the body of the second, while the first is answered.
        marks.begun();
        marks.broke(2, Fault::ChunkEnd);
        assert_eq!(marks.broken_body(), None);
        assert!(!marks.ended());
        marks.begun();
        assert_eq!(marks.broken_body(), Some(Fault::ChunkEnd));
        assert_eq!(marks.fault(), Some(Fault::ChunkEnd));
        // In a head it is nobody's body.
        marks.broke(0, Fault::Folded);
        assert_eq!(
            (marks.broken_body(), marks.fault()),
            (None, Some(Fault::Folded))
        );
    }
}
