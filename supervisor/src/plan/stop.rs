//! How a worker is made to leave. Every rung of the ladder has a finite deadline:
//!
//! ```text
//!   drain           drain_timeout      kill_timeout           10 s
//!  -------> Draining ----------> Cutting ---------> Dying -----------> Lost
//!              |      Cut          ^       Kill     ^   ^ Kill,         | ^ Kill,
//!              +---- cut, Cut -----+                |---+ every 2 s     +-+ every 2 s
//!              +---- kill, Kill ------------------->|
//!   abort (blocked for too long)     kill_timeout   |
//!  -------> Aborting -------------------------------+
//!     Abort                             Kill
//! ```
//!
//! From every state the worker's exit ends it. A worker that is not ready serves nobody: it
//! skips the drain. `Lost` is a process that the kernel holds in spite of SIGKILL; a stopping
//! fleet does not wait for it.

use std::time::Duration;

use brigade_shared::id::{Generation, WorkerId};
use serde::{Deserialize, Serialize};

use super::vocabulary::{Action, Change, Deadline, Haste, Leaving, Moment, Settings};
use super::worker::{Stage, Worker};

/// How often SIGKILL is repeated.
pub(super) const KILL_AGAIN: Duration = Duration::from_secs(2);
/// How long after the first SIGKILL a stopping fleet still waits.
pub(super) const LOST_AFTER: Duration = Duration::from_secs(10);

/// A worker that was told to leave.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Leaver {
    pub(super) id: WorkerId,
    pub(super) generation: Generation,
    pub(super) born: Moment,
    /// Since when it had served.
    pub(super) ready_since: Option<Moment>,
    /// Why it was asked to leave; none: it was too slow.
    pub(super) because: Option<Leaving>,
    /// What it was asked for: what it has missed when it is killed.
    asked: Deadline,
    rung: Rung,
}

/// Where on the ladder.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Rung {
    Draining { until: Moment },
    Cutting { until: Moment },
    Aborting { until: Moment },
    Dying { again: Moment, lost: Moment },
    Lost { again: Moment },
}

impl Leaver {
    /// Tells a worker to leave. `haste` holds for a ready one; one that is still starting has
    /// nothing to drain.
    pub(super) fn dismiss(
        worker: Worker,
        because: Leaving,
        haste: Haste,
        settings: &Settings,
        now: Moment,
        out: &mut Vec<Action>,
    ) -> Self {
        let id = worker.id;
        out.push(Action::Announce(Change::WorkerDraining {
            worker: id,
            because,
        }));
        let within = settings.drain_timeout;
        let haste = match worker.stage {
            Stage::Starting { .. } => haste.max(Haste::Cut),
            Stage::Ready { .. } => haste,
        };
        let (asked, rung) = match haste {
            Haste::Drain => {
                out.push(Action::Drain { worker: id, within });
                (
                    Deadline::Drain,
                    Rung::Draining {
                        until: now + within,
                    },
                )
            }
            Haste::Cut => {
                out.push(Action::Cut(id));
                (
                    Deadline::Cut,
                    Rung::Cutting {
                        until: now + settings.kill_timeout,
                    },
                )
            }
            Haste::Kill => (Deadline::Cut, Self::killed(id, now, out)),
        };
        Self::of(worker, Some(because), asked, rung)
    }

    /// Ends a worker that did not become ready in time.
    pub(super) fn overdue(worker: Worker, now: Moment, out: &mut Vec<Action>) -> Self {
        announce_overdue(worker.id, Deadline::Start, out);
        let rung = Self::killed(worker.id, now, out);
        Self::of(worker, None, Deadline::Start, rung)
    }

    /// Ends a worker that was blocked for too long, in a way that leaves a core.
    pub(super) fn stalled(
        worker: Worker,
        settings: &Settings,
        now: Moment,
        out: &mut Vec<Action>,
    ) -> Self {
        announce_overdue(worker.id, Deadline::Stall, out);
        out.push(Action::Abort(worker.id));
        let until = now + settings.kill_timeout;
        Self::of(worker, None, Deadline::Stall, Rung::Aborting { until })
    }

    fn of(worker: Worker, because: Option<Leaving>, asked: Deadline, rung: Rung) -> Self {
        Self {
            id: worker.id,
            generation: worker.generation,
            because,
            born: worker.born,
            ready_since: worker.ready_since(),
            asked,
            rung,
        }
    }

    /// Goes on at least as fast as `haste` from now on.
    pub(super) fn hasten(
        &mut self,
        haste: Haste,
        settings: &Settings,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        let cut_by = now + settings.kill_timeout;
        self.rung = match (self.rung, haste) {
            (Rung::Draining { until }, Haste::Drain) => Rung::Draining {
                until: until.min(now + settings.drain_timeout),
            },
            (Rung::Draining { .. }, Haste::Cut) => {
                self.asked = Deadline::Cut;
                out.push(Action::Cut(self.id));
                Rung::Cutting { until: cut_by }
            }
            (Rung::Cutting { until }, Haste::Drain | Haste::Cut) => Rung::Cutting {
                until: until.min(cut_by),
            },
            (Rung::Aborting { until }, Haste::Drain | Haste::Cut) => Rung::Aborting {
                until: until.min(cut_by),
            },
            (Rung::Draining { .. } | Rung::Cutting { .. } | Rung::Aborting { .. }, Haste::Kill) => {
                Self::killed(self.id, now, out)
            }
            (
                dying @ (Rung::Dying { .. } | Rung::Lost { .. }),
                Haste::Drain | Haste::Cut | Haste::Kill,
            ) => dying,
        };
    }

    /// Takes the next rung if its moment has come.
    pub(super) fn tick(&mut self, settings: &Settings, now: Moment, out: &mut Vec<Action>) {
        if self.deadline() > now {
            return;
        }
        let worker = self.id;
        self.rung = match self.rung {
            Rung::Draining { .. } => {
                out.push(Action::Cut(worker));
                Rung::Cutting {
                    until: now + settings.kill_timeout,
                }
            }
            Rung::Cutting { .. } => {
                let deadline = self.asked;
                out.push(Action::Announce(Change::WorkerOverdue { worker, deadline }));
                Self::killed(worker, now, out)
            }
            // That it is overdue was said when it was aborted.
            Rung::Aborting { .. } => Self::killed(worker, now, out),
            Rung::Dying { lost, .. } => {
                out.push(Action::Kill(worker));
                let again = now + KILL_AGAIN;
                if lost > now {
                    Rung::Dying {
                        again: again.min(lost),
                        lost,
                    }
                } else {
                    let deadline = Deadline::Kill;
                    out.push(Action::Announce(Change::WorkerOverdue { worker, deadline }));
                    Rung::Lost { again }
                }
            }
            Rung::Lost { .. } => {
                out.push(Action::Kill(worker));
                Rung::Lost {
                    again: now + KILL_AGAIN,
                }
            }
        };
    }

    /// When [`Self::tick`] has something to do.
    pub(super) fn deadline(&self) -> Moment {
        match self.rung {
            Rung::Draining { until } | Rung::Cutting { until } => until,
            Rung::Aborting { until } => until,
            Rung::Dying { again, .. } | Rung::Lost { again } => again,
        }
    }

    /// When it will have left, or will not be waited for any more.
    pub(super) fn until(&self, settings: &Settings) -> Option<Moment> {
        match self.rung {
            Rung::Draining { until } => Some(until + settings.kill_timeout + LOST_AFTER),
            Rung::Cutting { until } | Rung::Aborting { until } => Some(until + LOST_AFTER),
            Rung::Dying { lost, .. } => Some(lost),
            Rung::Lost { .. } => None,
        }
    }

    /// Whether it still finishes what it has.
    pub(super) fn is_draining(&self) -> bool {
        match self.rung {
            Rung::Draining { .. } => true,
            Rung::Cutting { .. } | Rung::Aborting { .. } => false,
            Rung::Dying { .. } | Rung::Lost { .. } => false,
        }
    }

    /// Whether even SIGKILL has not ended it in good time.
    pub(super) fn is_lost(&self) -> bool {
        match self.rung {
            Rung::Lost { .. } => true,
            Rung::Draining { .. } | Rung::Cutting { .. } => false,
            Rung::Aborting { .. } | Rung::Dying { .. } => false,
        }
    }

    fn killed(id: WorkerId, now: Moment, out: &mut Vec<Action>) -> Rung {
        out.push(Action::Kill(id));
        Rung::Dying {
            again: now + KILL_AGAIN,
            lost: now + LOST_AFTER,
        }
    }
}

/// The next haste of a stopping fleet that is asked again: never milder, always a step on.
pub(super) fn harsher(now: Haste, asked: Haste) -> Option<Haste> {
    match (now, asked) {
        (Haste::Drain, Haste::Drain | Haste::Cut) => Some(Haste::Cut),
        (Haste::Drain, Haste::Kill) => Some(Haste::Kill),
        (Haste::Cut, Haste::Drain | Haste::Cut | Haste::Kill) => Some(Haste::Kill),
        (Haste::Kill, Haste::Drain | Haste::Cut | Haste::Kill) => None,
    }
}

fn announce_overdue(worker: WorkerId, deadline: Deadline, out: &mut Vec<Action>) {
    let change = Change::WorkerOverdue { worker, deadline };
    out.push(Action::Announce(change));
}

#[cfg(test)]
mod tests {
    use super::{Haste, harsher};

    #[test]
    fn whoever_asks_again_is_in_more_haste() {
        assert_eq!(harsher(Haste::Drain, Haste::Drain), Some(Haste::Cut));
        assert_eq!(harsher(Haste::Drain, Haste::Cut), Some(Haste::Cut));
        assert_eq!(harsher(Haste::Cut, Haste::Drain), Some(Haste::Kill));
        assert_eq!(harsher(Haste::Kill, Haste::Kill), None);
    }
}
