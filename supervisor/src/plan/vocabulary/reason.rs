//! Why, how and what then: the words within what is told and ordered.

use std::time::Duration;

use brigade_shared::exit::Exit;
use serde::{Deserialize, Serialize};

use super::settings::Intensity;

/// What ended a reload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// A worker ended.
    Ended(Exit),
    /// A process could not be made.
    NotMade,
    /// A worker was not ready in time.
    Late,
    /// A worker was blocked.
    Blocked,
}

/// Why an upgrade is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// A reload or an upgrade is under way.
    Busy,
    /// The sentinel did not agree.
    Sentinel,
    /// The new binary could not be executed.
    Exec,
}

/// Why a healthy worker is replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wear {
    /// It has answered enough requests.
    Requests(u64),
    /// It is old.
    Age(Duration),
    /// It uses much memory, in bytes.
    Memory(u64),
    /// It belongs to a generation that does not serve any more.
    Generation,
    /// Somebody else has asked it to leave.
    Asked,
}

/// Why the wanted number of workers changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scaling {
    /// Somebody asked for it.
    Asked,
    /// The new configuration says so.
    Reload,
    /// The number of usable processors changed.
    Processors,
    /// The loops are so busy, in percent, or so many connections wait.
    Load {
        /// The mean over the workers.
        busy: u8,
        /// In all queues.
        waiting: u32,
    },
}

/// Why a worker is asked to leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Leaving {
    /// It is worn, and its replacement serves.
    Recycle,
    /// The fleet stops.
    Stop,
    /// A newer generation replaces it.
    Reload,
    /// Fewer workers are wanted.
    Scale,
    /// It belongs to a generation that failed.
    RollBack,
}

/// What becomes of a slot whose worker ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// A replacement starts at once.
    Now,
    /// A replacement starts after this pause.
    After(Duration),
    /// None: the worker's exit code asked not to be respawned.
    Parked,
    /// None: the slot is not wanted any more, or its replacement is already there.
    Nothing,
}

/// A deadline that a worker missed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Deadline {
    /// To become ready.
    Start,
    /// To drain, and the cut that followed.
    Drain,
    /// To leave at once.
    Cut,
    /// To make progress: it is aborted.
    Stall,
    /// To be gone after SIGKILL: the kernel still holds it. It is killed again and again, but a
    /// stopping fleet no longer waits for it.
    Kill,
}

/// How the fleet stops, in ascending haste.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Haste {
    /// Finish what is open.
    Drain,
    /// Close everything, leave.
    Cut,
    /// SIGKILL.
    Kill,
}

/// Why the supervisor gives up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Despair {
    /// At the first start nothing became ready within its attempts.
    NeverReady {
        /// Attempts per slot.
        attempts: u32,
    },
    /// Too many crashes within the configured period.
    TooManyCrashes(Intensity),
}

/// How the supervisor ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Verdict {
    /// Stopped as asked.
    Stopped,
    /// Gave up.
    GaveUp(Despair),
}
