//! The words of the plan: what it hears (Event), what it orders (Action), what it tells (Change).
//! They name slots and workers and moments, and nothing of an operating system.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use brigade_shared::exit::Exit;
use brigade_shared::id::{Generation, SlotId, WorkerId};

/// A point of the supervisor's only clock: monotonic time since it started. Passed in, never read.
pub type Moment = Duration;

/// What has happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Time has passed; perhaps a deadline has come.
    Tick,
    /// The process that [`Action::Spawn`] ordered exists.
    Spawned(WorkerId),
    /// The process could not be made (out of processes, memory, descriptors).
    SpawnFailed(WorkerId),
    /// The worker can serve.
    Ready(WorkerId),
    /// The worker's process ended.
    Exited(WorkerId, Exit),
    /// Somebody asks for something: a signal, later the control socket.
    Asked(Request),
    /// The answer to [`Action::LoadConfig`]: a whole new configuration waits.
    ConfigLoaded(Settings),
    /// The answer to [`Action::LoadConfig`]: it can't be used; the old one stays.
    ConfigRefused,
    /// The answer to [`Action::Look`].
    Looked(Look),
    /// After [`Action::Doze`]: something goes on again.
    Stirred,
    /// The answer to [`Action::AskSentinel`]: the new binary understands the state and the
    /// configuration (true), or does not, or gave no answer in time.
    SentinelAnswered(bool),
    /// The new binary could not be executed, or the old one not again: this process is still what
    /// it was.
    ExecFailed,
}

/// What was found by looking at every worker and queue.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Look {
    /// Every worker that is ready, in any order. One that is missing was not looked at.
    pub workers: Vec<Sight>,
    /// The slots for which connections wait, and how many; in ascending order.
    pub waiting: Vec<(SlotId, u32)>,
    /// How many connections wait in queues that all workers share.
    pub waiting_shared: u32,
}

/// How a worker was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sight {
    /// Which.
    pub worker: WorkerId,
    /// What shows whether it turns.
    pub signs: Signs,
    /// Its memory in bytes, if it was measured this time.
    pub memory: Option<u64>,
}

/// What shows whether a worker turns, by what it can tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signs {
    /// A service, by its row of the scoreboard.
    Row {
        /// Moves with everything that the loop does.
        progress: u64,
        /// Whether the loop was at work; otherwise it waited for events.
        is_running: bool,
        /// For how long in all the loop was at work.
        busy: Duration,
        /// Requests answered so far.
        answered: u64,
    },
    /// A program, by its words.
    Words {
        /// How often it said `WATCHDOG=1`. With 0 it takes no part in the watch.
        watchdogs: u64,
    },
}

/// What somebody may ask of the fleet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Request {
    /// Drain and stop (TERM, INT). Asked again: the same as `StopNow`.
    Stop,
    /// Cut and stop (QUIT).
    StopNow,
    /// Read the configuration again and replace every worker (HUP).
    Reload,
    /// So many workers more or fewer (TTIN, TTOU).
    ScaleBy(i32),
    /// So many workers: as many as there are usable processors now. Asked only while the
    /// configuration says `auto`.
    ScaleTo(u16),
    /// Go on as a new binary in the same process (USR2).
    Upgrade,
}

/// What the plan needs to know of the configuration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// How many workers are wanted.
    pub workers: u16,
    /// From spawn to ready, at most.
    pub start_timeout: Duration,
    /// From the order to drain to the worker's own cut, at most.
    pub drain_timeout: Duration,
    /// From an order to leave at once (or the end of the drain) to SIGKILL.
    pub kill_timeout: Duration,
    /// How long handshakes in flight may still arrive after a slot was left out of the steering.
    pub settle: Duration,
    /// How often a slot may fail to become ready at the very first start before the supervisor
    /// gives up, if nothing at all has become ready.
    pub start_attempts: u32,
    /// The pause after the second crash in a row; it doubles from there.
    pub backoff_first: Duration,
    /// The longest pause.
    pub backoff_most: Duration,
    /// After so long in service a worker's crash counts as its slot's first again.
    pub calm_after: Duration,
    /// More crashes of the whole fleet within the period than this: give up. None: never.
    pub intensity: Option<Intensity>,
    /// The number of workers follows the load between these bounds. `workers` lies between them.
    pub elastic: Option<Elastic>,
    /// A ready worker without progress for so long is blocked; zero: nobody is ever taken for it.
    pub stall_warn: Duration,
    /// A ready worker without progress for so long is ended; none: never.
    pub stall_limit: Option<Duration>,
    /// So many processes more than wanted may exist because of a reload, leaving ones not counted.
    pub surge: u16,
    /// So many wanted slots may be without a serving worker because of a reload. Not zero if
    /// `surge` is.
    pub unavailable: u16,
    /// How long the canary must stay well before the others follow.
    pub probation: Duration,
    /// So many older generations may be leaving at a time; one more and the oldest is cut.
    pub lingering: u16,
    /// When a healthy worker is replaced.
    pub recycle: Recycle,
}

/// Bounds for the number of workers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Elastic {
    /// At least 1.
    pub least: u16,
    /// At least `least`.
    pub most: u16,
}

/// When a healthy worker is replaced. None: never.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Recycle {
    /// After so many requests ...
    pub requests: Option<u64>,
    /// ... and up to so many more, drawn for each worker.
    pub requests_jitter: u64,
    /// After so much time since its spawn.
    pub lifetime: Option<Duration>,
    /// When several looks in a row found so many bytes or more.
    pub memory: Option<u64>,
    /// So many slots at a time over the whole fleet, at least 1.
    pub at_most: u16,
}

/// A limit on crashes of the fleet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Intensity {
    /// So many crashes are still allowed ...
    pub crashes: u32,
    /// ... within this time.
    pub period: Duration,
}

/// What is to be done. Whatever comes of it returns as an [`Event`] of a later turn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Open the listening sockets of this slot, if they are not open yet. Ordered before a slot's
    /// first spawn.
    OpenSlot(SlotId),
    /// Close the listening sockets of this slot: it was scaled away and its worker has left.
    /// Slots are closed from the highest down.
    CloseSlot(SlotId),
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
    /// Nothing goes on: no more looks are due. Answered by `Stirred` as soon as a loop turns or a
    /// connection waits.
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
    /// Stop listening for good: the fleet is stopping.
    CloseListeners,
    /// The addresses that the last commit took out of the configuration have been closed to new
    /// connections for `settle`: serve what waits there, then close them.
    CloseRetired,
    /// Start the new binary as a sentinel that reads the state and the configuration. Answered by
    /// `SentinelAnswered`.
    AskSentinel,
    /// Become the new binary. It goes on with this plan's state ([`super::Fleet::resume`]).
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
#[derive(Clone, PartialEq, Eq, Default, Debug)]
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
    /// The new generation failed; the old one never left.
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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaving {
    /// It is worn, and its replacement serves.
    Recycle,
    /// The fleet stops.
    Stop,
    /// Its replacement of a newer generation serves.
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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Haste {
    /// Finish what is open.
    Drain,
    /// Close everything, leave.
    Cut,
    /// SIGKILL.
    Kill,
}

/// Why the supervisor gives up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Stopped as asked.
    Stopped,
    /// Gave up.
    GaveUp(Despair),
}
