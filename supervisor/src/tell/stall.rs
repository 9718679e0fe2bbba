//! Workers that stand still, and deadlines that they missed.

use std::time::Duration;

use brigade_shared::id::WorkerId;
use brigade_shared::sys::clock::monotonic_ns;
use tracing::{info, warn};

use super::change::Telling;
use super::words::{milliseconds, shown};
use crate::plan::Deadline;
use crate::roster::Member;

/// The request that a service's loop is in.
#[derive(Default)]
struct Doing {
    method: Option<String>,
    path: Option<String>,
    age_ms: Option<u64>,
    words: String,
}

impl Doing {
    fn of(who: &Member, with: &Telling<'_>) -> Self {
        let reading = with.board.row(who.row).read();
        let Some(request) = reading.and_then(|reading| reading.request) else {
            return Self::default();
        };
        let age = Duration::from_nanos(monotonic_ns().saturating_sub(request.started_ns));
        let (method, path) = (request.method, request.path);
        Self {
            words: format!(" in {method} {path}, which began {} ago", shown(age)),
            method: Some(method),
            path: Some(path),
            age_ms: Some(milliseconds(age)),
        }
    }
}

pub(super) fn blocked(worker: WorkerId, lasts: Duration, waiting: u32, with: &Telling<'_>) {
    let Some(who) = with.roster.get(worker) else {
        return;
    };
    let doing = Doing::of(who, with);
    let (slot, pid, generation) = (who.slot.0, who.pid.as_raw(), who.generation.0);
    let stack = with.stacks.report(who.pid);
    warn!(
        event = "worker.blocked",
        slot,
        pid,
        generation,
        worker = worker.0,
        lasts_ms = milliseconds(lasts),
        waiting,
        method = doing.method,
        path = doing.path,
        age_ms = doing.age_ms,
        stack,
        "worker {slot} has made no progress for {}{} (pid {pid}, generation {generation}): new connections go to others, and so does what waits for it ({waiting}); {stack}",
        shown(lasts),
        doing.words
    );
}

pub(super) fn recovered(worker: WorkerId, lasted: Duration, with: &Telling<'_>) {
    with.board.stalls().record(lasted);
    let Some(who) = with.roster.get(worker) else {
        return;
    };
    let (slot, pid, generation) = (who.slot.0, who.pid.as_raw(), who.generation.0);
    info!(
        event = "worker.recovered",
        slot,
        pid,
        generation,
        worker = worker.0,
        lasted_ms = milliseconds(lasted),
        "worker {slot} goes on after {} without progress and gets new connections again (pid {pid}, generation {generation})",
        shown(lasted)
    );
}

pub(super) fn overdue(worker: WorkerId, deadline: Deadline, with: &Telling<'_>) {
    let Some(who) = with.roster.get(worker) else {
        return;
    };
    let (slot, pid, generation) = (who.slot.0, who.pid.as_raw(), who.generation.0);
    let (deadline, words) = match deadline {
        Deadline::Start => ("start", "is not ready within --timeout-start: it is killed"),
        Deadline::Drain => (
            "drain",
            "has neither drained within --timeout-graceful-shutdown nor left within --timeout-kill: it is killed",
        ),
        Deadline::Cut => ("cut", "has not left within --timeout-kill: it is killed"),
        Deadline::Stall => return hopeless(worker, who, with),
        Deadline::Kill => ("kill", "is killed and still there: the kernel holds it"),
    };
    warn!(
        event = "worker.overdue",
        slot,
        pid,
        generation,
        worker = worker.0,
        deadline,
        "worker {slot} {words} (pid {pid}, generation {generation})"
    );
}

fn hopeless(worker: WorkerId, who: &Member, with: &Telling<'_>) {
    let doing = Doing::of(who, with);
    let (slot, pid, generation) = (who.slot.0, who.pid.as_raw(), who.generation.0);
    let stack = with.stacks.report(who.pid);
    warn!(
        event = "worker.overdue",
        slot,
        pid,
        generation,
        worker = worker.0,
        deadline = "stall",
        method = doing.method,
        path = doing.path,
        age_ms = doing.age_ms,
        stack,
        "worker {slot} has made no progress within --timeout-worker{}: it is aborted, so that it leaves a core if those are enabled, and replaced (pid {pid}, generation {generation}); {stack}",
        doing.words
    );
}
