//! What the plan tells.

use std::time::Duration;

use brigade_shared::exit::Exit;
use brigade_shared::id::{Generation, SlotId, WorkerId};

use super::reason::{Deadline, Despair, Failure, Haste, Leaving, Next, Refusal, Scaling, Wear};

/// What an operator may want to know. Each becomes one line of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A worker can serve, so long after its spawn.
    WorkerReady {
        /// Which.
        worker: WorkerId,
        /// Since its spawn.
        after: Duration,
    },
    /// All wanted workers of this generation are ready.
    FleetReady {
        /// How many.
        workers: u16,
        /// Of which generation.
        generation: Generation,
    },
    /// Enough workers serve, for the first time.
    ServiceReady {
        /// So many serve.
        ready: u16,
        /// So many are wanted.
        wanted: u16,
    },
    /// A worker was asked to leave.
    WorkerDraining {
        /// Which.
        worker: WorkerId,
        /// Why.
        because: Leaving,
    },
    /// A worker that was asked to leave has left.
    WorkerLeft {
        /// Which.
        worker: WorkerId,
        /// How it ended.
        exit: Exit,
    },
    /// A worker ended unasked.
    WorkerCrashed {
        /// Which.
        worker: WorkerId,
        /// How it ended.
        exit: Exit,
        /// Whether it had been ready.
        was_ready: bool,
        /// Since its spawn.
        uptime: Duration,
        /// What becomes of its slot.
        next: Next,
    },
    /// A process could not be made.
    SpawnFailed {
        /// The slot that waits for it.
        slot: SlotId,
        /// When it is tried again.
        next: Next,
    },
    /// A worker did what it was asked to too slowly and is ended by force.
    WorkerOverdue {
        /// Which.
        worker: WorkerId,
        /// What it did not do in time.
        deadline: Deadline,
    },
    /// A reload begins.
    ReloadStarted(Generation),
    /// A reload was asked for while one runs; it follows when that is over.
    ReloadQueued,
    /// A reload was asked for but the configuration can't be used; the old one stays.
    ReloadRefused,
    /// The generation that serves goes on with other certificates: that was all there was to reload.
    CertificatesRenewed(Generation),
    /// The new generation serves; the one before drains.
    ReloadDone(Generation),
    /// The first worker of the new generation serves; the others follow when it has stayed well
    /// for so long.
    ReloadProbation {
        /// The new generation.
        generation: Generation,
        /// How long.
        lasts: Duration,
    },
    /// The new generation failed; the old one goes on.
    ReloadRolledBack {
        /// The failed generation.
        generation: Generation,
        /// The worker that failed.
        worker: WorkerId,
        /// What it did.
        failure: Failure,
    },
    /// The new binary is asked whether it understands the state and the configuration.
    UpgradeStarted,
    /// An upgrade was asked for and nothing is changed.
    UpgradeRefused(Refusal),
    /// The new binary and the generation that it started have taken over.
    UpgradeDone(Generation),
    /// The new binary's generation failed: the old binary goes on.
    UpgradeRolledBack {
        /// The failed generation.
        generation: Generation,
    },
    /// The new binary's generation failed, and the old binary could not be executed again: the new
    /// one goes on with the workers of the old one.
    UpgradeStranded {
        /// The failed generation.
        generation: Generation,
    },
    /// A worker is taken for blocked: no progress for so long.
    WorkerBlocked {
        /// Which.
        worker: WorkerId,
        /// Since its last progress.
        lasts: Duration,
        /// How many connections wait for it.
        waiting: u32,
    },
    /// A worker that was taken for blocked goes on.
    WorkerRecovered {
        /// Which.
        worker: WorkerId,
        /// From its last progress before to the look that found it well.
        lasted: Duration,
    },
    /// A healthy worker is to be replaced; its replacement starts.
    WorkerRecycling {
        /// Which.
        worker: WorkerId,
        /// Why.
        because: Wear,
    },
    /// More older generations linger than may: this one is cut.
    LingeringCut(Generation),
    /// The wanted number of workers changed.
    Scaled {
        /// Before.
        from: u16,
        /// Now.
        to: u16,
        /// Why.
        because: Scaling,
    },
    /// A request for fewer than one worker, or more than allowed, was not followed.
    ScaleRefused {
        /// What was asked for.
        asked: i32,
    },
    /// The fleet stops.
    Stopping {
        /// Drain, cut or kill.
        how: Haste,
    },
    /// A slot's worker said: do not respawn me.
    SlotParked(SlotId),
    /// The supervisor gives up and stops.
    GivingUp(Despair),
}
