//! How many workers the load needs: from how busy the loops are and what waits, to a number within
//! its bounds.
//!
//! ```text
//!                one window: busy > 75 %, or something waited at every look
//!   Calm ------------------------------------------------> Hot: 3 windows in a row --> more, by a quarter
//!     |                                                      then at least 3 s of rest
//!     |   without one of them the others would be busy < 50 %, and nothing waits
//!     +--------------------------------------------------> Cold: for 30 s --> one fewer
//!                                                            then at least 30 s of rest
//! ```
//!
//! It cannot swing under a constant load: after a step up by a quarter the others could spare one
//! at 60 %, and after a step down they are below 50 %, so neither step calls for the other.

use std::time::Duration;

use brigade_shared::id::WorkerId;
use serde::{Deserialize, Serialize};

use super::fleet::Fleet;
use super::scale;
use super::slot::Slot;
use super::vocabulary::{Action, Elastic, Look, Moment, Scaling, Signs};

/// How long the loops are watched for one judgement.
const WINDOW: Duration = Duration::from_secs(1);
/// A window that took longer was not watched all the time.
const LONGEST_WINDOW: Duration = Duration::from_secs(2);
/// Busier than this, in thousandths, is hot.
const HOT: u32 = 750;
/// Less busy than this with one worker fewer is cold.
const COLD: u32 = 500;
/// So many hot windows in a row ask for more.
const HOT_WINDOWS: u32 = 3;
/// So long it must be cold.
const COLD_FOR: Duration = Duration::from_secs(30);
/// The rest after a change before there are more, or fewer.
const REST_UP: Duration = Duration::from_secs(3);
const REST_DOWN: Duration = Duration::from_secs(30);

/// The load as far as it is known.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(super) struct Gauge {
    window: Option<Opened>,
    /// Hot windows in a row.
    hot: u32,
    cold_since: Option<Moment>,
    /// When the number of workers last changed.
    changed: Moment,
}

/// A window that is not over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Opened {
    began: Moment,
    /// How long each had been at work in all then, by its number.
    busy: Vec<(WorkerId, Duration)>,
    /// The least that waited at a look since.
    waiting: u32,
}

/// What a window has shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Shown {
    began: Moment,
    /// The mean over the workers, in thousandths; none if nobody could tell.
    busy: Option<u32>,
    /// What waited at every look.
    waiting: u32,
}

impl Gauge {
    /// The number of workers has changed, whoever wanted it: the past tells nothing any more.
    pub(super) fn begin_anew(&mut self, now: Moment) {
        *self = Self {
            changed: now,
            ..Self::default()
        };
    }

    /// Takes note of a look: how long each worker has been at work in all, in ascending order, and
    /// how many connections wait.
    fn note(
        &mut self,
        busy: Vec<(WorkerId, Duration)>,
        waiting: u32,
        now: Moment,
    ) -> Option<Shown> {
        let Some(window) = &mut self.window else {
            self.open(busy, now);
            return None;
        };
        window.waiting = window.waiting.min(waiting);
        let lasted = now - window.began;
        if lasted < WINDOW {
            return None;
        }
        let shown = Shown {
            began: window.began,
            busy: window.mean(&busy, lasted),
            waiting: window.waiting,
        };
        self.open(busy, now);
        if lasted > LONGEST_WINDOW {
            (self.hot, self.cold_since) = (0, None);
            return None;
        }
        Some(shown)
    }

    fn open(&mut self, busy: Vec<(WorkerId, Duration)>, now: Moment) {
        self.window = Some(Opened {
            began: now,
            busy,
            waiting: u32::MAX,
        });
    }

    /// How many workers are wanted after this window, if that is another number.
    fn judge(
        &mut self,
        shown: Shown,
        workers: u16,
        bounds: Elastic,
        now: Moment,
    ) -> Option<(u16, Scaling)> {
        let is_hot = shown.waiting > 0 || shown.busy.is_some_and(|busy| busy > HOT);
        let others = u32::from(workers) - 1;
        let is_cold = shown.waiting == 0
            && shown
                .busy
                .is_some_and(|busy| busy * u32::from(workers) < COLD * others);
        self.hot = if is_hot {
            self.hot.saturating_add(1)
        } else {
            0
        };
        self.cold_since = if is_cold {
            self.cold_since.or(Some(shown.began))
        } else {
            None
        };
        let rested = now.saturating_sub(self.changed);
        let because = Scaling::Load {
            busy: u8::try_from(shown.busy.unwrap_or(0) / 10).unwrap_or(100),
            waiting: shown.waiting,
        };
        let is_long_cold = self
            .cold_since
            .is_some_and(|since| now.saturating_sub(since) >= COLD_FOR);
        if self.hot >= HOT_WINDOWS && rested >= REST_UP && workers < bounds.most {
            let more = workers.saturating_add(workers.div_ceil(4));
            Some((more.min(bounds.most), because))
        } else if is_long_cold && rested >= REST_DOWN && workers > bounds.least {
            Some((workers - 1, because))
        } else {
            None
        }
    }
}

impl Opened {
    /// The mean share of `lasted` that those were at work who are known from its beginning.
    fn mean(&self, now: &[(WorkerId, Duration)], lasted: Duration) -> Option<u32> {
        let shares: Vec<u128> = now
            .iter()
            .filter_map(|(id, after)| {
                let place = self.busy.binary_search_by_key(id, |(id, _)| *id).ok()?;
                let worked = after.saturating_sub(self.busy[place].1);
                Some((worked.as_nanos() * 1_000 / lasted.as_nanos().max(1)).min(1_000))
            })
            .collect();
        let count = u128::try_from(shares.len())
            .ok()
            .filter(|count| *count > 0)?;
        u32::try_from(shares.iter().sum::<u128>() / count).ok()
    }
}

impl Fleet {
    /// Follows the load, if that is wanted. Not while a reload runs, which has its own idea of how
    /// many workers there will be, nor while those who start have not shown what they can do.
    pub(super) fn follow_load(&mut self, look: &Look, now: Moment, out: &mut Vec<Action>) {
        if self.settings.elastic.is_none() {
            return;
        }
        let bounds = scale::bounds(&self.settings);
        let waiting = look.waiting.iter().map(|(_, count)| *count);
        let waiting = waiting.fold(look.waiting_shared, u32::saturating_add);
        let busy = self.busy(look);
        let Some(shown) = self.gauge.note(busy, waiting, now) else {
            return;
        };
        let judged = self.gauge.judge(shown, self.wanted_workers(), bounds, now);
        let help_comes = self.slots[..self.wanted].iter().any(is_starting);
        if let Some((to, because)) = judged
            && self.reload.running().is_none()
            && !help_comes
        {
            self.scale_to(to, because, now, out);
        }
    }

    /// How long everybody who serves and is not blocked has been at work, by number.
    fn busy(&self, look: &Look) -> Vec<(WorkerId, Duration)> {
        let healthy = self.healthy();
        let of = |signs: &Signs| match signs {
            Signs::Row { busy, .. } => Some(*busy),
            Signs::Words { .. } => None,
        };
        let mut all: Vec<_> = look
            .workers
            .iter()
            .filter(|sight| healthy.binary_search(&sight.worker).is_ok())
            .filter_map(|sight| Some((sight.worker, of(&sight.signs)?)))
            .collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        all
    }
}

fn is_starting(slot: &Slot) -> bool {
    slot.holder().is_some_and(|worker| !worker.is_ready())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use brigade_shared::id::WorkerId;
    use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};

    use super::{Gauge, Opened};
    use crate::plan::{Elastic, Moment};

    const LOOK: Duration = Duration::from_millis(250);

    /// A fleet in numbers: whatever the load, each worker does its share of it, and a wanted
    /// worker works at once.
    struct Model {
        gauge: Gauge,
        bounds: Elastic,
        workers: u16,
        now: Moment,
        worked: Vec<Duration>,
        course: Vec<u16>,
    }

    impl Model {
        fn new(least: u16, most: u16, workers: u16) -> Self {
            Self {
                gauge: Gauge::default(),
                bounds: Elastic { least, most },
                workers,
                now: Moment::ZERO,
                worked: vec![Duration::ZERO; usize::from(most)],
                course: vec![workers],
            }
        }

        /// So much work (in hundredths of a worker) comes for so long.
        fn under(&mut self, load: u32, lasts: Duration) {
            let until = self.now + lasts;
            while self.now < until {
                self.now += LOOK;
                let share = (load / u32::from(self.workers)).min(100);
                let waiting = load.saturating_sub(100 * u32::from(self.workers)) / 100;
                let present = &mut self.worked[..usize::from(self.workers)];
                present
                    .iter_mut()
                    .for_each(|sum| *sum += LOOK * share / 100);
                let busy = (0..).map(WorkerId).zip(present.iter().copied()).collect();
                let Some(shown) = self.gauge.note(busy, waiting, self.now) else {
                    continue;
                };
                let judged = self.gauge.judge(shown, self.workers, self.bounds, self.now);
                if let Some((to, _)) = judged {
                    self.workers = to;
                    self.course.push(to);
                    self.gauge.begin_anew(self.now);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn under_constant_load_it_goes_one_way_and_stays(
            load in 0..6_000_u32, least in 1..8_u16, more in 0..40_u16, from in 0..40_u16,
        ) {
            let most = least + more;
            let mut model = Model::new(least, most, (least + from).min(most));
            model.under(load, Duration::from_secs(60 * 60));
            let settled = model.course.clone();
            prop_assert!(settled.is_sorted() || settled.iter().rev().is_sorted(), "{:?}", settled);
            model.under(load, Duration::from_secs(60 * 10));
            prop_assert_eq!(model.course, settled);
        }

        #[test]
        fn full_load_reaches_the_most_and_idleness_the_least(least in 1..8_u16, more in 0..40_u16) {
            let most = least + more;
            let mut model = Model::new(least, most, least);
            model.under(100_000, Duration::from_secs(4 * u64::from(more) + 4));
            prop_assert_eq!(model.workers, most);
            model.under(0, Duration::from_secs(32 * (u64::from(more) + 1)));
            prop_assert_eq!(model.workers, least);
        }
    }

    #[test]
    fn a_short_peak_is_no_reason() {
        let mut model = Model::new(1, 8, 2);
        for _ in 0..50 {
            model.under(200, Duration::from_secs(2));
            model.under(120, Duration::from_secs(2));
        }
        assert_eq!(model.course, [2]);
    }

    #[test]
    fn a_window_that_was_slept_through_shows_nothing() {
        let mut gauge = Gauge::default();
        let busy = |millis| vec![(WorkerId(1), Duration::from_millis(millis))];
        assert_eq!(gauge.note(busy(0), 1, Duration::ZERO), None);
        assert_eq!(gauge.note(busy(9_000), 1, Duration::from_secs(9)), None);
    }

    #[test]
    fn only_those_are_counted_who_were_there_all_the_time() {
        let window = Opened {
            began: Moment::ZERO,
            busy: vec![(WorkerId(1), Duration::ZERO), (WorkerId(2), Duration::ZERO)],
            waiting: 0,
        };
        let worked = |millis| Duration::from_millis(millis);
        let now = [(WorkerId(2), worked(600)), (WorkerId(3), worked(1_000))];
        assert_eq!(window.mean(&now, worked(1_000)), Some(600));
        assert_eq!(window.mean(&[], worked(1_000)), None);
    }
}
