//! The end of a worker's service, without losing what could be kept: a lame duck first.
//!
//! ```text
//! accept all that waits -> accept no more -> every answer says "connection: close"
//!    idle connections stay for a while and are still answered    (the sweeper)
//!    requests in flight are finished
//! until nothing is open, or the deadline cuts what is
//! ```
//!
//! Connections that the supervisor has sent before it knew are served too: the link is closed
//! first and read to its end before the worker leaves.
//!
//! A client that keeps its connection alive learns from its last answer that this was the last.
//! Closing idle connections at once instead would hit requests that are on their way.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use brigade_shared::board::{Counter, RowState};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::app::App;
use crate::exchange::take;
use crate::orders::{Instruction, Orders};
use crate::station::Station;

/// Drains. Returns when no connection is open any more, upgraded ones included, or when time is
/// up; whatever is open then ends with the runtime.
pub(crate) async fn drain<A: App>(
    station: &Rc<Station>,
    app: &A,
    acceptors: Vec<JoinHandle<()>>,
    orders: &mut Orders<'_>,
    within: Duration,
) {
    station.meter.row.set_state(RowState::Draining);
    station.begin_drain();
    let mut deadline = Instant::now() + within;
    let mut accepted = pin!(async {
        for acceptor in acceptors {
            // It can't have failed: the app's code runs in tasks of its own.
            let _ = acceptor.await;
        }
    });
    let mut accepting = true;
    loop {
        tokio::select! {
            biased;
            instruction = orders.next() => match instruction {
                Instruction::Drain(within) => deadline = deadline.min(Instant::now() + within),
                Instruction::Cut => break,
                Instruction::Begin => {}
                Instruction::ReopenLogs(file) => station.reopen(file),
                Instruction::Serve(connection) => take(connection, app, station),
                Instruction::TicketKeys(keys) => station.tls.use_tickets(keys),
                Instruction::Certificates(files) => station.tls.use_files(files),
            },
            () = tokio::time::sleep_until(deadline) => break,
            () = &mut accepted, if accepting => accepting = false,
            () = station.meter.all_gone(), if !accepting => {
                let late = orders.close();
                if late.is_empty() {
                    return;
                }
                late.into_iter().for_each(|connection| take(connection, app, station));
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
            "worker {slot} cuts the connections that are still open ({connections})"
        );
    }
}
