//! The upgrade in place: the supervisor becomes a new binary, and its workers stay.
//!
//! ```text
//!            Upgrade            it agrees                      ExecNew, and another program
//!   Idle ------------> Asking ------------> Departing (New) ---------------+
//!    ^   AskSentinel      | it does not,        | ExecFailed:              | go_on: StageConfig
//!    +--------------------+ or too late         | refused                  v
//!    +------------------------------------------+                       Running  (reload.rs)
//!    |                                                                     |
//!    |                     CommitConfig, ForgetOld                         |
//!    +---------------------------------------------------------------------+
//!    |                                                                     | one of the new
//!    |                           come_back, in the old program             | generation fails:
//!    +--------------------------------------------------- Departing (Old) -+ DropConfig
//!    |                                                          |   ExecOld
//!    +----------------------------------------------------------+
//!                ExecFailed: stranded, the new binary keeps the old workers
//! ```
//!
//! Everything that the plan knows travels with the fleet, so that whoever goes on knows it too. The
//! order to become another program is the last of its turn: nothing of this one would be done
//! after it. While the new binary proves itself it makes no workers for the old generation, which
//! they would not be, unless nobody at all serves.

use std::time::Duration;

use brigade_shared::id::Generation;
use serde::{Deserialize, Serialize};

use super::fleet::Fleet;
use super::reload::Progress;
use super::slot::Slot;
use super::vocabulary::{Action, Change, Moment, Refusal, Settings};

/// How long an answer that always comes is awaited, in case it does not.
const PATIENCE: Duration = Duration::from_secs(30);

/// The binary that this process is to become.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Image {
    /// The one that may prove itself.
    New,
    /// The one before, since this generation has failed.
    Old { failed: Generation },
}

impl Fleet {
    /// Goes on in the new binary, with the settings that it has read: they are those of the next
    /// generation, which has to prove itself. Called once instead of `start`.
    pub fn go_on(&mut self, settings: Settings, now: Moment, actions: &mut Vec<Action>) {
        if self.has_departed() && self.is_staying() {
            self.reload.state = Progress::Idle;
            self.stage(settings, true, now, actions);
        }
        self.turn(now, actions);
        self.assert_invariants(now);
    }

    /// Goes on in the old binary, after the new one has failed. Called once instead of `start`.
    pub fn come_back(&mut self, now: Moment, actions: &mut Vec<Action>) {
        if let Some(Image::Old { failed: generation }) = self.take_departed() {
            let change = Change::UpgradeRolledBack { generation };
            actions.push(Action::Announce(change));
        }
        self.turn(now, actions);
        self.assert_invariants(now);
    }

    pub(super) fn asked_to_upgrade(&mut self, now: Moment, out: &mut Vec<Action>) {
        if self.reload.is_idle() {
            let until = now + PATIENCE;
            self.reload.state = Progress::Asking { until };
            out.push(Action::Announce(Change::UpgradeStarted));
            out.push(Action::AskSentinel);
        } else {
            out.push(refused(Refusal::Busy));
        }
    }

    pub(super) fn sentinel_answered(&mut self, agrees: bool, out: &mut Vec<Action>) {
        match self.reload.state {
            Progress::Asking { .. } if agrees => {
                self.reload.state = Progress::Departing(Image::New);
            }
            Progress::Asking { .. } => {
                self.reload.state = Progress::Idle;
                out.push(refused(Refusal::Sentinel));
            }
            // Too late: the fleet stops, or did not wait for it.
            Progress::Idle | Progress::Loading | Progress::Running(_) => {}
            Progress::Departing(_) | Progress::Departed { .. } => {}
        }
    }

    /// This process is still what it was. That of the new binary is an upgrade refused; the old
    /// workers of a binary that can't come back are kept, and the next reload replaces them.
    pub(super) fn exec_failed(&mut self, out: &mut Vec<Action>) {
        match self.take_departed() {
            Some(Image::New) => out.push(refused(Refusal::Exec)),
            Some(Image::Old { failed: generation }) => {
                let change = Change::UpgradeStranded { generation };
                out.push(Action::Announce(change));
                out.push(Action::ForgetOld);
            }
            None => {}
        }
    }

    /// Ends what was not answered in time.
    pub(super) fn end_late_answers(&mut self, now: Moment, out: &mut Vec<Action>) {
        match self.reload.state {
            Progress::Asking { until } if until <= now => self.sentinel_answered(false, out),
            Progress::Departed { until, .. } if until <= now => self.exec_failed(out),
            Progress::Asking { .. } | Progress::Departed { .. } => {}
            Progress::Idle | Progress::Loading | Progress::Running(_) => {}
            Progress::Departing(_) => {}
        }
    }

    /// Orders to become another program, at the end of a turn.
    pub(super) fn depart(&mut self, now: Moment, out: &mut Vec<Action>) {
        if let Progress::Departing(to) = self.reload.state {
            let until = now + PATIENCE;
            self.reload.state = Progress::Departed { to, until };
            out.push(match to {
                Image::New => Action::ExecNew,
                Image::Old { .. } => Action::ExecOld,
            });
        }
    }

    /// When an answer will be late.
    pub(super) fn answer_deadline(&self) -> Option<Moment> {
        match self.reload.state {
            Progress::Asking { until } | Progress::Departed { until, .. } => Some(until),
            Progress::Idle | Progress::Loading | Progress::Running(_) => None,
            Progress::Departing(_) => None,
        }
    }

    /// Whether an empty slot may get a worker of the committed generation.
    pub(super) fn may_refill(&self) -> bool {
        match &self.reload.state {
            Progress::Running(staged) if staged.is_upgrade => !self.slots.iter().any(Slot::serves),
            // The old binary is about to do it.
            Progress::Departing(Image::Old { .. }) => false,
            Progress::Departed { to, .. } => *to == Image::New,
            Progress::Departing(Image::New) | Progress::Running(_) => true,
            Progress::Idle | Progress::Loading | Progress::Asking { .. } => true,
        }
    }

    fn has_departed(&self) -> bool {
        matches!(self.reload.state, Progress::Departed { to: Image::New, .. })
    }

    fn take_departed(&mut self) -> Option<Image> {
        match self.reload.state {
            Progress::Departed { to, .. } => {
                self.reload.state = Progress::Idle;
                Some(to)
            }
            Progress::Idle | Progress::Loading | Progress::Running(_) => None,
            Progress::Asking { .. } | Progress::Departing(_) => None,
        }
    }
}

fn refused(why: Refusal) -> Action {
    Action::Announce(Change::UpgradeRefused(why))
}
