//! What the plan orders.

use std::time::Duration;

use brigade_shared::id::{Generation, SlotId, WorkerId};
use serde::{Deserialize, Serialize};

use super::change::Change;
use super::reason::Verdict;

/// What is to be done. Whatever comes of it returns as an [`Event`](super::Event) of a later turn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Open the listening sockets of this slot, if they are not open yet. Ordered before a slot's
    /// first spawn.
    OpenSlot(SlotId),
    /// Close the listening sockets of this slot: it was scaled away and its worker has left.
    /// Slots are closed from the highest down.
    CloseSlot(SlotId),
    /// A worker that holds still takes connections from now on, or as soon as it is ready.
    Begin(WorkerId),
    /// New connections go to these slots only, in ascending order; empty: to every open slot.
    Steer(Vec<SlotId>),
    /// Make a worker. Answered by `Spawned` or `SpawnFailed`.
    Spawn {
        /// The new worker's number.
        worker: WorkerId,
        /// The slot whose sockets it inherits.
        slot: SlotId,
        /// The generation whose configuration it gets.
        generation: Generation,
        /// It gets ready but takes no connections before [`Action::Begin`].
        holds: bool,
    },
    /// Ask the worker to finish what it has and leave within `within`.
    Drain {
        /// Whom.
        worker: WorkerId,
        /// How long it may take.
        within: Duration,
    },
    /// Ask the worker to close everything and leave now.
    Cut(WorkerId),
    /// End the worker by force.
    Kill(WorkerId),
    /// End the blocked worker so that it can leave a core (SIGABRT).
    Abort(WorkerId),
    /// Look at every ready worker and every queue. Answered by `Looked`, in the same breath.
    Look,
    /// Ask a worker that looks stuck to show that its loop turns: its progress moves if it does.
    Ask(WorkerId),
    /// Nothing goes on: no looks are due until `Stirred`, which answers as soon as a loop turns, a
    /// connection waits, or a program says its first `WATCHDOG=1`. A `Look` that comes before, for
    /// another reason, ends the doze too.
    Doze,
    /// Who serves what nobody comes to. Holds until the next one.
    Relieve(Relief),
    /// Read the configuration. Answered by `ConfigLoaded` or `ConfigRefused`.
    LoadConfig,
    /// The loaded configuration is now the one of this generation; spawns of it use it.
    StageConfig(Generation),
    /// The generation has taken over: forget the configuration of the one before.
    CommitConfig(Generation),
    /// The generation has failed: forget its configuration.
    DropConfig(Generation),
    /// The generation that serves goes on with the certificates that were read last.
    RenewCertificates(Generation),
    /// New keys for TLS sessions.
    RotateTickets,
    /// Stop listening for good: the fleet is stopping.
    CloseListeners,
    /// The addresses that the last commit took out of the configuration have been closed to new
    /// connections for `settle`: serve what waits there, then close them.
    CloseRetired,
    /// Start the new binary as a sentinel that reads the state and the configuration. Answered by
    /// `SentinelAnswered`.
    AskSentinel,
    /// Become the new binary. It goes on with this plan's state ([`super::super::Fleet::go_on`]).
    /// Answered by `ExecFailed`, or never.
    ExecNew,
    /// Become the old binary again. Answered by `ExecFailed`, or never.
    ExecOld,
    /// The new binary has proved itself: let go of the old one.
    ForgetOld,
    /// Say what happened.
    Announce(Change),
    /// End the supervisor: every worker has left.
    Finish(Verdict),
}

/// Whose connections others serve, and who these are.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Relief {
    /// What waits for these slots is taken from their queues; in ascending order.
    pub slots: Vec<SlotId>,
    /// What waits in the queues that all workers share is taken from there, too: somebody was
    /// woken for it and does not come.
    pub shared: bool,
    /// The workers that serve and are not blocked, in ascending order. The one with the fewest
    /// connections gets the next, also if a worker passes one on. If there is none, nothing is
    /// taken.
    pub by: Vec<WorkerId>,
}
