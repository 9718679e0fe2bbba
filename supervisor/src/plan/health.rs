//! How the fleet is, for those who decide from outside: the service manager, its watchdog, a load
//! balancer.
//!
//! ```text
//!             enough serve: ServiceReady        Reload, Upgrade
//!   Starting --------------------------> Serving <-----------> Reloading, Upgrading
//!      |                                    |                          |
//!      +---------------------- Stop, or given up ----------------------+---> Stopping
//! ```

use super::fleet::{Fleet, Phase};
use super::reload::Progress;
use super::slot::{Slot, State};
use super::vocabulary::{Action, Change, Moment, Quorum};
use super::worker::Worker;

/// How the fleet is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Health {
    /// What it is doing.
    pub phase: Condition,
    /// So many workers are wanted.
    pub wanted: u16,
    /// So many of them have to serve for the service to count as ready.
    pub needed: u16,
    /// So many wanted slots have a worker that takes connections.
    pub ready: u16,
    /// So many of these have only workers that stand still.
    pub blocked: u16,
    /// So many workers were told to leave and are still there.
    pub leaving: u16,
    /// Whether enough workers have ever served at a time. It stays true.
    pub is_started: bool,
    /// Whether enough workers serve now; false from the first moment of a stop.
    pub is_ready: bool,
    /// False if a restart would help: there is nobody who serves and turns, and nobody is on the
    /// way there for the first time. A fleet that starts or stops is alive: it has its own
    /// deadlines.
    pub is_alive: bool,
}

/// What the fleet is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// Not enough workers have ever served at a time.
    Starting,
    /// Nothing but that.
    Serving,
    /// A new generation is on its way, or asked for.
    Reloading,
    /// A new binary is on its way.
    Upgrading,
    /// It stops, or has stopped.
    Stopping,
}

impl Fleet {
    /// How the fleet is now.
    #[must_use]
    pub fn health(&self) -> Health {
        let wanted = &self.slots[..self.wanted.min(self.slots.len())];
        let count = |which: fn(&Slot) -> bool| {
            let found = wanted.iter().filter(|slot| which(slot)).count();
            u16::try_from(found).unwrap_or(u16::MAX)
        };
        let ready = count(Slot::serves);
        let well = count(Slot::serves_well);
        let needed = self.settings.ready_when.of(self.wanted_workers());
        let leaving: usize = self.slots.iter().map(|slot| slot.leavers.len()).sum();
        let phase = self.condition();
        Health {
            phase,
            wanted: self.wanted_workers(),
            needed,
            ready,
            blocked: ready - well,
            leaving: u16::try_from(leaving).unwrap_or(u16::MAX),
            is_started: self.started,
            is_ready: self.is_staying() && well >= needed,
            is_alive: self.is_alive(),
        }
    }

    fn condition(&self) -> Condition {
        match (self.phase, &self.reload.state) {
            (Phase::Stopping { .. } | Phase::Over, _) => Condition::Stopping,
            (Phase::Fresh | Phase::Serving, _) if !self.started => Condition::Starting,
            (Phase::Fresh | Phase::Serving, progress) => match progress {
                Progress::Idle => Condition::Serving,
                Progress::Loading => Condition::Reloading,
                Progress::Running(staged) if staged.is_upgrade => Condition::Upgrading,
                Progress::Running(_) => Condition::Reloading,
                Progress::Asking { .. } | Progress::Departing(_) => Condition::Upgrading,
                Progress::Departed { .. } => Condition::Upgrading,
            },
        }
    }

    /// A surplus worker that still serves is as good a sign as any.
    fn is_alive(&self) -> bool {
        match self.phase {
            Phase::Fresh | Phase::Stopping { .. } | Phase::Over => true,
            Phase::Serving => {
                let mut wanted = self.slots.iter().take(self.wanted);
                let replaces = self.reload.running().is_some();
                self.slots.iter().any(Slot::serves_well)
                    || wanted.any(|slot| is_on_its_way(slot, replaces))
            }
        }
    }

    /// Enough workers serve for the first time.
    pub(super) fn tell_service_ready(&mut self, out: &mut Vec<Action>) {
        if self.started {
            return;
        }
        let health = self.health();
        if health.is_ready {
            self.started = true;
            let (ready, wanted) = (health.ready - health.blocked, health.wanted);
            out.push(Action::Announce(Change::ServiceReady { ready, wanted }));
        }
    }

    /// Until when what goes on may last, by deadlines of its own: a start, a reload, an upgrade, a
    /// stop. None: nothing does, or nothing that is to be waited for.
    #[must_use]
    pub fn busy_until(&self, now: Moment) -> Option<Moment> {
        let until = match self.condition() {
            Condition::Serving => None,
            Condition::Starting => {
                let attempts = self.settings.start_attempts;
                let hopeful = self.slots.iter().filter(|slot| slot.is_hopeful(attempts));
                hopeful.filter_map(|slot| self.start_until(slot)).max()
            }
            Condition::Reloading | Condition::Upgrading => {
                let starts = self.slots.iter().flat_map(Slot::staying);
                let starts = starts.filter_map(Worker::deadline);
                let others = [self.proof_deadline(), self.answer_deadline()];
                // Who leaves may be in the way of who follows.
                let leaving = self.slots.iter();
                let leaving = leaving.filter_map(|slot| self.departure_until(slot));
                starts
                    .chain(others.into_iter().flatten())
                    .chain(leaving)
                    .max()
            }
            Condition::Stopping => {
                let leaving = self.slots.iter();
                leaving.filter_map(|slot| self.departure_until(slot)).max()
            }
        };
        until.filter(|until| *until > now)
    }

    /// When a slot's worker will have started, or the next one.
    fn start_until(&self, slot: &Slot) -> Option<Moment> {
        match &slot.state {
            State::Held(_) => slot.staying().filter_map(Worker::deadline).max(),
            State::Resting { until } => Some(*until + self.settings.start_timeout),
            State::Dying(_) | State::Empty | State::Parked | State::Yielded => None,
        }
    }

    fn departure_until(&self, slot: &Slot) -> Option<Moment> {
        let leavers = slot.leavers.iter();
        leavers
            .filter_map(|leaver| leaver.until(&self.settings))
            .max()
    }
}

/// Whether a slot's first replacement is on its way: after a failed start it is not waited for any
/// more. `replaces`: a reload may have asked its holder to leave first.
fn is_on_its_way(slot: &Slot, replaces: bool) -> bool {
    let starts = slot.staying().any(|worker| !worker.is_ready());
    let yielded = replaces && slot.state == State::Yielded;
    slot.deaths.before_ready == 0 && (starts || yielded)
}

impl Quorum {
    /// So many of these workers; at least one, and not more than all.
    #[must_use]
    pub fn of(self, wanted: u16) -> u16 {
        let count = match self {
            Self::Count(count) => count,
            Self::Percent(percent) => {
                let hundredths = u32::from(wanted) * u32::from(percent);
                u16::try_from(hundredths.div_ceil(100)).unwrap_or(u16::MAX)
            }
        };
        count.clamp(1, wanted.max(1))
    }
}

impl Default for Quorum {
    fn default() -> Self {
        Self::Percent(100)
    }
}

#[cfg(test)]
mod tests {
    use super::Quorum;

    #[test]
    fn a_quorum_is_rounded_up_and_never_nobody_or_more_than_all() {
        assert_eq!(Quorum::default().of(8), 8);
        assert_eq!(Quorum::Percent(50).of(5), 3);
        assert_eq!(Quorum::Percent(0).of(5), 1);
        assert_eq!(Quorum::Count(3).of(8), 3);
        assert_eq!(Quorum::Count(3).of(2), 2);
    }
}
