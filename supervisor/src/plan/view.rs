//! What an outsider may see of the fleet: copies, never handles.

use brigade_shared::id::{Generation, SlotId, WorkerId};

use super::fleet::{Fleet, Phase};
use super::slot::{Slot, State};
use super::vocabulary::{Haste, Moment, Settings};

/// One slot as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlotView {
    /// Which.
    pub slot: SlotId,
    /// Who holds it.
    pub state: SlotState,
    /// The worker of a running reload that is to take over, and whether it is ready.
    pub successor: Option<(WorkerId, bool)>,
    /// Workers that were told to leave and have not left.
    pub leaving: Vec<WorkerId>,
    /// Deaths before ready since the slot was last calm.
    pub failed_starts: u32,
    /// Deaths after ready since the slot was last calm.
    pub crashes: u32,
}

/// Who holds a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlotState {
    /// Nobody, and nobody is waited for.
    Empty,
    /// A worker that is not ready yet.
    Starting(WorkerId),
    /// A worker that serves.
    Ready(WorkerId),
    /// A worker that did not become ready in time and was killed.
    Dying(WorkerId),
    /// Nobody until this moment.
    Resting(Moment),
    /// Nobody: the last worker asked not to be respawned.
    Parked,
}

impl Fleet {
    /// The open slots, from the lowest.
    pub fn slots(&self) -> impl Iterator<Item = SlotView> + '_ {
        self.slots.iter().map(view)
    }

    /// The generation that serves.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// The generation of the running reload.
    #[must_use]
    pub fn staged(&self) -> Option<Generation> {
        self.reload.staged()
    }

    /// How many workers are wanted.
    #[must_use]
    pub fn wanted(&self) -> u16 {
        self.wanted_workers()
    }

    /// The settings of the generation that serves.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How the fleet stops, if it does.
    #[must_use]
    pub fn stopping(&self) -> Option<Haste> {
        match self.phase {
            Phase::Stopping { how, .. } => Some(how),
            Phase::Fresh | Phase::Serving | Phase::Over => None,
        }
    }

    /// Whether `Action::Finish` was ordered: nothing follows.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }
}

fn view(slot: &Slot) -> SlotView {
    let state = match &slot.state {
        State::Empty | State::Yielded => SlotState::Empty,
        State::Held(worker) if worker.is_ready() => SlotState::Ready(worker.id),
        State::Held(worker) => SlotState::Starting(worker.id),
        State::Dying(leaver) => SlotState::Dying(leaver.id),
        State::Resting { until } => SlotState::Resting(*until),
        State::Parked => SlotState::Parked,
    };
    SlotView {
        slot: slot.id,
        state,
        successor: slot
            .successor
            .as_ref()
            .map(|worker| (worker.id, worker.is_ready())),
        leaving: slot.leavers.iter().map(|leaver| leaver.id).collect(),
        failed_starts: slot.deaths.before_ready,
        crashes: slot.deaths.after_ready,
    }
}
