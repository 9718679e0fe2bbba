//! A reload is a transaction: the whole new generation serves, or the whole old one does.
//!
//! ```text
//!           Reload              ConfigLoaded           every wanted slot has a ready successor
//!   Idle -----------> Loading ---------------> Running --------------------------> Idle (committed)
//!    ^   LoadConfig      |       StageConfig      |           CommitConfig
//!    |                   | ConfigRefused          | a successor fails: DropConfig
//!    +-------------------+------------------------+
//! ```
//!
//! `Running` first starts one successor, the canary; when that is ready, all others. Until the
//! commit nobody of the old generation leaves, so to roll back is only to dismiss successors, and
//! nobody old is waited for, so that a reload repairs a fleet that is down. A request that comes
//! meanwhile waits in a queue with one place: two reloads after this one would read the same file.

use brigade_shared::id::Generation;

use super::slot::Slot;
use super::vocabulary::Settings;

/// The reload and its queue.
#[derive(Clone, Debug)]
pub(super) struct Reload {
    pub(super) state: Progress,
    /// Another was asked for.
    pub(super) queued: bool,
}

/// How far it has come.
#[derive(Clone, Debug)]
pub(super) enum Progress {
    Idle,
    Loading,
    Running(Box<Transaction>),
}

/// A staged generation that has not taken over yet.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    pub(super) generation: Generation,
    pub(super) settings: Settings,
}

/// What a request for a reload comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// The configuration is to be read now.
    Load,
    /// It waits.
    Queued,
    /// One waits already.
    Coalesced,
}

/// What a running transaction does next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Start successors in these slots, as far as there is room; perhaps in none, for now.
    Start(Vec<usize>),
    /// Every successor is ready.
    Commit,
}

impl Reload {
    pub(super) fn idle() -> Self {
        Self {
            state: Progress::Idle,
            queued: false,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        match self.state {
            Progress::Idle => true,
            Progress::Loading | Progress::Running(_) => false,
        }
    }

    pub(super) fn running(&self) -> Option<&Transaction> {
        match &self.state {
            Progress::Running(transaction) => Some(transaction),
            Progress::Idle | Progress::Loading => None,
        }
    }

    /// Somebody asks for a reload.
    pub(super) fn ask(&mut self) -> Answer {
        match self.state {
            Progress::Idle => {
                self.state = Progress::Loading;
                Answer::Load
            }
            Progress::Loading | Progress::Running(_) if self.queued => Answer::Coalesced,
            Progress::Loading | Progress::Running(_) => {
                self.queued = true;
                Answer::Queued
            }
        }
    }

    /// Whether an answer to `LoadConfig` is awaited; if so it no longer is.
    pub(super) fn take_loading(&mut self) -> bool {
        match self.state {
            Progress::Loading => {
                self.state = Progress::Idle;
                true
            }
            Progress::Idle | Progress::Running(_) => false,
        }
    }

    /// Ends the running transaction, for better or worse.
    pub(super) fn take_running(&mut self) -> Option<Transaction> {
        match std::mem::replace(&mut self.state, Progress::Idle) {
            Progress::Running(transaction) => Some(*transaction),
            other @ (Progress::Idle | Progress::Loading) => {
                self.state = other;
                None
            }
        }
    }

    /// Lets the queued request begin if nothing is in its way.
    pub(super) fn take_queued(&mut self) -> bool {
        let begins = self.queued && self.is_idle();
        if begins {
            self.queued = false;
            self.state = Progress::Loading;
        }
        begins
    }
}

impl Transaction {
    /// How many slots the new generation wants.
    pub(super) fn wanted(&self) -> usize {
        usize::from(self.settings.workers)
    }

    /// What is next, seen from the slots as they are: nothing is remembered, so nothing can be
    /// forgotten.
    pub(super) fn step(&self, slots: &[Slot]) -> Step {
        let wanted = &slots[..self.wanted()];
        if wanted.iter().all(Slot::has_ready_successor) {
            return Step::Commit;
        }
        let canary_serves = wanted[0].has_ready_successor();
        let open = if canary_serves { wanted } else { &wanted[..1] };
        let without = |(_, slot): &(usize, &Slot)| slot.successor.is_none() && slot.has_room();
        Step::Start(
            open.iter()
                .enumerate()
                .filter(without)
                .map(|(index, _)| index)
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Reload};

    #[test]
    fn the_queue_has_one_place() {
        let mut reload = Reload::idle();
        assert_eq!(reload.ask(), Answer::Load);
        assert_eq!(reload.ask(), Answer::Queued);
        assert_eq!(reload.ask(), Answer::Coalesced);
        assert!(!reload.take_queued(), "the first still runs");
        assert!(reload.take_loading());
        assert!(reload.take_queued());
        assert!(!reload.take_queued(), "it has begun");
    }

    #[test]
    fn an_answer_that_nobody_asked_for_is_not_taken() {
        let mut reload = Reload::idle();
        assert!(!reload.take_loading());
        assert!(reload.take_running().is_none());
    }
}
