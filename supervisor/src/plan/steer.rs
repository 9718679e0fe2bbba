//! Where new connections go. A slot that starts, rests, is blocked or leaves keeps its sockets and
//! what waits in them; it only gets nothing new while others can serve.

use brigade_shared::id::SlotId;

use super::slot::Slot;

/// The slots that get new connections, in ascending order; empty: all that are open. The first
/// `wanted` slots are to stay, the others are surplus or belong to a generation that has not taken
/// over yet.
pub(super) fn towards(slots: &[Slot], wanted: usize, will_open_more: bool) -> Vec<SlotId> {
    let (stay, go) = slots.split_at(wanted.min(slots.len()));
    let serving = ids(stay.iter().filter(|slot| slot.serves_well()));
    if !serving.is_empty() {
        return serving;
    }
    // A surplus worker is kept as long as it is the only one that serves. A successor there is
    // not counted: a slot that never got a connection can be closed without losing one.
    let holders = |go: &&Slot| go.ready_holder().is_some_and(|worker| !worker.is_blocked());
    let last = ids(go.iter().filter(holders));
    if !last.is_empty() {
        return last;
    }
    // All who could serve are blocked: who recovers first is the one to wait for.
    let blocked = ids(stay.iter().filter(|slot| slot.serves()));
    if !blocked.is_empty() {
        return blocked;
    }
    let blocked = ids(go.iter().filter(|slot| slot.ready_holder().is_some()));
    if !blocked.is_empty() {
        return blocked;
    }
    // Nobody serves: connections wait, but only where the socket will not be closed.
    if go.is_empty() && !will_open_more {
        Vec::new()
    } else {
        ids(stay.iter())
    }
}

fn ids<'a>(slots: impl Iterator<Item = &'a Slot>) -> Vec<SlotId> {
    slots.map(|slot| slot.id).collect()
}

#[cfg(test)]
mod tests {
    use brigade_shared::id::{Generation, SlotId, WorkerId};

    use super::towards;
    use crate::plan::recycle::Use;
    use crate::plan::sign::Limits;
    use crate::plan::slot::{Slot, State};
    use crate::plan::vigil::Vigil;
    use crate::plan::vocabulary::Moment;
    use crate::plan::worker::{Stage, Worker};

    fn worker(stage: Stage) -> Worker {
        Worker {
            id: WorkerId(1),
            generation: Generation::FIRST,
            born: Moment::ZERO,
            stage,
            holds: false,
            used: Use::default(),
            limits: Limits::default(),
        }
    }

    /// Slots by their letters: Ready, Blocked, Starting, empty (-), successor ready (+).
    fn slots(letters: &str) -> Vec<Slot> {
        let ready = worker(Stage::Ready {
            since: Moment::ZERO,
            vigil: Vigil::Unseen,
        });
        let blocked = worker(Stage::Ready {
            since: Moment::ZERO,
            vigil: Vigil::Blocked {
                mark: 0,
                since: Moment::ZERO,
                counted: Moment::ZERO,
            },
        });
        let starting = worker(Stage::Starting {
            overdue: Moment::MAX,
        });
        let slot = |(index, letter)| {
            let mut slot = Slot::new(SlotId(index), None);
            match letter {
                'R' => slot.state = State::Held(ready),
                'B' => slot.state = State::Held(blocked),
                'S' => slot.state = State::Held(starting),
                '+' => slot.successor = Some(ready),
                _ => {}
            }
            slot
        };
        (0..).zip(letters.chars()).map(slot).collect()
    }

    fn steered(letters: &str, wanted: usize, will_open_more: bool) -> Vec<u16> {
        let to = towards(&slots(letters), wanted, will_open_more);
        to.into_iter().map(|slot| slot.0).collect()
    }

    #[test]
    fn the_ready_get_all_that_is_new() {
        assert_eq!(steered("RSR-", 4, false), [0, 2]);
        assert_eq!(steered("S+SS", 4, false), [1], "a successor serves already");
    }

    #[test]
    fn a_surplus_slot_gets_something_only_if_nobody_else_serves() {
        assert_eq!(steered("RRR", 2, false), [0, 1]);
        assert_eq!(steered("S-R", 2, false), [2]);
        assert_eq!(
            steered("SS+", 2, false),
            [0, 1],
            "a trial is not steered to"
        );
    }

    #[test]
    fn the_blocked_get_nothing_while_somebody_turns() {
        assert_eq!(steered("RBR", 3, false), [0, 2]);
        assert_eq!(steered("BBR", 2, false), [2], "a surplus worker turns");
        assert_eq!(steered("BSBB", 3, false), [0, 2], "all who could serve");
        assert_eq!(steered("S-B", 2, false), [2]);
    }

    #[test]
    fn when_nobody_serves_all_wait_where_somebody_will_come() {
        assert_eq!(steered("S--", 3, false), [0_u16; 0], "everywhere");
        assert_eq!(steered("S--", 3, true), [0, 1, 2]);
        assert_eq!(steered("S--", 2, false), [0, 1]);
    }
}
