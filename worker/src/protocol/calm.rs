//! How much an HTTP/2 client may ask for that costs nothing to ask.
//!
//! h2 bounds what is stored: streams that are reset before they were looked at, blocks of header
//! fields, small pieces of bodies. It does not bound what is done again and again: requests that are
//! begun and taken back, settings and pings that each have to be acknowledged. So these have an
//! allowance for ten seconds, which comes back by and by, and the more the client lets itself be
//! served the sooner.

use brigade_config::Limits;

use super::frames::Kind;

/// What an allowance is for, in nanoseconds.
const SPAN: u64 = 10_000_000_000;
/// So many requests allow one more to be taken back: who passes on the requests of thousands will
/// always have some who leave.
const REQUESTS_PER_CANCEL: u64 = 4;
/// A request goes with so many frames of other kinds: windows, a ping.
const FRAMES_PER_REQUEST: u64 = 4;
/// So many bytes of answers allow one more frame: a client widens its windows as it reads. What
/// acknowledges a frame is shorter, so that no flood pays for itself.
const BYTES_PER_FRAME: u64 = 64;

/// Which allowance is used up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flood {
    /// Requests taken back.
    Cancels,
    /// Frames that ask for nothing.
    Frames,
}

/// One client's allowances.
#[derive(Debug)]
pub(super) struct Calm {
    cancels: Allowance,
    frames: Allowance,
}

impl Calm {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            cancels: Allowance::new(limits.h2_cancels),
            frames: Allowance::new(limits.h2_frames),
        }
    }

    /// A frame begins. Whether there are too many of its kind.
    pub(super) fn began(&mut self, kind: Kind, now_ns: u64) -> Option<Flood> {
        match kind {
            // Bounded by h2.
            Kind::Data | Kind::Continuation => None,
            Kind::Headers => {
                self.cancels
                    .give(self.cancels.of_one / REQUESTS_PER_CANCEL, now_ns);
                self.frames
                    .give(self.frames.of_one * FRAMES_PER_REQUEST, now_ns);
                None
            }
            Kind::Reset => self.cancels.is_over(now_ns).then_some(Flood::Cancels),
            Kind::Other => self.frames.is_over(now_ns).then_some(Flood::Frames),
        }
    }

    /// So many bytes were written.
    pub(super) fn wrote(&mut self, bytes: usize, now_ns: u64) {
        let worth = self.frames.of_one / BYTES_PER_FRAME;
        self.frames.give(worth.saturating_mul(bytes as u64), now_ns);
    }
}

/// So many within the span, and each comes back after its part of it.
#[derive(Debug)]
struct Allowance {
    /// The part of one.
    of_one: u64,
    /// When all will have come back.
    whole_at: u64,
}

impl Allowance {
    fn new(most: u32) -> Self {
        Self {
            of_one: SPAN / u64::from(most.max(1)),
            whole_at: 0,
        }
    }

    /// Takes one. Whether there was none any more.
    fn is_over(&mut self, now_ns: u64) -> bool {
        self.whole_at = self.whole_at.max(now_ns) + self.of_one;
        self.whole_at - now_ns > SPAN
    }

    fn give(&mut self, time: u64, now_ns: u64) {
        self.whole_at = self.whole_at.saturating_sub(time).max(now_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::{Calm, Flood, SPAN};
    use crate::protocol::frames::Kind;
    use brigade_config::Limits;

    fn calm(cancels: u32, frames: u32) -> Calm {
        Calm::new(&Limits {
            h2_cancels: cancels,
            h2_frames: frames,
            ..Limits::default()
        })
    }

    /// How many frames of a kind are taken before it is too much.
    fn taken(calm: &mut Calm, kind: Kind, now: u64) -> usize {
        (0..100_000)
            .take_while(|_| calm.began(kind, now).is_none())
            .count()
    }

    #[test]
    fn an_allowance_is_used_up_at_once_and_comes_back_by_and_by() {
        let mut calm = calm(100, 1000);
        assert_eq!(taken(&mut calm, Kind::Reset, SPAN), 100);
        assert_eq!(calm.began(Kind::Reset, SPAN), Some(Flood::Cancels));
        assert_eq!(taken(&mut calm, Kind::Other, SPAN), 1000);
        assert_eq!(calm.began(Kind::Other, SPAN), Some(Flood::Frames));
        let mut calm = self::calm(100, 1000);
        assert_eq!(taken(&mut calm, Kind::Reset, SPAN), 100);
        // The one too many has been taken, too.
        assert_eq!(taken(&mut calm, Kind::Reset, SPAN + SPAN / 2), 49);
        assert_eq!(taken(&mut calm, Kind::Reset, 9 * SPAN), 100, "and no more");
    }

    #[test]
    fn requests_and_answers_allow_more() {
        let mut calm = calm(100, 1000);
        assert_eq!(taken(&mut calm, Kind::Reset, 0), 100);
        assert_eq!(taken(&mut calm, Kind::Other, 0), 1000);
        for _ in 0..44 {
            assert_eq!(calm.began(Kind::Headers, 0), None);
        }
        assert_eq!(taken(&mut calm, Kind::Reset, 0), 10);
        assert_eq!(taken(&mut calm, Kind::Other, 0), 175);
        calm.wrote(64 * 51, 0);
        assert_eq!(taken(&mut calm, Kind::Other, 0), 50);
        assert_eq!(taken(&mut calm, Kind::Data, 0), 100_000);
    }

    #[test]
    fn what_acknowledges_a_frame_does_not_pay_for_the_next() {
        let mut calm = calm(100, 1000);
        let mut count = 0;
        while calm.began(Kind::Other, 0).is_none() {
            // A ping's acknowledgement, the longest that there is.
            calm.wrote(17, 0);
            count += 1;
        }
        assert!(count < 1500, "{count}");
    }
}
