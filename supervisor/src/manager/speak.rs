//! Where the voice meets everything that it tells of.

use brigade_shared::id::SlotId;

use super::voice::Scene;
use crate::act::Hands;
use crate::launch::Launch;
use crate::plan::{Change, Fleet, Moment};

impl Hands {
    /// Tells the manager what there is to tell. Once a turn.
    pub(crate) fn speak(&mut self, fleet: &Fleet, now: Moment) {
        let board = self.nursery.ledger.board();
        let answered = |slots: u16| {
            let counts = (0..slots).map(|slot| board.counts(SlotId(slot)).answered());
            counts.sum()
        };
        let scene = Scene {
            fleet,
            answered: match self.nursery.launch {
                Launch::Service(_) => Some(&answered),
                // It tells nobody what it serves.
                Launch::Program(_) => None,
            },
            now,
        };
        self.voice.speak(&scene, &mut self.line);
    }

    /// Remembers what the manager is to be told of.
    pub(crate) fn note(&mut self, change: &Change) {
        self.voice.note(change, &self.reason, &self.roster);
    }
}
