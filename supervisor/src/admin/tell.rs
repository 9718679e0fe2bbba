//! What the log says of it.

use std::time::Duration;

use brigade_shared::board::{Board, Tally};
use brigade_shared::exit::Exit;
use nix::unistd::Pid;
use tracing::{debug, error, warn};

use crate::plan::{AideChange, AideId};

/// Writes the line of a change, and counts what is counted.
pub(super) fn tell(
    change: AideChange,
    process: &dyn Fn(AideId) -> Option<(Pid, Option<Exit>)>,
    board: &Board,
) {
    let pid = |id: AideId| process(id).map_or(0, |(pid, _)| pid.as_raw());
    match change {
        AideChange::Ready(id) => {
            let pid = pid(id);
            debug!(
                event = "admin.ready",
                pid, "pid {pid} answers at the admin address"
            );
        }
        AideChange::Left(id) => {
            let pid = pid(id);
            debug!(
                event = "admin.left",
                pid, "pid {pid} has left the admin address"
            );
        }
        AideChange::Crashed(id, pause) => {
            board.overview().count(Tally::AdminCrash);
            let exit = process(id).and_then(|(_, exit)| exit);
            let (pid, restart_in_ms) = (pid(id), milliseconds(pause));
            let exit = exit.map_or_else(String::new, |exit| exit.to_string());
            error!(
                event = "admin.crashed",
                pid,
                exit,
                restart_in_ms,
                "the process behind the admin address ended unasked (pid {pid}, {exit}): another answers what waits there in {restart_in_ms} ms; the service is not affected"
            );
        }
        AideChange::NotMade(pause) => {
            let restart_in_ms = milliseconds(pause);
            warn!(
                event = "admin.spawn_failed",
                restart_in_ms,
                "no process could be had for the admin address: it is tried again in {restart_in_ms} ms"
            );
        }
        AideChange::Late(id) => {
            let pid = pid(id);
            warn!(
                event = "admin.overdue",
                pid,
                deadline = "start",
                "the process behind the admin address was not ready in time (pid {pid}): it is killed, and another one started"
            );
        }
        AideChange::Overdue(id) => {
            let pid = pid(id);
            warn!(
                event = "admin.overdue",
                pid,
                deadline = "leave",
                "the process behind the admin address has not left in time (pid {pid}): it is killed"
            );
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
