//! A worker's life.

use std::time::Duration;

use brigade_shared::exit::Exit;
use brigade_shared::id::{SlotId, WorkerId};
use tracing::{error, info, warn};

use super::change::Telling;
use super::words::{
    and_then, indented, last_words, milliseconds, next_word, numbers, restart_in, shown,
};
use crate::plan::{Leaving, Next, Wear};

pub(super) fn ready(worker: WorkerId, after: Duration, with: &Telling<'_>) {
    let Some(who) = with.roster.get(worker) else {
        return;
    };
    let (slot, pid, generation) = (who.slot.0, who.pid.as_raw(), who.generation.0);
    info!(
        event = "worker.ready",
        slot,
        pid,
        generation,
        worker = worker.0,
        start_ms = milliseconds(after),
        "worker {slot} is ready after {} (pid {pid}, generation {generation})",
        shown(after)
    );
}

pub(super) fn draining(worker: WorkerId, because: Leaving, with: &Telling<'_>) {
    let Some(who) = with.roster.get(worker) else {
        return;
    };
    let (slot, pid, generation) = (who.slot.0, who.pid.as_raw(), who.generation.0);
    let (because, why) = match because {
        Leaving::Recycle => ("recycle", "its replacement serves"),
        Leaving::Stop => ("stop", "the service stops"),
        Leaving::Reload => ("reload", "a newer one has taken over"),
        Leaving::Scale => ("scale", "fewer workers are wanted"),
        Leaving::RollBack => ("rollback", "its generation failed"),
    };
    info!(
        event = "worker.draining",
        slot,
        pid,
        generation,
        worker = worker.0,
        because,
        "worker {slot} finishes what it has and leaves: {why} (pid {pid}, generation {generation})"
    );
}

pub(super) fn left(worker: WorkerId, exit: Exit, with: &Telling<'_>) {
    let Some(who) = with.roster.get(worker) else {
        return;
    };
    let (slot, pid, generation) = (who.slot.0, who.pid.as_raw(), who.generation.0);
    let (code, signal) = numbers(exit);
    let uptime = who.born.elapsed();
    info!(event = "worker.left", slot, pid, generation, worker = worker.0,
        exit = %exit, code, signal, uptime_ms = milliseconds(uptime),
        "worker {slot} has left after {} with {exit} (pid {pid}, generation {generation})", shown(uptime));
}

pub(super) fn crashed(
    worker: WorkerId,
    exit: Exit,
    was_ready: bool,
    uptime: Duration,
    next: Next,
    with: &Telling<'_>,
) {
    let Some(who) = with.roster.get(worker) else {
        return;
    };
    let (slot, pid, generation) = (who.slot.0, who.pid.as_raw(), who.generation.0);
    let (code, signal) = numbers(exit);
    let output = last_words(who);
    let when = if was_ready {
        ""
    } else {
        " before it was ready"
    };
    let (tail, restart_in_ms) = (indented(&output), restart_in(next));
    error!(event = "worker.crashed", slot, pid, generation, worker = worker.0,
        exit = %exit, code, signal, was_ready, uptime_ms = milliseconds(uptime),
        next = next_word(next), restart_in_ms, output,
        "worker {slot} ended with {exit}{when}, {} after its start (pid {pid}, generation {generation}); {}{tail}",
        shown(uptime), and_then(next));
}

pub(super) fn not_made(slot: SlotId, next: Next, with: &Telling<'_>) {
    let (error, restart_in_ms) = (with.reason, restart_in(next));
    error!(
        event = "worker.spawn_failed",
        slot = slot.0,
        error,
        restart_in_ms,
        "a worker for slot {slot} could not be made: {error}; {}",
        and_then(next)
    );
}

pub(super) fn parked(slot: SlotId) {
    warn!(
        event = "slot.parked",
        slot = slot.0,
        "the worker of slot {slot} asked not to be started again (exit code 78): the slot stays empty until a reload"
    );
}

pub(super) fn recycling(worker: WorkerId, because_of: Wear, with: &Telling<'_>) {
    let Some(who) = with.roster.get(worker) else {
        return;
    };
    let (slot, pid, generation) = (who.slot.0, who.pid.as_raw(), who.generation.0);
    let (because, why) = match because_of {
        Wear::Requests(count) => ("requests", format!("it has answered {count} requests")),
        Wear::Age(age) => ("age", format!("it has served for {}", shown(age))),
        Wear::Memory(bytes) => ("memory", format!("it uses {} MiB of memory", bytes >> 20)),
        Wear::Asked => ("asked", "somebody else has asked it to leave".to_owned()),
        Wear::Generation => (
            "generation",
            "its generation does not serve any more".to_owned(),
        ),
    };
    let requests = match because_of {
        Wear::Requests(count) => Some(count),
        Wear::Age(_) | Wear::Memory(_) | Wear::Generation | Wear::Asked => None,
    };
    info!(
        event = "worker.recycling",
        slot,
        pid,
        generation,
        worker = worker.0,
        because,
        requests,
        "worker {slot} is to be replaced: {why}; its replacement starts first (pid {pid}, generation {generation})"
    );
}
