//! Whether one ready worker turns, as far as looks can tell.
//!
//! ```text
//!                      at work, or connections wait for it
//!   Unseen --look--> Idle <------------------------> Engaged { since }
//!                      ^    parked, nothing waits      |  ^ progress: since then anew
//!                      |                               |  | half of `warn`: Ask
//!                      |        progress: Recovered    |  +--+
//!                      +-------------------------------+---- Blocked <-- warn -- (Engaged)
//!                                                              |
//!                                                              +-- limit: aborted
//! ```
//!
//! Only one who is at work, or for whom connections wait, can be suspected, and nobody is taken
//! for blocked before it was asked to show that its loop turns and had time to: so neither an idle
//! worker is, nor one that is busy without serving requests. A blocked one recovers by progress
//! alone: that nothing waits for it any more is the work of others.
//!
//! A look takes time. What was found may be as old as its order and as new as its answer, so
//! `since` counts from the answer and is judged at the order: a supervisor that was suspended
//! within a look blames nobody. Nor does one that looks late: what it did not watch does not count.
//! Nor does the time in which a worker was ready to run and got no processor.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::sign::{Patience, Sign, Span};
use super::vocabulary::Moment;

/// What is known of one ready worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Vigil {
    /// Nobody has looked, or there is nothing to be known: a program that says nothing.
    Unseen,
    /// Parked, and nothing waited.
    Idle { mark: u64 },
    /// At work or awaited, and no progress was seen since.
    Engaged {
        mark: u64,
        since: Moment,
        asked: Option<Moment>,
    },
    /// Out of service.
    Blocked {
        mark: u64,
        /// Its last progress.
        since: Moment,
        /// The same, without the time in which nobody watched.
        counted: Moment,
    },
}

/// What a look at one worker comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Finding {
    /// Parked as it was before: nothing has happened.
    Quiet,
    /// Something has happened or goes on.
    Active,
    /// It is suspected and has to show that it turns.
    Ask,
    /// It is taken for blocked now.
    Blocked { lasts: Duration },
    /// It was blocked, and still is.
    StillBlocked,
    /// It was blocked, and goes on.
    Recovered { lasted: Duration },
    /// It was blocked for too long.
    Hopeless,
}

impl Vigil {
    pub(super) fn is_blocked(self) -> bool {
        match self {
            Self::Blocked { .. } => true,
            Self::Unseen | Self::Idle { .. } | Self::Engaged { .. } => false,
        }
    }

    /// When a worker that shows nothing new will have been silent for so long that it must be
    /// watched from then on: a silence that nobody watched is nobody's fault.
    pub(super) fn deadline(self, patience: Patience) -> Option<Moment> {
        let unwatched = |limit: Duration| limit.saturating_sub(patience.tolerance());
        match self {
            Self::Engaged { since, .. } => Some(since.saturating_add(unwatched(patience.warn))),
            Self::Blocked { counted, .. } => {
                let limit = patience.limit?;
                Some(counted.saturating_add(unwatched(limit)))
            }
            Self::Unseen | Self::Idle { .. } => None,
        }
    }

    /// Takes note of what a look has shown.
    pub(super) fn see(&mut self, sign: Sign, span: Span, patience: Patience) -> Finding {
        let (finding, next) = self.judged(sign, span, patience);
        *self = next;
        finding
    }

    fn judged(self, sign: Sign, span: Span, patience: Patience) -> (Finding, Self) {
        let mark = sign.mark;
        let unwatched = span.unwatched(patience);
        let anew = begun(sign, span, unwatched, patience);
        match self {
            Self::Unseen => (Finding::Active, anew),
            Self::Idle { mark: before } if before == mark && !sign.engaged => {
                (Finding::Quiet, self)
            }
            Self::Idle { .. } => (Finding::Active, anew),
            Self::Engaged { mark: before, .. } if before != mark || !sign.engaged => {
                (Finding::Active, anew)
            }
            Self::Engaged { since, asked, .. } => {
                // What was not watched does not count, and who was asked before it may not have
                // had the time to answer.
                let excused = unwatched + sign.starved;
                let since = (since + excused).min(span.answered);
                let asked = asked.filter(|_| unwatched.is_zero());
                stuck(mark, since, asked, span, patience)
            }
            Self::Blocked {
                mark: before,
                since,
                ..
            } if before != mark => {
                let lasted = span.answered.saturating_sub(since);
                (Finding::Recovered { lasted }, anew)
            }
            Self::Blocked { since, counted, .. } => {
                let excused = unwatched + sign.starved;
                let counted = (counted + excused).min(span.answered);
                let stuck = span.ordered.saturating_sub(counted);
                let finding = if patience.limit.is_some_and(|limit| stuck >= limit) {
                    Finding::Hopeless
                } else {
                    Finding::StillBlocked
                };
                (
                    finding,
                    Self::Blocked {
                        mark,
                        since,
                        counted,
                    },
                )
            }
        }
    }
}

/// What becomes of one that made no progress since then.
fn stuck(
    mark: u64,
    since: Moment,
    asked: Option<Moment>,
    span: Span,
    patience: Patience,
) -> (Finding, Vigil) {
    let lasts = span.ordered.saturating_sub(since);
    let has_had_time = match (patience.ask, asked) {
        (None, _) => true,
        (Some(after), None) if lasts >= after => {
            let asked = Some(span.answered);
            return (Finding::Ask, Vigil::Engaged { mark, since, asked });
        }
        (Some(_), None) => false,
        (Some(after), Some(at)) => span.ordered.saturating_sub(at) >= after / 2,
    };
    if has_had_time && lasts >= patience.warn {
        let counted = since;
        let blocked = Vigil::Blocked {
            mark,
            since,
            counted,
        };
        (Finding::Blocked { lasts }, blocked)
    } else {
        (Finding::Active, Vigil::Engaged { mark, since, asked })
    }
}

/// What is known after this sign alone.
fn begun(sign: Sign, span: Span, unwatched: Duration, patience: Patience) -> Vigil {
    let mark = sign.mark;
    if !sign.engaged {
        return Vigil::Idle { mark };
    }
    // A silence that nobody watched may have been the machine's.
    let silent = if unwatched.is_zero() {
        sign.silent.min(patience.warn - patience.tolerance())
    } else {
        Duration::ZERO
    };
    Vigil::Engaged {
        mark,
        since: span.answered.saturating_sub(silent),
        asked: None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{Finding, Vigil};
    use crate::plan::Moment;
    use crate::plan::sign::{Patience, Sign, Span};

    const PACE: u64 = 30;

    fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    fn patience() -> Patience {
        Patience {
            ask: Some(millis(120)),
            warn: millis(240),
            limit: Some(millis(2_000)),
        }
    }

    fn sign(mark: u64, engaged: bool) -> Sign {
        Sign {
            mark,
            engaged,
            silent: Duration::ZERO,
            starved: Duration::ZERO,
        }
    }

    /// One worker, looked at by a clock that the test winds.
    struct Watched {
        vigil: Vigil,
        now: Moment,
    }

    impl Watched {
        fn new() -> Self {
            Self {
                vigil: Vigil::Unseen,
                now: Duration::ZERO,
            }
        }

        /// A look in time.
        fn look(&mut self, mark: u64, engaged: bool) -> Finding {
            self.look_late(mark, engaged, 0)
        }

        /// A look at one that got no processor for so long since the last.
        fn look_starved(&mut self, mark: u64, starved: u64) -> Finding {
            let span = self.later(0);
            let sign = Sign {
                starved: millis(starved),
                ..sign(mark, true)
            };
            self.vigil.see(sign, span, patience())
        }

        fn look_late(&mut self, mark: u64, engaged: bool, late: u64) -> Finding {
            let span = self.later(late);
            self.vigil.see(sign(mark, engaged), span, patience())
        }

        fn later(&mut self, late: u64) -> Span {
            let previous = self.now;
            let due = previous + millis(PACE);
            self.now = due + millis(late);
            Span {
                previous,
                due,
                ordered: self.now,
                answered: self.now,
            }
        }

        /// How many looks until something else than this is found, and what.
        fn until(&mut self, mark: u64, engaged: bool, usual: Finding) -> (u64, Finding) {
            (1..)
                .map(|count| (count, self.look(mark, engaged)))
                .find(|(_, finding)| *finding != usual)
                .unwrap()
        }
    }

    #[test]
    fn one_that_stands_still_at_work_is_asked_then_blocked_then_given_up() {
        let mut worker = Watched::new();
        worker.look(1, true);
        assert_eq!(worker.until(1, true, Finding::Active), (4, Finding::Ask));
        let blocked = Finding::Blocked { lasts: millis(240) };
        assert_eq!(worker.until(1, true, Finding::Active), (4, blocked));
        let (looks, last) = worker.until(1, true, Finding::StillBlocked);
        assert_eq!(last, Finding::Hopeless);
        assert_eq!(looks, (2_000_u64 - 240).div_ceil(PACE));
    }

    #[test]
    fn one_that_gets_no_processor_is_not_stuck_and_one_that_gets_little_later() {
        let mut worker = Watched::new();
        worker.look(1, true);
        for _ in 0..100 {
            assert_eq!(worker.look_starved(1, PACE), Finding::Active);
        }
        let mut worker = Watched::new();
        worker.look(1, true);
        let looks =
            (1..).find(|_| matches!(worker.look_starved(1, PACE / 2), Finding::Blocked { .. }));
        assert_eq!(looks, Some(16), "twice as many as otherwise");
    }

    #[test]
    fn it_recovers_by_progress_and_the_whole_length_is_told() {
        let mut worker = Watched::new();
        worker.look(1, true);
        for _ in 0..20 {
            worker.look(1, true);
        }
        assert!(worker.vigil.is_blocked());
        let quiet = worker.look(1, false);
        assert_eq!(
            quiet,
            Finding::StillBlocked,
            "others have emptied its queue"
        );
        let lasted = millis(22 * PACE);
        assert_eq!(worker.look(2, false), Finding::Recovered { lasted });
        assert_eq!(worker.look(2, false), Finding::Quiet);
    }

    #[test]
    fn an_answer_is_progress() {
        let mut worker = Watched::new();
        let mut mark = 0;
        for _ in 0..1_000 {
            let finding = worker.look(mark, true);
            assert!(
                matches!(finding, Finding::Ask | Finding::Active),
                "{finding:?}"
            );
            mark += u64::from(finding == Finding::Ask);
        }
    }

    #[test]
    fn what_nobody_watched_does_not_count() {
        let mut worker = Watched::new();
        worker.look(1, true);
        for _ in 0..100 {
            let finding = worker.look_late(1, true, 10_000);
            assert_eq!(finding, Finding::Active, "the supervisor slept");
        }
    }

    #[test]
    fn a_look_that_takes_long_blames_nobody() {
        let mut worker = Watched::new();
        worker.look(1, true);
        let hour = Duration::from_secs(3_600);
        let due = worker.now + millis(PACE);
        let span = Span {
            previous: worker.now,
            due,
            ordered: due,
            answered: due + hour,
        };
        let finding = worker.vigil.see(sign(1, true), span, patience());
        assert_eq!(finding, Finding::Active);
        worker.now = span.answered;
        assert_eq!(worker.look(1, true), Finding::Active);
    }

    #[test]
    fn a_program_is_judged_by_its_silence() {
        let programs = Patience {
            ask: None,
            warn: millis(300),
            limit: Some(millis(400)),
        };
        let mut vigil = Vigil::Unseen;
        let mut look = |at: u64, silent: u64| {
            let at = millis(at);
            let span = Span {
                previous: at,
                due: at,
                ordered: at,
                answered: at,
            };
            let sign = Sign {
                mark: 1,
                engaged: true,
                silent: millis(silent),
                starved: Duration::ZERO,
            };
            let finding = vigil.see(sign, span, programs);
            (finding, vigil.deadline(programs))
        };
        assert_eq!(look(100, 50), (Finding::Active, Some(millis(275))));
        assert_eq!(look(275, 225), (Finding::Active, Some(millis(275))));
        let blocked = Finding::Blocked { lasts: millis(300) };
        assert_eq!(look(350, 300), (blocked, Some(millis(375))));
        assert_eq!(look(450, 400).0, Finding::Hopeless);
    }

    proptest! {
        /// Whoever moves at least as often as it is asked is never blocked, however late the looks.
        #[test]
        fn who_turns_is_never_blocked(
            course in proptest::collection::vec((any::<bool>(), any::<bool>(), 0..400_u64), 1..200),
        ) {
            let mut worker = Watched::new();
            let mut mark = 0;
            for (engaged, moves, late) in course {
                let finding = worker.look_late(mark, engaged, late);
                prop_assert!(!worker.vigil.is_blocked(), "{:?}", finding);
                mark += u64::from(moves || finding == Finding::Ask);
            }
        }

        /// Whoever stands still at work is blocked when its time has come: neither sooner nor more
        /// than two looks later, as long as the looks are not late.
        #[test]
        fn who_stands_still_is_blocked_in_time(late in proptest::collection::vec(0..=60_u64, 64)) {
            let mut worker = Watched::new();
            worker.look(7, true);
            let since = worker.now;
            let mut looks = late.into_iter();
            let lasts = loop {
                let late = looks.next().expect("in time");
                if let Finding::Blocked { lasts } = worker.look_late(7, true, late) {
                    break lasts;
                }
            };
            prop_assert_eq!(worker.now - since, lasts);
            prop_assert!((millis(240)..millis(240) + 2 * millis(PACE + 60)).contains(&lasts), "{:?}", lasts);
        }
    }
}
