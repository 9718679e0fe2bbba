//! What the plan hears.

use std::time::Duration;

use brigade_shared::exit::Exit;
use brigade_shared::id::{SlotId, WorkerId};

use super::settings::Settings;

/// A point of the supervisor's only clock: monotonic time since it started. Passed in, never read.
pub type Moment = Duration;

/// What has happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Time has passed; perhaps a deadline has come.
    Tick,
    /// The process that [`Action::Spawn`](super::Action::Spawn) ordered exists.
    Spawned(WorkerId),
    /// The process could not be made (out of processes, memory, descriptors).
    SpawnFailed(WorkerId),
    /// The worker can serve.
    Ready(WorkerId),
    /// Somebody else has asked the worker to leave; it serves on for a while.
    Leaving(WorkerId),
    /// The worker's process ended.
    Exited(WorkerId, Exit),
    /// Somebody asks for something: a signal, later the control socket.
    Asked(Request),
    /// The answer to [`Action::LoadConfig`](super::Action::LoadConfig): a whole new configuration waits.
    ConfigLoaded(Box<Settings>),
    /// The answer to [`Action::LoadConfig`](super::Action::LoadConfig): nothing has changed but certificates, and running
    /// workers can take these.
    CertificatesLoaded,
    /// The answer to [`Action::LoadConfig`](super::Action::LoadConfig): it can't be used; the old one stays.
    ConfigRefused,
    /// The answer to [`Action::Look`](super::Action::Look).
    Looked(Look),
    /// After [`Action::Doze`](super::Action::Doze): something goes on again.
    Stirred,
    /// The answer to [`Action::AskSentinel`](super::Action::AskSentinel): the new binary understands the state and the
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
        /// For how long since the look before it was ready to run and got no processor, if it
        /// showed no progress then either.
        starved: Duration,
    },
    /// A program, by its words.
    Words {
        /// How often it said `WATCHDOG=1`. With 0 it takes no part in the watch.
        watchdogs: u64,
        /// Since it last said so.
        silent: Duration,
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
