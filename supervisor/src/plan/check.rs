//! What must hold after every turn. Checked in debug builds; never on what a worker said.

use std::collections::HashSet;

use super::fleet::{Fleet, Phase};
use super::slot::{Slot, State};
use super::vocabulary::Moment;

impl Fleet {
    /// Panics if the fleet contradicts itself. Called at the end of every turn in debug builds.
    ///
    /// # Panics
    /// If an invariant is broken: a bug in the plan.
    pub fn check_invariants(&self, now: Moment) {
        for (index, slot) in self.slots.iter().enumerate() {
            assert_eq!(usize::from(slot.id.0), index, "slots have no gaps");
            self.check_slot(index, slot);
        }
        self.check_numbers();
        let next = self.next_deadline();
        assert!(
            next.is_none_or(|moment| moment >= now),
            "a deadline in the past was not met: it is {now:?} in {self:?}"
        );
        match self.phase {
            Phase::Fresh | Phase::Serving => {
                assert!(
                    (1..=self.slots.len()).contains(&self.wanted),
                    "wanted slots are open"
                );
                assert!(
                    self.steered
                        .iter()
                        .all(|id| usize::from(id.0) < self.slots.len())
                );
            }
            Phase::Stopping { .. } => {
                assert!(self.reload.is_idle(), "a stopping fleet does not reload");
            }
            Phase::Over => assert_eq!(next, None, "it is over"),
        }
        assert!(
            self.reload.running().is_some() || self.postponed == 0,
            "nothing waits in vain"
        );
        assert!(
            !(self.reload.queued && self.reload.is_idle()),
            "a queue has something before it"
        );
    }

    fn check_slot(&self, index: usize, slot: &Slot) {
        if let Some(worker) = &slot.successor {
            let (generation, wanted) = match self.reload.running() {
                Some(staged) => (staged.generation, staged.wanted()),
                None => (self.generation, self.wanted),
            };
            assert_eq!(worker.generation, generation);
            assert!(index < wanted, "a successor where none is wanted");
        }
        let stopping = match self.phase {
            Phase::Fresh | Phase::Serving => false,
            Phase::Stopping { .. } | Phase::Over => true,
        };
        match &slot.state {
            State::Held(worker) => {
                assert!(!stopping, "a stopping fleet holds nobody");
                let stays = index < self.wanted;
                assert!(
                    !stays || worker.generation >= self.generation,
                    "an old worker stays"
                );
            }
            State::Dying(_) => assert!(!stopping, "a stopping fleet only has leavers"),
            State::Yielded => assert!(
                self.reload.running().is_some() || slot.awaits_departure() || !self.may_refill(),
                "a holder has left for nobody"
            ),
            State::Resting { .. } | State::Parked => {
                assert!(
                    index < self.wanted && !stopping,
                    "an unwanted slot waits for nobody"
                );
            }
            State::Empty => {}
        }
    }

    fn check_numbers(&self) {
        let mut seen = HashSet::new();
        for slot in &self.slots {
            let holder = match &slot.state {
                State::Held(worker) => Some(worker.id),
                State::Dying(leaver) => Some(leaver.id),
                State::Empty | State::Resting { .. } => None,
                State::Parked | State::Yielded => None,
            };
            let successor = slot.successor.as_ref().map(|worker| worker.id);
            let leavers = slot.leavers.iter().map(|leaver| leaver.id);
            for id in holder.into_iter().chain(successor).chain(leavers) {
                assert!(seen.insert(id), "worker {id} is in two places");
                assert!(id.0 < self.next_worker, "worker {id} was never ordered");
            }
        }
        assert!(
            self.generation <= self.newest,
            "a generation out of nowhere"
        );
    }
}
