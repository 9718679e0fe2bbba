//! Who serves what nobody comes to.
//!
//! A slot that is out of service (its worker starts, rests, is parked, blocked or leaving, and
//! nobody else is ready there) keeps its queue, and its siblings serve what waits in it:
//!
//! ```text
//!             out of service, and blocked or something waits
//!   Served -------------------------------------------------> Relieved
//!     ^                                                          |
//!     +--- a worker of its own is ready and turns; or closed ----+
//! ```
//!
//! Relief ends only with service, not when the queue is empty: what comes a moment later would wait
//! for the next look.

use brigade_shared::id::{SlotId, WorkerId};

use super::fleet::Fleet;
use super::slot::Slot;
use super::vocabulary::{Action, Relief};
use super::worker::Worker;

/// Who is to be relieved by whom, from the slots, what the last look found waiting, and who was
/// relieved until now.
pub(super) fn wanted(
    slots: &[Slot],
    by: Vec<WorkerId>,
    waiting: &[(SlotId, u32)],
    waiting_shared: u32,
    until_now: &Relief,
) -> Relief {
    let waits = |slot: SlotId| {
        let place = waiting.binary_search_by_key(&slot, |(slot, _)| *slot);
        place.is_ok_and(|place| waiting[place].1 > 0)
    };
    let needs = |slot: &&Slot| {
        let was = until_now.slots.binary_search(&slot.id).is_ok();
        !slot.serves_well() && (slot.serves() || was || waits(slot.id))
    };
    let any_blocked = slots.iter().flat_map(Slot::serving).any(Worker::is_blocked);
    Relief {
        slots: slots.iter().filter(needs).map(|slot| slot.id).collect(),
        shared: any_blocked && waiting_shared > 0,
        by,
    }
}

impl Fleet {
    /// Those who serve, stay and turn, in ascending order. Surplus workers count only while nobody
    /// else serves, as in the steering.
    pub(super) fn healthy(&self) -> Vec<WorkerId> {
        let (stay, go) = self.slots.split_at(self.wanted.min(self.slots.len()));
        let well = |worker: &&Worker| !worker.is_blocked();
        let mut by: Vec<_> = stay.iter().flat_map(Slot::serving).filter(well).collect();
        // A successor in a slot that opened on trial gets no connections yet, but can take some.
        by.extend(
            go.iter()
                .filter_map(|slot| slot.successor.as_ref())
                .filter(|worker| worker.serves())
                .filter(well),
        );
        if by.is_empty() {
            by.extend(go.iter().filter_map(Slot::ready_holder).filter(well));
        }
        let mut by: Vec<_> = by.into_iter().map(|worker| worker.id).collect();
        by.sort_unstable();
        by
    }

    /// Orders the relief that is wanted now, if it is another; true if so.
    pub(super) fn relieve(&mut self, out: &mut Vec<Action>) -> bool {
        let (waiting, shared) = self.lookout.waiting();
        let relief = wanted(&self.slots, self.healthy(), waiting, shared, &self.relief);
        if relief == self.relief {
            return false;
        }
        self.relief.clone_from(&relief);
        out.push(Action::Relieve(relief));
        true
    }
}
