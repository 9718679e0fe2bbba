//! A reload is a transaction: the whole new generation serves, or the whole old one does. An
//! upgrade is the same transaction, run by the new binary (upgrade.rs).
//!
//! ```text
//!           Reload              ConfigLoaded           all are ready, the canary is proven
//!   Idle -----------> Loading ---------------> Running -----------------------------> Idle (committed)
//!    ^   LoadConfig      |       StageConfig      |            CommitConfig
//!    |                   | ConfigRefused          | one of the new generation fails: DropConfig
//!    +-------------------+------------------------+
//!
//!   within Running, each looked up in the slots:
//!                        ready                        probation over
//!   canary alone starts -------> the others start ----------------------> commit when all are ready
//!                                as far as `surge`    those beyond `surge` and `unavailable`:
//!                                lets them, and       the ready take over, the next ones start
//!                                hold still
//! ```
//!
//! As long as the surge suffices for all, nobody of the old generation leaves before the commit, so
//! to roll back is only to dismiss successors. Otherwise the slots follow in waves, and slots that
//! were already taken over get a worker of the old generation again (recycle.rs). Nobody old is
//! waited for, so that a reload repairs a fleet that is down. A request that comes meanwhile waits
//! in a queue with one place: two reloads after this one would read the same file.

use brigade_shared::id::Generation;
use serde::{Deserialize, Serialize};

use super::slot::Slot;
use super::upgrade::Image;
use super::vocabulary::{Moment, Settings};
use super::worker::Worker;

/// The reload and its queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Reload {
    pub(super) state: Progress,
    /// Another was asked for.
    pub(super) queued: bool,
}

/// How far it has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Progress {
    Idle,
    Loading,
    /// The sentinel has to answer until then.
    Asking {
        until: Moment,
    },
    /// The turn ends with the order to become this binary.
    Departing(Image),
    /// That was ordered; this is still the binary before, until then at the latest.
    Departed {
        to: Image,
        until: Moment,
    },
    Running(Box<Transaction>),
}

/// A staged generation that has not taken over yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Transaction {
    pub(super) generation: Generation,
    pub(super) settings: Settings,
    /// The new binary runs it, to prove itself.
    pub(super) is_upgrade: bool,
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
    /// Nothing, for now.
    Wait,
    /// Start successors in these slots, beside the holders if there are any.
    Start(Vec<usize>),
    /// Let the holders of these slots go; their successors start when they have left.
    Yield(Vec<usize>),
    /// The ready successors of these slots take over, to make room for others.
    TakeOver(Vec<usize>),
    /// Every one of the new generation is ready, and the canary is proven.
    Commit,
}

/// What a step depends on beside the slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Circumstances {
    /// So many slots are those of the committed generation.
    pub(super) wanted: usize,
    /// So many processes a slot may have.
    pub(super) most: usize,
    /// The canary's probation is over.
    pub(super) proven: bool,
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
            Progress::Asking { .. } | Progress::Departing(_) | Progress::Departed { .. } => false,
        }
    }

    pub(super) fn running(&self) -> Option<&Transaction> {
        match &self.state {
            Progress::Running(transaction) => Some(transaction),
            Progress::Idle | Progress::Loading => None,
            Progress::Asking { .. } | Progress::Departing(_) | Progress::Departed { .. } => None,
        }
    }

    /// The generation that is about to take over.
    pub(super) fn staged(&self) -> Option<Generation> {
        self.running().map(|staged| staged.generation)
    }

    /// Somebody asks for a reload.
    pub(super) fn ask(&mut self) -> Answer {
        if self.is_idle() {
            self.state = Progress::Loading;
            Answer::Load
        } else if self.queued {
            Answer::Coalesced
        } else {
            self.queued = true;
            Answer::Queued
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
            Progress::Asking { .. } | Progress::Departing(_) | Progress::Departed { .. } => false,
        }
    }

    /// Ends the running transaction, for better or worse.
    pub(super) fn take_running(&mut self) -> Option<Transaction> {
        match std::mem::replace(&mut self.state, Progress::Idle) {
            Progress::Running(transaction) => Some(*transaction),
            other @ (Progress::Idle
            | Progress::Loading
            | Progress::Asking { .. }
            | Progress::Departing(_)
            | Progress::Departed { .. }) => {
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

    /// The slot's worker of the new generation.
    fn worker_in<'a>(&self, slot: &'a Slot) -> Option<&'a Worker> {
        slot.staying()
            .find(|worker| worker.generation == self.generation)
    }

    /// When the canary will have been well for long enough.
    pub(super) fn proven_at(&self, slots: &[Slot]) -> Option<Moment> {
        let since = self.worker_in(&slots[0])?.ready_since()?;
        Some(since + self.settings.probation)
    }

    /// What is next, seen from the slots as they are: nothing is remembered, so nothing can be
    /// forgotten.
    pub(super) fn step(&self, slots: &[Slot], now: Circumstances) -> Step {
        let wanted = &slots[..self.wanted()];
        let serves = |slot: &Slot| self.worker_in(slot).is_some_and(Worker::is_ready);
        if wanted.iter().all(serves) {
            return if now.proven { Step::Commit } else { Step::Wait };
        }
        let canary_serves = serves(&wanted[0]);
        // Who can't be told to hold still would serve before the canary is proven.
        let may_follow = now.proven || self.settings.can_hold;
        let open = if canary_serves && may_follow {
            wanted
        } else {
            &wanted[..1]
        };
        let mut surplus = doubled(wanted);
        let (mut start, mut blocked) = (Vec::new(), Vec::new());
        for (index, slot) in open.iter().enumerate() {
            let waits = slot.awaits_departure() || !slot.has_room(now.most);
            if waits || self.worker_in(slot).is_some() {
                continue;
            }
            if !slot.is_held() {
                start.push(index);
            } else if surplus < usize::from(self.settings.surge) {
                surplus += 1;
                start.push(index);
            } else {
                blocked.push(index);
            }
        }
        if !start.is_empty() {
            return Step::Start(start);
        }
        // Nobody of the old generation leaves while the canary is on probation. The canary itself
        // has nobody to wait for.
        if blocked.is_empty() || (canary_serves && !now.proven) {
            return Step::Wait;
        }
        let common = self.wanted().min(now.wanted);
        let ready = (0..common).filter(|index| slots[*index].has_ready_successor());
        let ready: Vec<_> = ready.collect();
        if !ready.is_empty() {
            return Step::TakeOver(ready);
        }
        // Slots that only this generation wants are missed by nobody.
        blocked.truncate(self.dispensable(&slots[..common]));
        if blocked.is_empty() {
            Step::Wait
        } else {
            Step::Yield(blocked)
        }
    }

    /// Whether one more slot may have a worker of both generations.
    pub(super) fn may_double(&self, slots: &[Slot]) -> bool {
        doubled(&slots[..self.wanted()]) < usize::from(self.settings.surge)
    }

    /// So many more slots may be without a serving worker for the sake of the new generation.
    fn dispensable(&self, wanted: &[Slot]) -> usize {
        let Settings {
            surge, unavailable, ..
        } = self.settings;
        // With neither, nothing would ever happen.
        let least = u16::from(surge == 0);
        // One that yielded to a reload before this one, and has left, is down for no sake of ours.
        let replaced = |slot: &Slot| slot.successor.is_some() || slot.awaits_departure();
        // Where one holds still, somebody is ready: in a slot that only this generation wants.
        let ready = |slot: &Slot| slot.staying().any(Worker::is_ready);
        let down = |slot: &&Slot| replaced(slot) && !ready(slot);
        usize::from(unavailable.max(least)).saturating_sub(wanted.iter().filter(down).count())
    }
}

/// So many slots have a worker and its successor.
fn doubled(slots: &[Slot]) -> usize {
    let both = |slot: &&Slot| slot.successor.is_some() && slot.is_held();
    slots.iter().filter(both).count()
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
