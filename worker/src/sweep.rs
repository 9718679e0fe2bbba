//! Deadlines of connections: one task per worker ends what is overdue. A timer per request would
//! cost more than the request's own bookkeeping.

use std::rc::Rc;
use std::time::Duration;

use brigade_config::WorkerConfig;

use crate::pulse::{Phase, Pulse};
use crate::station::Station;

/// Looks are at least so far apart: a deadline fires at most so much late.
const PACE: Duration = Duration::from_millis(50);

/// Ends overdue connections for ever. It sleeps until the earliest moment at which one can be
/// overdue, and without connections it does not wake up at all.
pub(crate) async fn sweep(station: Rc<Station>) {
    let clock = &station.meter.clock;
    loop {
        while station.connections.is_empty() {
            station.connections.changed().await;
        }
        let now = clock.read();
        let next = look(&station, now).max(now + nanos(PACE));
        tokio::select! {
            () = tokio::time::sleep_until(clock.instant(next)) => {}
            () = station.connections.changed() => {}
        }
    }
}

/// Ends what is overdue and returns when to look again.
fn look(station: &Station, now: u64) -> u64 {
    let limits = Limits::new(&station.config, station.draining_since());
    // A request may end, or a connection come, at any moment; its time is not up before this.
    let mut next = now + limits.shortest();
    station
        .connections
        .for_each(|connection| match limits.deadline(&connection.pulse) {
            Some(deadline) if deadline <= now => connection.hasten(),
            Some(deadline) => next = next.min(deadline),
            None => {}
        });
    next
}

/// How long a connection may wait, in nanoseconds.
struct Limits {
    header: u64,
    keep_alive: u64,
    draining_since: Option<u64>,
}

impl Limits {
    fn new(config: &WorkerConfig, draining_since: Option<u64>) -> Self {
        let keep_alive = match draining_since {
            None => config.timeout_keep_alive,
            Some(_) => config.timeout_lame_duck,
        };
        Self {
            header: nanos(config.timeout_header),
            keep_alive: nanos(keep_alive),
            draining_since,
        }
    }

    fn shortest(&self) -> u64 {
        self.header.min(self.keep_alive)
    }

    /// When the connection is overdue; never while the app or the client has an answer in hand.
    fn deadline(&self, pulse: &Pulse) -> Option<u64> {
        if pulse.has_unsent() {
            return None;
        }
        let since = pulse.since();
        match (pulse.phase(), self.draining_since) {
            (Phase::Busy, _) => None,
            (Phase::Head, _) | (Phase::Fresh, None) => Some(since.saturating_add(self.header)),
            (Phase::Idle, None) => Some(since.saturating_add(self.keep_alive)),
            // Whoever may still send a request gets the whole grace, counted from the moment at
            // which it could last believe that the connection stays.
            (Phase::Idle | Phase::Fresh, Some(drain)) => {
                Some(since.max(drain).saturating_add(self.keep_alive))
            }
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
