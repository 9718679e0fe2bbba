//! Where new connections go. A slot that starts, rests or leaves keeps its sockets and what waits
//! in them; it only gets nothing new while others can serve.

use brigade_shared::id::SlotId;

use super::slot::Slot;

/// The slots that get new connections, in ascending order; empty: all that are open. The first
/// `wanted` slots are to stay, the others are surplus or belong to a generation that has not taken
/// over yet.
pub(super) fn towards(slots: &[Slot], wanted: usize, will_open_more: bool) -> Vec<SlotId> {
    let (stay, go) = slots.split_at(wanted.min(slots.len()));
    let serving = ids(stay.iter().filter(|slot| slot.serves()));
    if !serving.is_empty() {
        return serving;
    }
    // A surplus worker is kept as long as it is the only one that serves. A successor there is
    // not counted: a slot that never got a connection can be closed without losing one.
    let last = ids(go.iter().filter(|slot| slot.ready_holder().is_some()));
    if !last.is_empty() {
        return last;
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
