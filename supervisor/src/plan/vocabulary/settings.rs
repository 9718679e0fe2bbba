//! What the plan needs to know of the configuration.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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
    /// From leaving a slot out of the steering to closing its sockets, at least; not less than
    /// `settle`. What arrives there meanwhile is served by others.
    pub close_after: Duration,
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
    /// Workers can be told to hold still until they are to take connections.
    pub can_hold: bool,
    /// How long the canary must stay well before the others follow.
    pub probation: Duration,
    /// So many older generations may be leaving at a time; one more and the oldest is cut.
    pub lingering: u16,
    /// When a healthy worker is replaced.
    pub recycle: Recycle,
    /// So many workers have to serve for the service to count as ready.
    #[serde(default)]
    pub ready_when: Quorum,
    /// How often the keys of TLS sessions change; none: there are none.
    #[serde(default)]
    pub ticket_rotation: Option<Duration>,
}

/// A part of the wanted workers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Quorum {
    /// So many, or all if fewer are wanted.
    Count(u16),
    /// So many of a hundred, rounded up.
    Percent(u8),
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

/// What another fleet has left to one that starts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct KeptSlots {
    /// So many slots, from the lowest, are open already, and connections may wait in them.
    pub open: u16,
    /// What waits in a slot can be served only by a worker of its own.
    pub need_workers: bool,
}
