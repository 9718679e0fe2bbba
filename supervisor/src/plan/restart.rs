//! When a slot's next worker starts, and when there have been too many deaths. Pure: deaths and a
//! random draw go in, a pause comes out.
//!
//! ```text
//! deaths in a row       1     2       3        4     ...
//! an exit, a signal     0   first   2 first  4 first ... most
//! no process at all   first first   2 first  4 first ... most
//! exit code 75         5 s   10 s    20 s     40 s   ... most
//! exit code 78         never: the slot is parked
//! ```
//!
//! Deaths before and after ready are counted apart, since only the former speak against ever
//! becoming ready, but both lengthen the pause: a slot that alternates between them does not
//! escape its brake. Jitter only adds, at most a quarter, and `most` bounds the sum. A death after
//! a calm time of service counts as the first again.

use std::collections::VecDeque;
use std::time::Duration;

use brigade_shared::exit::{Exit, worker};

use super::vocabulary::{Intensity, Moment, Next, Settings};

/// The first pause after exit code 75, unless the longest pause is shorter.
const SCARCE: Duration = Duration::from_secs(5);

/// How a worker's time in its slot ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// Its process ended.
    Exit(Exit),
    /// There never was a process.
    NotMade,
}

/// The deaths of one slot since it was last calm.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Deaths {
    /// Before ready.
    pub(super) before_ready: u32,
    /// After ready.
    pub(super) after_ready: u32,
}

impl Deaths {
    /// Counts a death and says what becomes of the slot: `Now`, `After` or `Parked`.
    ///
    /// `served` is how long the worker was ready, if it ever was; `draw` is a fresh random number.
    pub(super) fn record(
        &mut self,
        end: End,
        served: Option<Duration>,
        policy: &Settings,
        draw: u64,
    ) -> Next {
        match served {
            Some(served) => {
                if served >= policy.calm_after {
                    *self = Self::default();
                }
                self.after_ready = self.after_ready.saturating_add(1);
            }
            None => self.before_ready = self.before_ready.saturating_add(1),
        }
        let count = self.before_ready.saturating_add(self.after_ready);
        let most = policy.backoff_most;
        let pause = match end {
            End::Exit(Exit::Code(worker::DO_NOT_RESPAWN)) => return Next::Parked,
            End::Exit(Exit::Code(worker::SHORT_OF_RESOURCES)) => rung(SCARCE, count - 1, most),
            End::Exit(Exit::Code(_) | Exit::Signal(_)) if count == 1 => return Next::Now,
            End::Exit(Exit::Code(_) | Exit::Signal(_)) | End::NotMade => {
                rung(policy.backoff_first, count.saturating_sub(2), most)
            }
        };
        Next::After(jittered(pause, draw).min(most))
    }
}

/// `first` doubled `times`, at most `most`.
fn rung(first: Duration, times: u32, most: Duration) -> Duration {
    first
        .checked_mul(1 << times.min(31))
        .unwrap_or(most)
        .min(most)
}

/// The pause and up to a quarter of it more.
fn jittered(pause: Duration, draw: u64) -> Duration {
    let quarter = pause.as_nanos() / 4;
    let extra = (quarter.saturating_mul(u128::from(draw >> 32))) >> 32;
    pause.saturating_add(Duration::from_nanos(
        u64::try_from(extra).unwrap_or(u64::MAX),
    ))
}

/// The deaths of the whole fleet within the last period.
#[derive(Clone, Default, Debug)]
pub(super) struct Window {
    deaths: VecDeque<Moment>,
}

impl Window {
    /// Counts a death; true if there have now been more than `limit` allows.
    pub(super) fn exceeded(&mut self, limit: Intensity, now: Moment) -> bool {
        self.deaths.push_back(now);
        while self
            .deaths
            .front()
            .is_some_and(|&then| now - then > limit.period)
        {
            self.deaths.pop_front();
        }
        let allowed = usize::try_from(limit.crashes).unwrap_or(usize::MAX);
        self.deaths.len() > allowed
    }
}

/// Random numbers from a seed (splitmix64): good enough to spread restarts, and the same seed
/// gives the same fleet.
#[derive(Clone, Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
