//! A number of workers that follows the load, seen from outside.

use std::collections::VecDeque;
use std::time::Duration;

use brigade_shared::id::WorkerId;
use brigade_supervisor::plan::{Elastic, Look, Moment, Settings, Signs};

use super::ledger::{Broken, Course, Ledger, Rule, hold};

/// So long looks are remembered.
const MEMORY: Duration = Duration::from_secs(40);

/// What the looks have shown of the load.
#[derive(Default)]
pub(crate) struct LoadBook {
    /// When; how busy the healthy were since the look before, in hundredths; what waited.
    looks: VecDeque<(Moment, Option<u32>, u32)>,
    busy: Vec<(WorkerId, Duration)>,
    /// When the number of workers last changed.
    changed: Moment,
}

/// Between which numbers one may choose.
pub(crate) fn bounds(settings: &Settings) -> (u16, u16) {
    settings
        .elastic
        .map_or((1, 1_024), |Elastic { least, most }| (least, most))
}

impl Ledger {
    pub(crate) fn note_load(&mut self, look: &Look, now: Moment) {
        let waiting =
            look.waiting.iter().map(|(_, count)| count).sum::<u32>() + look.waiting_shared;
        let healthy = |id: WorkerId| {
            let serves = self.workers.get(&id).is_some_and(|record| record.serves());
            serves && !self.is_blocked(id)
        };
        let busy: Vec<_> = look
            .workers
            .iter()
            .filter_map(|sight| match sight.signs {
                Signs::Row { busy, .. } if healthy(sight.worker) => Some((sight.worker, busy)),
                Signs::Row { .. } | Signs::Words { .. } => None,
            })
            .collect();
        let load = &mut self.load;
        let before = load.looks.back().map_or(now, |(at, _, _)| *at);
        let share = |(id, after): &(WorkerId, Duration)| {
            let (_, before_busy) = load.busy.iter().find(|(other, _)| other == id)?;
            let worked = after.saturating_sub(*before_busy).as_micros() * 100;
            u32::try_from(worked / (now - before).as_micros().max(1)).ok()
        };
        let shares: Vec<u32> = busy.iter().filter_map(share).collect();
        let count = u32::try_from(shares.len()).expect("few");
        if now > before + Duration::from_millis(500) {
            self.unsteady = now;
        }
        let mean = shares.iter().sum::<u32>().checked_div(count);
        load.busy = busy;
        load.looks.push_back((now, mean, waiting));
        while load
            .looks
            .front()
            .is_some_and(|(at, _, _)| *at + MEMORY < now)
        {
            load.looks.pop_front();
        }
    }

    pub(crate) fn load_changed(&mut self, now: Moment) {
        self.load.changed = now;
    }

    /// Looks of so long a time, the last one included; none if they do not go back so far.
    fn since(&self, lasts: Duration, now: Moment) -> Option<Vec<(Option<u32>, u32)>> {
        let looks = &self.load.looks;
        looks.front().filter(|(at, _, _)| *at + lasts <= now)?;
        let recent = looks.iter().filter(|(at, _, _)| *at + lasts > now);
        // A fleet that dozes does not look.
        recent.clone().next()?;
        Some(recent.map(|(_, busy, waiting)| (*busy, *waiting)).collect())
    }

    /// Whether a change because of the load has a reason.
    pub(crate) fn see_load(&self, from: u16, to: u16, now: Moment) -> Result<(), Broken> {
        let rested = now - self.load.changed;
        let within = self.settings.elastic.is_some_and(|bounds| {
            (bounds.least..=bounds.most).contains(&to) && self.staged().is_none()
        });
        let secs = Duration::from_secs;
        let reason = if to > from {
            let looks = self.since(secs(2), now).unwrap_or_default();
            let hot = |(busy, waiting): &(Option<u32>, u32)| {
                *waiting > 0 || busy.is_some_and(|b| b >= 60)
            };
            // A window's mean may hide a moment of rest.
            let most = looks.iter().filter(|look| hot(look)).count() * 10 >= looks.len() * 7;
            to <= from + from.div_ceil(4) && rested >= secs(3) && !looks.is_empty() && most
        } else {
            let looks = self.since(secs(29), now).unwrap_or_default();
            let spare = u32::from(from) - 1;
            let cold = |(busy, _): &(Option<u32>, u32)| {
                busy.is_none_or(|busy| busy * u32::from(from) < 60 * spare)
            };
            let most = looks.iter().filter(|look| cold(look)).count() * 10 >= looks.len() * 9;
            to + 1 == from && rested >= secs(30) && !looks.is_empty() && most
        };
        hold(within && reason, Rule::Elastic, || {
            format!("from {from} to {to} because of the load, after {rested:?}")
        })
    }

    /// What the load has called for all the time must have been done.
    pub(crate) fn check_load(&self, now: Moment) -> Result<(), Broken> {
        let Some(bounds) = self.settings.elastic.filter(|_| self.stop.is_none()) else {
            return Ok(());
        };
        let (low, high) = (self.wanted >= bounds.least, self.wanted <= bounds.most);
        hold(low && high, Rule::Elastic, || {
            format!("{} workers", self.wanted)
        })?;
        let generation = self.committed;
        let mut wanted = self.wanted_slots();
        let whole = wanted.all(|slot| self.serves_generation(slot, generation));
        let calm = whole && self.course == Course::Idle && self.postponed == 0;
        let rested = now.saturating_sub(self.load.changed.max(self.suspended).max(self.unsteady));
        let secs = Duration::from_secs;
        let up = rested > secs(8)
            && self.since(secs(7), now).is_some_and(|looks| {
                looks
                    .iter()
                    .all(|(busy, waiting)| *waiting > 0 || busy.is_some_and(|b| b > 85))
            });
        hold(
            !(calm && up && self.wanted < bounds.most),
            Rule::Elastic,
            || {
                format!(
                    "{} workers are not enough, and there are no more",
                    self.wanted
                )
            },
        )?;
        let down = rested > secs(36)
            && self.since(secs(34), now).is_some_and(|looks| {
                let spare = u32::from(self.wanted) - 1;
                let cold = |busy: u32| busy * u32::from(self.wanted) < 40 * spare;
                looks
                    .iter()
                    .all(|(busy, waiting)| *waiting == 0 && busy.is_some_and(cold))
            });
        hold(
            !(calm && down && self.wanted > bounds.least),
            Rule::Elastic,
            || {
                format!(
                    "{} workers have nothing to do, and there are no fewer",
                    self.wanted
                )
            },
        )
    }
}
