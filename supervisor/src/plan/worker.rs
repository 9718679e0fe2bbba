//! A worker that serves or is about to. One that was told to leave is a
//! [`Leaver`](super::stop::Leaver) instead: a `Worker` is consumed when it is dismissed.
//!
//! ```text
//!   spawn                Ready
//!  -------> Starting ----------------> Ready <--> blocked (vigil.rs)
//!              | start_timeout           |            | stall_limit
//!              v                         v dismissed  v
//!            killed                  the ladder of stop.rs
//! ```

use brigade_shared::id::{Generation, WorkerId};

use serde::{Deserialize, Serialize};

use super::recycle::Use;
use super::sign::Limits;
use super::vigil::Vigil;
use super::vocabulary::{Action, Moment};

/// A worker that serves or is about to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Worker {
    pub(super) id: WorkerId,
    pub(super) generation: Generation,
    /// When its spawn was ordered.
    pub(super) born: Moment,
    pub(super) stage: Stage,
    /// It takes no connections before it is told to begin, however ready it is.
    #[serde(default)]
    pub(super) holds: bool,
    pub(super) used: Use,
    /// Those of the configuration that it was made with.
    #[serde(default)]
    pub(super) limits: Limits,
}

/// How far it has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Stage {
    /// Not ready yet, and late from `overdue` on.
    Starting { overdue: Moment },
    /// Serving since then, and watched.
    Ready { since: Moment, vigil: Vigil },
}

impl Worker {
    /// Notes that it can serve; false if that is no news. A worker that says so twice is not
    /// believed to have started anew.
    pub(super) fn became_ready(&mut self, now: Moment) -> bool {
        match self.stage {
            Stage::Starting { .. } => {
                self.stage = Stage::Ready {
                    since: now,
                    vigil: Vigil::Unseen,
                };
                true
            }
            Stage::Ready { .. } => false,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready_since().is_some()
    }

    /// Whether it takes connections.
    pub(super) fn serves(&self) -> bool {
        self.is_ready() && !self.holds
    }

    /// Lets it take connections, now or as soon as it is ready.
    pub(super) fn begin(&mut self, out: &mut Vec<Action>) {
        if std::mem::take(&mut self.holds) {
            out.push(Action::Begin(self.id));
        }
    }

    pub(super) fn ready_since(&self) -> Option<Moment> {
        match self.stage {
            Stage::Starting { .. } => None,
            Stage::Ready { since, .. } => Some(since),
        }
    }

    /// What is known of whether it turns, once it serves.
    pub(super) fn vigil(&self) -> Option<Vigil> {
        match self.stage {
            Stage::Starting { .. } => None,
            Stage::Ready { vigil, .. } => Some(vigil),
        }
    }

    pub(super) fn vigil_mut(&mut self) -> Option<&mut Vigil> {
        match &mut self.stage {
            Stage::Starting { .. } => None,
            Stage::Ready { vigil, .. } => Some(vigil),
        }
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.vigil().is_some_and(Vigil::is_blocked)
    }

    /// When it will be late.
    pub(super) fn deadline(&self) -> Option<Moment> {
        match self.stage {
            Stage::Starting { overdue } => Some(overdue),
            Stage::Ready { .. } => None,
        }
    }

    pub(super) fn is_overdue(&self, now: Moment) -> bool {
        self.deadline().is_some_and(|moment| moment <= now)
    }
}
