//! The books of how the fleet is seen from outside: ready once enough serve, alive as long as a
//! restart would not help.

use brigade_shared::id::SlotId;
use brigade_supervisor::plan::{Change, Condition, Fleet, Health, Moment, Quorum};

use super::ledger::{Broken, Course, Ledger, Record, Rule, Told, hold};

impl Ledger {
    /// Readiness is told in the turn in which it is reached, and once.
    pub(crate) fn check_started(&mut self) -> Result<(), Broken> {
        let well = self.serving_well();
        let right = Change::ServiceReady {
            ready: well,
            wanted: self.wanted,
        };
        let is_told = |said: &&Change| matches!(said, Change::ServiceReady { .. });
        let told: Vec<_> = self.said.iter().filter(is_told).collect();
        let owed = !self.started && well >= self.needed();
        let true_word = told.iter().all(|told| **told == right);
        hold(
            true_word && told.len() == usize::from(owed),
            Rule::Health,
            || format!("{told:?}, owed {owed}: {well} of {} serve", self.needed()),
        )?;
        self.started |= owed;
        Ok(())
    }

    /// What the fleet shows must be what is known of it.
    pub(crate) fn compare_health(&self, fleet: &Fleet, now: Moment) -> Result<(), Broken> {
        let ready = self.wanted_slots().filter(|slot| self.slot_serves(*slot));
        let ready = u16::try_from(ready.count()).expect("not more than wanted");
        let well = self.serving_well();
        let leaving = self.alive().filter(|(_, record)| {
            let killed = matches!(record.told, Told::Kill { .. } | Told::Abort { .. });
            record.because.is_some() || (killed && self.stop.is_some())
        });
        let books = Health {
            phase: self.condition(),
            wanted: self.wanted,
            needed: self.needed(),
            ready,
            blocked: ready - well,
            leaving: u16::try_from(leaving.count()).expect("few"),
            is_started: self.started,
            is_ready: self.stop.is_none() && well >= self.needed(),
            is_alive: self.is_well_or_on_its_way(),
        };
        let shown = fleet.health();
        // One that missed a deadline leaves its slot or keeps it: the books need not know which.
        let alike = Health {
            leaving: books.leaving,
            ..shown
        } == books;
        hold(
            alike && shown.leaving >= books.leaving,
            Rule::Health,
            || format!("the fleet shows {shown:?}, the books say {books:?}"),
        )?;
        self.check_patience(fleet, now)
    }

    /// Whoever waits is not sent away while something is under way, nor kept when nothing is.
    fn check_patience(&self, fleet: &Fleet, now: Moment) -> Result<(), Broken> {
        let until = fleet.busy_until(now);
        let ahead = until.is_none_or(|until| until > now);
        let starting = self.alive().filter(|(_, record)| is_starting(record));
        let latest = starting.map(|(_, record)| record.start_by).max();
        let enough = match self.condition() {
            Condition::Serving => until.is_none(),
            Condition::Reloading | Condition::Upgrading => {
                latest.is_none_or(|at| at <= now || until.is_some_and(|until| until >= at))
            }
            Condition::Starting if !self.ever_ready && self.course == Course::Idle => {
                let hopeful = |record: &Record| {
                    let book = &self.slots[usize::from(record.slot.0)];
                    book.deaths < self.settings.start_attempts
                };
                let starting = self.alive().filter(|(_, record)| is_starting(record));
                let hopeful = starting.filter(|(_, record)| hopeful(record));
                let latest = hopeful.map(|(_, record)| record.start_by).max();
                latest.is_none_or(|at| at <= now || until.is_some_and(|until| until >= at))
            }
            Condition::Starting => true,
            Condition::Stopping => {
                let stop = self.stop.map(|stop| stop.finish_by);
                until.is_none_or(|until| stop.is_some_and(|by| until <= by))
            }
        };
        hold(ahead && enough, Rule::Health, || {
            format!("busy until {until:?} at {now:?}, starts end at {latest:?}")
        })
    }

    fn needed(&self) -> u16 {
        let wanted = u32::from(self.wanted);
        let count = match self.settings.ready_when {
            Quorum::Count(count) => u32::from(count),
            Quorum::Percent(percent) => (wanted * u32::from(percent)).div_ceil(100),
        };
        u16::try_from(count.max(1).min(wanted)).expect("not more than wanted")
    }

    fn serving_well(&self) -> u16 {
        let well = self
            .wanted_slots()
            .filter(|slot| self.slot_serves_well(*slot));
        u16::try_from(well.count()).expect("not more than wanted")
    }

    fn condition(&self) -> Condition {
        if self.stop.is_some() {
            return Condition::Stopping;
        }
        if !self.started {
            return Condition::Starting;
        }
        match &self.course {
            Course::Idle => Condition::Serving,
            Course::Loading | Course::Loaded(_) => Condition::Reloading,
            Course::Staged { .. } if self.is_upgrade => Condition::Upgrading,
            Course::Staged { .. } => Condition::Reloading,
            Course::Asking { .. } | Course::Departing | Course::Departed { .. } => {
                Condition::Upgrading
            }
            Course::Arrived(_) | Course::Returning(_) | Course::Returned { .. } => {
                Condition::Upgrading
            }
        }
    }

    fn is_well_or_on_its_way(&self) -> bool {
        let open = || (0..self.slots.len()).map(|index| SlotId(u16::try_from(index).expect("few")));
        let first = |slot: &SlotId| self.slots[usize::from(slot.0)].before_ready == 0;
        let starts = |slot: SlotId| self.in_slot(slot).any(|(_, record)| is_starting(record));
        // Its holder has been asked to leave for the sake of one that is to follow.
        let gives_way = |slot: SlotId| {
            let yielded = self.slots[usize::from(slot.0)].yielded;
            yielded && self.staged().is_some() && self.standing(slot).next().is_none()
        };
        self.stop.is_some()
            || !self.ever_ready
            || open().any(|slot| self.slot_serves_well(slot))
            || self
                .wanted_slots()
                .filter(first)
                .any(|slot| starts(slot) || gives_way(slot))
    }
}

fn is_starting(record: &Record) -> bool {
    record.alive
        && record.ready.is_none()
        && record.told == Told::Nothing
        && record.because.is_none()
}
