//! The end of a worker's service, without losing what could be kept: a lame duck first.
//!
//! ```text
//! accept all that waits -> accept no more -> every answer says "connection: close"
//!    idle connections stay for a while and are still answered    (the sweeper)
//!    requests in flight are finished
//! until nothing is open, or the deadline cuts what is
//! ```
//!
//! A client that keeps its connection alive learns from its last answer that this was the last.
//! Closing idle connections at once instead would hit requests that are on their way.

use std::pin::pin;
use std::time::Duration;

use brigade_shared::board::{Counter, RowState};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::orders::{Instruction, Orders};
use crate::station::Station;

/// Drains. Returns when no connection is open any more, upgraded ones included, or when time is
/// up; whatever is open then ends with the runtime.
pub(crate) async fn drain(
    station: &Station,
    acceptors: Vec<JoinHandle<()>>,
    orders: &mut Orders<'_>,
    within: Duration,
) {
    station.meter.row.set_state(RowState::Draining);
    station.begin_drain();
    let mut emptied = pin!(async {
        for acceptor in acceptors {
            // It can't have failed: the app's code runs in tasks of its own.
            let _ = acceptor.await;
        }
        station.meter.all_gone().await;
    });
    let mut deadline = Instant::now() + within;
    loop {
        tokio::select! {
            () = &mut emptied => return,
            () = tokio::time::sleep_until(deadline) => break,
            instruction = orders.next() => match instruction {
                Instruction::Drain(within) => deadline = deadline.min(Instant::now() + within),
                Instruction::Cut => break,
                Instruction::ReopenLogs => {}
            }
        }
    }
    cut(station);
}

/// Says what ends unfinished.
pub(crate) fn cut(station: &Station) {
    let connections = station.meter.open_connections() as u64;
    if connections > 0 {
        let (slot, pid) = (station.slot, station.pid);
        station.meter.row.count(Counter::Cut, connections);
        tracing::warn!(
            event = "connections.cut",
            slot,
            pid,
            connections,
            "worker {slot} cuts {connections} open connections"
        );
    }
}
