//! That a limit is reached is told in the log, and not again for each client that feels it.

use std::cell::Cell;

use crate::station::Station;

/// A limit is told at most so often.
const PACE_NS: u64 = 10_000_000_000;

/// A limit of numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Limit {
    Connections,
    WorkerConnections,
    PeerConnections,
    Concurrency,
    Http2Cancels,
    Http2Frames,
}

impl Limit {
    const ALL: usize = 6;

    /// Its key, and what the client gets.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Connections => ("limit-connections", "new connections are turned away"),
            Self::WorkerConnections => (
                "limit-worker-connections",
                "new connections are turned away",
            ),
            Self::PeerConnections => (
                "limit-peer-connections",
                "new connections of a peer that has so many are turned away",
            ),
            Self::Concurrency => ("limit-concurrency", "more requests get a 503"),
            Self::Http2Cancels => (
                "limit-h2-cancels",
                "a connection whose client takes back so many requests is closed",
            ),
            Self::Http2Frames => (
                "limit-h2-frames",
                "a connection whose client sends so many frames that ask for nothing is closed",
            ),
        }
    }
}

/// When each was told last.
#[derive(Default, Debug)]
pub(crate) struct Told([Cell<Option<u64>>; Limit::ALL]);

impl Told {
    /// Says that a limit keeps somebody out.
    pub(crate) fn tell(&self, station: &Station, limit: Limit) {
        let (last, now) = (&self.0[limit as usize], station.meter.clock.last());
        if last
            .get()
            .is_some_and(|last| now.saturating_sub(last) < PACE_NS)
        {
            return;
        }
        last.set(Some(now));
        let Station { slot, pid, .. } = *station;
        let (limit, consequence) = limit.words();
        tracing::warn!(
            event = "limit.reached",
            slot,
            pid,
            limit,
            "worker {slot} has reached {limit}: {consequence}; raise it if there is room for more"
        );
    }
}
