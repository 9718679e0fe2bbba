//! Where a connection is in its life, and since when: kept by those who serve it, read by the
//! sweeper.
//!
//! ```text
//! Fresh --first byte--> Head --head complete--> Busy --answer complete--> Idle
//!                        ^                                                  |
//!                        +---------------------first byte-------------------+
//! ```
//!
//! In HTTP/2 several requests are answered at a time: it is busy until the last of them is.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64};

use crate::outflow::Outflow;
use crate::strict::Marks;
use crate::websocket::Switch;

/// What a connection is waiting for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Accepted, and nothing was read yet.
    Fresh,
    /// A request's head has begun.
    Head,
    /// Requests are being answered.
    Busy,
    /// The last request was answered, the next one has not begun.
    Idle,
    /// Before `Fresh`: whoever is there has yet to complete a TLS handshake.
    Shaking,
}

/// Written by one thread; atomic (always relaxed) only because the transport, of which this is a
/// part, must be `Send` for the sake of upgrades.
#[derive(Debug)]
pub(crate) struct Pulse {
    phase: AtomicU8,
    since: AtomicU64,
    requests: AtomicU32,
    framed: AtomicBool,
    leaving: AtomicBool,
    /// How the client takes what is written.
    pub(crate) outflow: Outflow,
    broken_off: AtomicBool,
    upgraded: AtomicBool,
    overdue: AtomicBool,
    expired: AtomicBool,
    pub(crate) marks: Marks,
    pub(crate) switch: Switch,
}

impl Pulse {
    pub(crate) fn new(now_ns: u64) -> Self {
        Self {
            phase: AtomicU8::new(Phase::Fresh as u8),
            since: AtomicU64::new(now_ns),
            requests: AtomicU32::new(0),
            framed: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
            outflow: Outflow::default(),
            broken_off: AtomicBool::new(false),
            upgraded: AtomicBool::new(false),
            overdue: AtomicBool::new(false),
            expired: AtomicBool::new(false),
            marks: Marks::default(),
            switch: Switch::default(),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Relaxed) {
            0 => Phase::Fresh,
            1 => Phase::Head,
            3 => Phase::Idle,
            4 => Phase::Shaking,
            _ => Phase::Busy,
        }
    }

    /// Since when the phase lasts, in nanoseconds.
    pub(crate) fn since(&self) -> u64 {
        self.since.load(Relaxed)
    }

    /// HTTP/2 is spoken from now on. Most of its frames are not the beginning of a request, so that
    /// between requests it is idle whatever comes in.
    pub(crate) fn begin_frames(&self, now_ns: u64) {
        self.framed.store(true, Relaxed);
        self.turn(Phase::Idle, now_ns);
    }

    /// Whether HTTP/2 is spoken.
    pub(crate) fn has_frames(&self) -> bool {
        self.framed.load(Relaxed)
    }

    /// The client was told to leave. When the last request is answered it gets the time of an idle
    /// connection, from now on at the earliest, to hear of it and to close.
    pub(crate) fn begin_leaving(&self, now_ns: u64) {
        self.leaving.store(true, Relaxed);
        self.since.store(now_ns, Relaxed);
    }

    /// Whether the client was told to leave.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Relaxed)
    }

    /// A TLS handshake begins: its bytes are no request's.
    pub(crate) fn handshake_begun(&self) {
        self.phase.store(Phase::Shaking as u8, Relaxed);
    }

    /// And has ended.
    pub(crate) fn handshake_ended(&self, now_ns: u64) {
        self.turn(Phase::Fresh, now_ns);
    }

    /// How many requests are being answered.
    pub(crate) fn requests(&self) -> u32 {
        self.requests.load(Relaxed)
    }

    /// Bytes came in.
    pub(crate) fn received(&self, now_ns: u64) {
        match self.phase() {
            Phase::Fresh | Phase::Idle if self.has_frames() => {}
            // The time for the first head runs from the accept.
            Phase::Fresh => self.phase.store(Phase::Head as u8, Relaxed),
            Phase::Idle => self.turn(Phase::Head, now_ns),
            Phase::Head | Phase::Busy | Phase::Shaking => {}
        }
    }

    /// A head is complete.
    pub(crate) fn request_begun(&self) {
        self.marks.begun();
        self.requests
            .store(self.requests.load(Relaxed) + 1, Relaxed);
        self.phase.store(Phase::Busy as u8, Relaxed);
    }

    /// An answer is complete.
    pub(crate) fn request_ended(&self, now_ns: u64) {
        if self.marks.ended() {
            self.switch.wake();
        }
        let left = self.requests.load(Relaxed).saturating_sub(1);
        self.requests.store(left, Relaxed);
        if left == 0 {
            self.turn(Phase::Idle, now_ns);
        }
    }

    fn turn(&self, phase: Phase, now_ns: u64) {
        self.phase.store(phase as u8, Relaxed);
        self.since.store(now_ns, Relaxed);
    }

    /// The client does not take what was written. Until it does, the connection is not idle,
    /// although hyper may already have let go of the answer.
    pub(crate) fn write_blocked(&self, now_ns: u64) {
        self.outflow.blocked(now_ns);
    }

    /// The client has taken something.
    pub(crate) fn write_went_on(&self, now_ns: u64) {
        self.since.store(now_ns, Relaxed);
    }

    /// Whether the last write had to wait and still does.
    pub(crate) fn has_unsent(&self) -> bool {
        self.outflow.is_blocked()
    }

    /// Its request is over time, and no answer can say so any more.
    pub(crate) fn break_off(&self) {
        self.broken_off.store(true, Relaxed);
    }

    pub(crate) fn is_broken_off(&self) -> bool {
        self.broken_off.load(Relaxed)
    }

    /// It speaks HTTP no more; whatever it speaks now, the app sees to it.
    pub(crate) fn upgraded(&self) {
        self.upgraded.store(true, Relaxed);
    }

    pub(crate) fn is_upgraded(&self) -> bool {
        self.upgraded.load(Relaxed)
    }

    /// Its deadline has passed: it is to end at its next read, unless that finds something.
    pub(crate) fn set_overdue(&self, overdue: bool) {
        self.overdue.store(overdue, Relaxed);
    }

    pub(crate) fn is_overdue(&self) -> bool {
        self.overdue.load(Relaxed)
    }

    /// Its deadline ends it. Whether this is said for the first time.
    pub(crate) fn expire(&self) -> bool {
        !self.expired.swap(true, Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Phase, Pulse};

    #[test]
    fn the_phases_follow_bytes_and_answers() {
        let pulse = Pulse::new(10);
        let seen = |pulse: &Pulse| (pulse.phase(), pulse.since());
        assert_eq!(seen(&pulse), (Phase::Fresh, 10));
        pulse.received(20);
        pulse.received(21);
        assert_eq!(seen(&pulse), (Phase::Head, 10));
        pulse.request_begun();
        pulse.received(30);
        assert_eq!(pulse.phase(), Phase::Busy);
        pulse.request_ended(40);
        assert_eq!(seen(&pulse), (Phase::Idle, 40));
        pulse.received(50);
        pulse.received(51);
        assert_eq!(seen(&pulse), (Phase::Head, 50));
    }

    #[test]
    fn it_is_busy_until_the_last_of_several_requests_is_answered() {
        let pulse = Pulse::new(0);
        pulse.request_begun();
        pulse.request_begun();
        pulse.request_ended(5);
        assert_eq!(pulse.phase(), Phase::Busy);
        pulse.request_begun();
        pulse.request_ended(6);
        pulse.request_ended(7);
        assert_eq!((pulse.phase(), pulse.since()), (Phase::Idle, 7));
    }

    #[test]
    fn a_request_that_came_with_the_one_before_goes_straight_to_busy() {
        let pulse = Pulse::new(0);
        pulse.received(1);
        pulse.request_begun();
        pulse.request_ended(2);
        pulse.request_begun();
        assert_eq!(pulse.phase(), Phase::Busy);
    }
}
