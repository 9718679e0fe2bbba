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
use serde::{Deserialize, Serialize};

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
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use brigade_shared::exit::Exit;
    use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

    use super::{Deaths, Dice, End, SCARCE, Window};
    use crate::plan::{Intensity, Next, Quorum, Recycle, Settings};

    /// One death: how, whether after service, and a draw.
    type Death = (End, bool, u64);

    fn policy(first: u64, most: u64) -> Settings {
        Settings {
            workers: 1,
            start_timeout: Duration::from_secs(1),
            drain_timeout: Duration::from_secs(1),
            kill_timeout: Duration::from_secs(1),
            settle: Duration::ZERO,
            close_after: Duration::ZERO,
            start_attempts: 1,
            backoff_first: Duration::from_millis(first),
            backoff_most: Duration::from_millis(most),
            calm_after: Duration::from_secs(10),
            intensity: None,
            elastic: None,
            stall_warn: Duration::ZERO,
            stall_limit: None,
            surge: 1,
            unavailable: 0,
            can_hold: true,
            probation: Duration::ZERO,
            lingering: 3,
            recycle: Recycle {
                requests: None,
                requests_jitter: 0,
                lifetime: None,
                memory: None,
                at_most: 1,
            },
            ready_when: Quorum::default(),
            ticket_rotation: None,
        }
    }

    fn crash() -> impl Strategy<Value = End> {
        let code = (0..=255_i32).prop_filter("parks, or has its own ladder", |code| {
            *code != 78 && *code != 75
        });
        prop_oneof![
            code.prop_map(|code| End::Exit(Exit::Code(code))),
            (1..64_i32).prop_map(|signal| End::Exit(Exit::Signal(signal))),
            proptest::prelude::Just(End::NotMade),
        ]
    }

    fn deaths() -> impl Strategy<Value = Vec<Death>> {
        proptest::collection::vec((crash(), any::<bool>(), any::<u64>()), 1..40)
    }

    /// The pauses of a run of deaths without a calm time between them.
    fn pauses(policy: &Settings, run: &[Death]) -> Vec<Duration> {
        let mut slot = Deaths::default();
        let hasty = Some(Duration::ZERO);
        let next = run.iter().map(|(end, served, draw)| {
            slot.record(*end, if *served { hasty } else { None }, policy, *draw)
        });
        next.map(pause).collect()
    }

    fn pause(next: Next) -> Duration {
        match next {
            Next::Now => Duration::ZERO,
            Next::After(pause) => pause,
            Next::Parked | Next::Nothing => panic!("no restart"),
        }
    }

    proptest! {
        #[test]
        fn a_restart_is_never_sooner_than_the_backoff_nor_later_than_the_longest(
            first in 1..2_000_u64, factor in 1..600_u64, run in deaths(),
        ) {
            let policy = policy(first, first * factor);
            for (death, pause) in pauses(&policy, &run).into_iter().enumerate() {
                let exponent = u32::try_from(death.saturating_sub(1)).unwrap();
                let bare = 2_u32.checked_pow(exponent)
                    .and_then(|times| policy.backoff_first.checked_mul(times))
                    .map_or(policy.backoff_most, |bare| bare.min(policy.backoff_most));
                let bare = if death == 0 && run[0].0 != End::NotMade { Duration::ZERO } else { bare };
                prop_assert!(pause >= bare, "death {death}: {pause:?} < {bare:?}");
                prop_assert!(pause <= bare + bare / 4, "death {death}: {pause:?} of {bare:?}");
                prop_assert!(pause <= policy.backoff_most);
            }
        }

        #[test]
        fn pauses_grow_until_the_longest(
            first in 1..2_000_u64, factor in 1..600_u64, mut run in deaths(),
        ) {
            // What was never made rests as long as the second crash: begin with a real one.
            run[0].0 = End::Exit(Exit::Code(1));
            let policy = policy(first, first * factor);
            for pair in pauses(&policy, &run).windows(2) {
                prop_assert!(pair[1] > pair[0] || pair[1] == policy.backoff_most, "{pair:?}");
            }
        }

        #[test]
        fn after_a_calm_time_a_crash_is_the_first_again(run in deaths(), more in 0..1_000_u64) {
            let policy = policy(100, 30_000);
            let mut slot = Deaths::default();
            for (end, served, draw) in run {
                slot.record(end, served.then_some(Duration::ZERO), &policy, draw);
            }
            let calm = policy.calm_after + Duration::from_secs(more);
            let next = slot.record(End::Exit(Exit::Signal(11)), Some(calm), &policy, 0);
            prop_assert_eq!(next, Next::Now);
            prop_assert_eq!(slot, Deaths { before_ready: 0, after_ready: 1 });
        }

        #[test]
        fn short_of_resources_is_a_longer_rest(run in deaths(), draw in any::<u64>()) {
            let policy = policy(100, 30_000);
            let mut slot = Deaths::default();
            for (end, served, draw) in run {
                slot.record(end, served.then_some(Duration::ZERO), &policy, draw);
            }
            let end = End::Exit(Exit::Code(75));
            prop_assert!(pause(slot.record(end, None, &policy, draw)) >= SCARCE);
        }

        #[test]
        fn deaths_before_and_after_ready_are_counted_apart(run in deaths()) {
            let policy = policy(100, 30_000);
            let mut slot = Deaths::default();
            for (end, served, draw) in &run {
                slot.record(*end, served.then_some(Duration::ZERO), &policy, *draw);
            }
            let after = run.iter().filter(|(_, served, _)| *served).count();
            prop_assert_eq!(usize::try_from(slot.after_ready).unwrap(), after);
            prop_assert_eq!(usize::try_from(slot.before_ready).unwrap(), run.len() - after);
        }
    }

    #[test]
    fn who_asks_not_to_be_respawned_is_parked_whatever_was_before() {
        let mut slot = Deaths {
            before_ready: 9,
            after_ready: 9,
        };
        let end = End::Exit(Exit::Code(78));
        assert_eq!(
            slot.record(end, None, &policy(100, 30_000), 1),
            Next::Parked
        );
    }

    #[test]
    fn the_window_forgets() {
        let limit = Intensity {
            crashes: 2,
            period: Duration::from_secs(10),
        };
        let mut window = Window::default();
        let mut crash = |at| window.exceeded(limit, Duration::from_secs(at));
        assert!(!crash(0) && !crash(5));
        assert!(!crash(11), "the first is forgotten");
        assert!(crash(12));
    }

    #[test]
    fn draws_follow_from_the_seed() {
        let draws = |seed| {
            let mut dice = Dice(seed);
            [dice.draw(), dice.draw(), dice.draw()]
        };
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
    }
}
