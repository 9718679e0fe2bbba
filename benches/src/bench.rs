//! What every section needs to know: where, with which binaries, and how much of it.

use std::time::Duration;

use crate::measure::Cpus;
use crate::server::Binaries;

/// What every section needs to know.
pub(crate) struct Bench {
    pub(crate) cpus: Cpus,
    pub(crate) binaries: Binaries,
    pub(crate) effort: Effort,
    /// Of `works` only those whose names have one of these in them; empty: all.
    pub(crate) works: Vec<String>,
}

/// How much is measured.
#[derive(Clone)]
pub(crate) struct Effort {
    /// Rounds of each comparison.
    pub(crate) rounds: usize,
    /// Load before the window is opened.
    pub(crate) warm_up: Duration,
    /// Load that is measured, in each round.
    pub(crate) window: Duration,
    /// A window that others disturb is measured again so many times at most.
    pub(crate) again: usize,
    /// Workers killed, one after the other.
    pub(crate) kills: usize,
    /// Starts of the binary.
    pub(crate) starts: usize,
    /// How long idle processes are watched.
    pub(crate) idle: Duration,
    /// Idle keep-alive connections.
    pub(crate) crowd: usize,
    /// Fleets of how many workers.
    pub(crate) fleets: &'static [u16],
    /// Starts of each of these fleets.
    pub(crate) fleet_starts: usize,
    /// Workers killed in each of these fleets.
    pub(crate) fleet_kills: usize,
    /// One supervisor with so many workers, against so many supervisors with one.
    pub(crate) shapes: &'static [u16],
    /// How long a worker is blocked.
    pub(crate) block: Duration,
    /// Between two arrivals.
    pub(crate) pace: Duration,
    /// How often a worker of each server is blocked.
    pub(crate) stalls: usize,
    /// Reloads and upgrades of each kind.
    pub(crate) renewals: usize,
}

impl Effort {
    /// Enough for figures to be published: about a quarter of an hour.
    pub(crate) fn full() -> Self {
        Self {
            rounds: 7,
            warm_up: Duration::from_millis(500),
            window: Duration::from_secs(3),
            again: 10,
            kills: 300,
            starts: 100,
            idle: Duration::from_secs(30),
            crowd: 10_000,
            fleets: &[1, 2, 8, 64, 256],
            fleet_starts: 5,
            fleet_kills: 100,
            shapes: &[2, 4, 8, 16],
            block: Duration::from_secs(2),
            pace: Duration::from_millis(2),
            stalls: 3,
            renewals: 5,
        }
    }

    /// Enough to see that every section works.
    pub(crate) fn smoke() -> Self {
        Self {
            rounds: 1,
            warm_up: Duration::from_millis(50),
            window: Duration::from_millis(200),
            again: 0,
            kills: 20,
            starts: 5,
            idle: Duration::from_secs(2),
            crowd: 1_000,
            fleets: &[1, 2, 8],
            fleet_starts: 1,
            fleet_kills: 5,
            shapes: &[2],
            block: Duration::from_millis(500),
            pace: Duration::from_millis(5),
            stalls: 1,
            renewals: 1,
        }
    }
}
