//! What will happen in a world, and to whom.

use std::time::Duration;

use brigade_shared::exit::Exit;
use brigade_shared::id::{SlotId, WorkerId};
use brigade_supervisor::plan::Event;

use super::moods::Turn;

/// Another binary goes on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Leap {
    New,
    Old,
}

/// Something that will happen.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    /// The supervisor hears this, true or not.
    Heard(Event),
    /// A process says that it is ready, if it still lives.
    Ready(WorkerId),
    /// A process ends, if it still lives.
    Ends(WorkerId, Exit),
    /// A process or the world goes on in a way that the supervisor does not hear of.
    Turns(Turn),
    /// The operators have had enough.
    Enough,
}

/// A process and its character.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pub(super) slot: SlotId,
    pub(super) alive: bool,
    pub(super) deaf_to_drain: bool,
    pub(super) deaf_to_cut: bool,
    pub(super) immortal: bool,
    pub(super) liar: bool,
    /// After ready, unasked.
    pub(super) dies: Option<(Duration, Exit)>,
}
