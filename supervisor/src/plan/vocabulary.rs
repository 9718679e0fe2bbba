//! The words of the plan: what it hears (Event), what it orders (Action), what it tells (Change).
//! They name slots and workers and moments, and nothing of an operating system.

use std::time::Duration;

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
}

/// What the plan needs to know of the configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
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
}

/// A limit on crashes of the fleet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
    /// Say what happened.
    Announce(Change),
    /// End the supervisor: every worker has left.
    Finish(Verdict),
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
    /// The new generation failed to start; the old one never left.
    ReloadRolledBack {
        /// The failed generation.
        generation: Generation,
        /// The worker that failed.
        worker: WorkerId,
    },
    /// The wanted number of workers changed.
    Scaled {
        /// Before.
        from: u16,
        /// Now.
        to: u16,
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

/// Why a worker is asked to leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaving {
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
