//! One slot: who holds it, who is to follow, who is still leaving.
//!
//! ```text
//!                         late: Kill
//!   Empty --spawn--> Held ---------------> Dying
//!                    | ^  blocked: Abort    |
//!                    | ^                    |
//!      exit, or no   | | due: spawn         | exit
//!      process       v |                    |
//!                  Resting <----------------+
//!
//!   from Held, Dying   exit 78   Parked   it must not be respawned
//!   from Parked                  Empty    an operator scales: another try
//!   from Held                    Yielded  a reload may not make more processes: the holder leaves first
//!   from Yielded                 Held     the reload is rolled back, and the old one has left
//!   from any                     Held     its successor takes over
//!   from any                     Empty    scaled away, or the fleet stops; a holder is dismissed
//! ```
//!
//! `Held` is a worker, starting or ready (worker.rs): of the committed generation, or, while a
//! reload replaces slot after slot, of the staged one, which may fail after that (recycle.rs).
//! Beside it stand at most one `successor`, of the staged generation while a reload runs and of the
//! committed one otherwise, and, for a while, the `leavers` (stop.rs).

use brigade_shared::id::{Generation, SlotId, WorkerId};
use serde::{Deserialize, Serialize};

use super::recycle::Renewal;
use super::restart::Deaths;
use super::stop::Leaver;
use super::vocabulary::{Action, Haste, Leaving, Moment, Settings};
use super::worker::Worker;

/// One slot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Slot {
    pub(super) id: SlotId,
    pub(super) state: State,
    pub(super) successor: Option<Worker>,
    pub(super) leavers: Vec<Leaver>,
    pub(super) deaths: Deaths,
    pub(super) renewal: Renewal,
    /// Since when no new connections are steered here; `None`: they are.
    pub(super) out_since: Option<Moment>,
}

/// Who holds a slot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum State {
    /// Nobody, and nobody is waited for.
    Empty,
    /// A worker that is starting or ready.
    Held(Worker),
    /// One that did not become ready in time and was killed, or that was blocked for too long and
    /// was aborted; its exit counts as its death.
    Dying(Leaver),
    /// Nobody until then.
    Resting { until: Moment },
    /// Nobody: the last worker asked not to be respawned.
    Parked,
    /// Nobody: it leaves before its successor starts, since a reload may not make more processes.
    Yielded,
}

/// A worker that is no more, and what it was to its slot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Gone {
    pub(super) slot: SlotId,
    pub(super) role: Role,
    pub(super) generation: Generation,
    pub(super) born: Moment,
    pub(super) ready_since: Option<Moment>,
}

/// What a worker is to its slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// It held the slot.
    Holder,
    /// It was to take over.
    Successor,
    /// It had been told to leave.
    Leaver,
}

impl Slot {
    pub(super) fn new(id: SlotId, out_since: Option<Moment>) -> Self {
        Self {
            id,
            state: State::Empty,
            successor: None,
            leavers: Vec::new(),
            deaths: Deaths::default(),
            renewal: Renewal::default(),
            out_since,
        }
    }

    /// Takes note that a worker can serve: it, if that is news.
    pub(super) fn became_ready(&mut self, id: WorkerId, now: Moment) -> Option<Worker> {
        let holder = match &mut self.state {
            State::Held(worker) => Some(worker),
            // It may say so with SIGKILL on its way; it is too late.
            State::Dying(_) => None,
            State::Empty | State::Resting { .. } | State::Parked | State::Yielded => None,
        };
        let mut both = holder.into_iter().chain(&mut self.successor);
        let worker = both.find(|worker| worker.id == id)?;
        worker.became_ready(now).then_some(*worker)
    }

    /// Takes note that a worker has ended, if it was of this slot. A slot that lost its holder is
    /// empty until the restart policy has spoken.
    pub(super) fn lost(&mut self, id: WorkerId) -> Option<Gone> {
        let slot = self.id;
        if let Some(place) = self.leavers.iter().position(|leaver| leaver.id == id) {
            let Leaver {
                generation, born, ..
            } = self.leavers.remove(place);
            return Some(Gone {
                slot,
                role: Role::Leaver,
                generation,
                born,
                ready_since: None,
            });
        }
        if let Some(worker) = self.successor.take_if(|worker| worker.id == id) {
            return Some(Gone {
                slot,
                role: Role::Successor,
                generation: worker.generation,
                born: worker.born,
                ready_since: worker.ready_since(),
            });
        }
        let (generation, born, ready_since) = match &self.state {
            State::Held(worker) if worker.id == id => {
                (worker.generation, worker.born, worker.ready_since())
            }
            State::Dying(leaver) if leaver.id == id => {
                (leaver.generation, leaver.born, leaver.ready_since)
            }
            State::Held(_) | State::Dying(_) => return None,
            State::Empty | State::Resting { .. } | State::Parked | State::Yielded => return None,
        };
        self.state = State::Empty;
        Some(Gone {
            slot,
            role: Role::Holder,
            generation,
            born,
            ready_since,
        })
    }

    /// Tells a worker of this slot to leave.
    pub(super) fn dismiss(
        &mut self,
        worker: Worker,
        because: Leaving,
        haste: Haste,
        settings: &Settings,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        self.leavers
            .push(Leaver::dismiss(worker, because, haste, settings, now, out));
    }

    /// A killed holder no longer keeps the slot: its exit is that of one who was told to leave.
    pub(super) fn stop_waiting_for_the_dying(&mut self) {
        match std::mem::replace(&mut self.state, State::Empty) {
            State::Dying(leaver) => self.leavers.push(leaver),
            other @ (State::Empty
            | State::Held(_)
            | State::Resting { .. }
            | State::Parked
            | State::Yielded) => self.state = other,
        }
    }

    /// The holder, if it is ready.
    pub(super) fn ready_holder(&self) -> Option<&Worker> {
        self.holder().filter(|worker| worker.is_ready())
    }

    /// Everybody who serves here: the holder, the successor.
    pub(super) fn serving(&self) -> impl Iterator<Item = &Worker> {
        self.staying().filter(|worker| worker.serves())
    }

    pub(super) fn ready_mut(&mut self) -> impl Iterator<Item = &mut Worker> {
        let holder = match &mut self.state {
            State::Held(worker) => Some(worker),
            State::Empty
            | State::Dying(_)
            | State::Resting { .. }
            | State::Parked
            | State::Yielded => None,
        };
        holder
            .into_iter()
            .chain(&mut self.successor)
            .filter(|worker| worker.is_ready())
    }

    /// Whether somebody here answers connections, turns, and is not about to leave.
    pub(super) fn serves_well(&self) -> bool {
        self.serving().any(|worker| !worker.is_blocked())
    }

    pub(super) fn has_ready_successor(&self) -> bool {
        self.successor.as_ref().is_some_and(Worker::is_ready)
    }

    /// Whether somebody here answers connections and is not about to leave.
    pub(super) fn serves(&self) -> bool {
        self.serving().next().is_some()
    }

    /// Lets those begin who need not wait for a take-over any more: the holder, and, where one is
    /// wanted and nobody else serves, the successor.
    pub(super) fn let_begin(&mut self, is_wanted: bool, out: &mut Vec<Action>) {
        if let State::Held(holder) = &mut self.state {
            holder.begin(out);
        }
        let is_alone = is_wanted && self.ready_holder().is_none();
        if let Some(successor) = self.successor.as_mut().filter(|_| is_alone) {
            successor.begin(out);
        }
    }

    /// Whether nobody is here and nobody will come.
    pub(super) fn is_vacant(&self) -> bool {
        self.state == State::Empty && self.successor.is_none() && self.leavers.is_empty()
    }

    /// Processes that exist or were ordered.
    pub(super) fn processes(&self) -> usize {
        let holder = match self.state {
            State::Held(_) | State::Dying(_) => 1,
            State::Empty | State::Resting { .. } | State::Parked | State::Yielded => 0,
        };
        holder + usize::from(self.successor.is_some()) + self.leavers.len()
    }

    pub(super) fn has_room(&self, most: usize) -> bool {
        self.processes() < most
    }

    /// Holder and successor, ready or not.
    pub(super) fn staying(&self) -> impl Iterator<Item = &Worker> {
        self.holder().into_iter().chain(&self.successor)
    }

    /// The holder, ready or not.
    pub(super) fn holder(&self) -> Option<&Worker> {
        match &self.state {
            State::Held(worker) => Some(worker),
            State::Empty | State::Dying(_) | State::Resting { .. } => None,
            State::Parked | State::Yielded => None,
        }
    }

    pub(super) fn is_held(&self) -> bool {
        self.holder().is_some()
    }

    /// When a wanted slot waits for its next holder; `None` if it waits for none. A ready
    /// successor already serves: an old worker beside it would only be drained again. `most`: so
    /// many processes it may have.
    pub(super) fn refill_at(&self, now: Moment, most: usize) -> Option<Moment> {
        if self.has_ready_successor() || !self.has_room(most) {
            return None;
        }
        match self.state {
            State::Empty => Some(now),
            State::Resting { until } => Some(until),
            State::Yielded if self.successor.is_none() && !self.awaits_departure() => Some(now),
            State::Held(_) | State::Dying(_) | State::Parked | State::Yielded => None,
        }
    }

    /// Whether two at a time would be one too many here: the one that yielded has not left. One
    /// that even SIGKILL does not end is not waited for.
    pub(super) fn awaits_departure(&self) -> bool {
        self.state == State::Yielded && !self.leavers.iter().all(Leaver::is_lost)
    }

    /// Whether its worker may still become ready: it has not failed too often.
    pub(super) fn is_hopeful(&self, attempts: u32) -> bool {
        let failed = self
            .deaths
            .before_ready
            .saturating_add(self.deaths.after_ready);
        failed < attempts.max(1)
    }

    /// The next moment at which one of its workers misses a deadline.
    pub(super) fn deadline(&self) -> Option<Moment> {
        let holder = match &self.state {
            State::Held(worker) => worker.deadline(),
            State::Dying(leaver) => Some(leaver.deadline()),
            State::Empty | State::Resting { .. } | State::Parked | State::Yielded => None,
        };
        let successor = self.successor.as_ref().and_then(Worker::deadline);
        let leavers = self.leavers.iter().map(Leaver::deadline).min();
        [holder, successor, leavers].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use brigade_shared::id::{Generation, SlotId, WorkerId};

    use super::{Role, Slot, State};
    use crate::plan::recycle::Use;
    use crate::plan::sign::Limits;
    use crate::plan::vocabulary::Moment;
    use crate::plan::worker::{Stage, Worker};

    fn slot() -> Slot {
        let worker = |id, generation| Worker {
            id: WorkerId(id),
            generation: Generation(generation),
            born: Moment::ZERO,
            stage: Stage::Starting {
                overdue: Moment::MAX,
            },
            holds: false,
            used: Use::default(),
            limits: Limits::default(),
        };
        let mut slot = Slot::new(SlotId(0), None);
        slot.state = State::Held(worker(1, 1));
        slot.successor = Some(worker(2, 2));
        slot
    }

    #[test]
    fn a_worker_becomes_ready_once() {
        let mut slot = slot();
        assert!(slot.became_ready(WorkerId(1), Moment::ZERO).is_some());
        assert!(slot.became_ready(WorkerId(1), Moment::ZERO).is_none());
        assert!(slot.became_ready(WorkerId(3), Moment::ZERO).is_none());
        assert!(slot.ready_holder().is_some() && !slot.has_ready_successor());
    }

    #[test]
    fn who_is_gone_is_known_by_its_role() {
        let mut slot = slot();
        assert_eq!(slot.lost(WorkerId(3)), None);
        assert_eq!(
            slot.lost(WorkerId(2)).map(|gone| gone.role),
            Some(Role::Successor)
        );
        assert_eq!(
            slot.lost(WorkerId(1)).map(|gone| gone.role),
            Some(Role::Holder)
        );
        assert_eq!(slot.lost(WorkerId(1)), None, "it was lost already");
        assert!(slot.is_vacant());
    }

    #[test]
    fn a_slot_with_a_ready_successor_waits_for_nobody() {
        let mut slot = slot();
        slot.lost(WorkerId(1));
        assert_eq!(slot.refill_at(Moment::ZERO, 4), Some(Moment::ZERO));
        slot.became_ready(WorkerId(2), Moment::ZERO);
        assert_eq!(slot.refill_at(Moment::ZERO, 4), None);
    }
}
