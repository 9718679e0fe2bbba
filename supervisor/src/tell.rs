//! From what happened to a line of the log: docs/events.md names every event.

use std::time::Duration;

use brigade_shared::exit::Exit;
use brigade_shared::id::{SlotId, WorkerId};
use tracing::{error, info, warn};

use crate::plan::{Change, Deadline, Despair, Haste, Leaving, Next};
use crate::roster::{Member, Roster};

/// What the log needs beyond the change itself.
pub(crate) struct Telling<'a> {
    /// Who the workers are.
    pub(crate) roster: &'a Roster,
    /// The last lines that a failing worker wrote to standard error.
    pub(crate) last_words: &'a [String],
    /// Why the last configuration or process could not be had.
    pub(crate) reason: &'a str,
}

/// Writes the line of a change.
pub(crate) fn tell(change: &Change, with: &Telling<'_>) {
    match change {
        Change::WorkerReady { worker, after } => ready(*worker, *after, with),
        Change::WorkerDraining { worker, because } => draining(*worker, *because, with),
        Change::WorkerLeft { worker, exit } => left(*worker, *exit, with),
        Change::WorkerCrashed {
            worker,
            exit,
            was_ready,
            uptime,
            next,
        } => {
            crashed(*worker, *exit, *was_ready, *uptime, *next, with);
        }
        Change::WorkerOverdue { worker, deadline } => overdue(*worker, *deadline, with),
        Change::SpawnFailed { slot, next } => {
            let (error, restart_in_ms) = (with.reason, restart_in(*next));
            error!(
                event = "worker.spawn_failed",
                slot = slot.0,
                error,
                restart_in_ms,
                "a worker for slot {slot} could not be made: {error}; {}",
                and_then(*next)
            );
        }
        Change::SlotParked(slot) => parked(*slot),
        Change::FleetReady {
            workers,
            generation,
        } => {
            info!(
                event = "fleet.ready",
                workers,
                generation = generation.0,
                "ready: {} of generation {generation}",
                counted(*workers)
            );
        }
        Change::Scaled { from, to, .. } => {
            info!(
                event = "fleet.scaled",
                from,
                to,
                "{} wanted instead of {from}",
                counted(*to)
            );
        }
        Change::ScaleRefused { asked } => {
            warn!(
                event = "fleet.scale_refused",
                asked,
                "a change of the number of workers by {asked:+} is not followed: it is 1 at least and {} at most",
                brigade_config::MAX_WORKERS
            );
        }
        Change::Stopping { how } => stopping(*how),
        Change::GivingUp(despair) => giving_up(*despair, with),
        Change::ReloadStarted(_)
        | Change::ReloadQueued
        | Change::ReloadRefused
        | Change::ReloadDone(_)
        | Change::ReloadRolledBack { .. } => reload(change, with),
        Change::ReloadProbation { .. }
        | Change::UpgradeStarted
        | Change::UpgradeRefused(_)
        | Change::UpgradeDone(_)
        | Change::UpgradeRolledBack { .. }
        | Change::UpgradeStranded { .. }
        | Change::WorkerBlocked { .. }
        | Change::WorkerRecovered { .. }
        | Change::WorkerRecycling { .. }
        | Change::LingeringCut(_) => {}
    }
}

fn ready(worker: WorkerId, after: Duration, with: &Telling<'_>) {
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

fn draining(worker: WorkerId, because: Leaving, with: &Telling<'_>) {
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

fn left(worker: WorkerId, exit: Exit, with: &Telling<'_>) {
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

fn crashed(
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

fn overdue(worker: WorkerId, deadline: Deadline, with: &Telling<'_>) {
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
        Deadline::Stall => (
            "stall",
            "makes no progress within --timeout-worker: it is aborted",
        ),
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

fn parked(slot: SlotId) {
    warn!(
        event = "slot.parked",
        slot = slot.0,
        "the worker of slot {slot} asked not to be started again (exit code 78): the slot stays empty until a reload"
    );
}

fn stopping(how: Haste) {
    let (how, words) = match how {
        Haste::Drain => (
            "drain",
            "requests in flight are finished; ask again to cut them",
        ),
        Haste::Cut => ("cut", "connections are cut; ask again to kill"),
        Haste::Kill => ("kill", "workers are killed"),
    };
    info!(event = "fleet.stopping", how, "stopping: {words}");
}

fn giving_up(despair: Despair, with: &Telling<'_>) {
    let reason = match despair {
        Despair::NeverReady { attempts } => {
            format!("no worker became ready, with {attempts} attempts per slot")
        }
        Despair::TooManyCrashes(limit) => format!(
            "more than {} crashes within {} (--restart-intensity)",
            limit.crashes,
            shown(limit.period)
        ),
    };
    let output = with.last_words.join("\n");
    let tail = indented(&output);
    error!(
        event = "supervisor.giving_up",
        reason, output, "giving up: {reason}{tail}"
    );
}

fn reload(change: &Change, with: &Telling<'_>) {
    match change {
        Change::ReloadStarted(generation) => {
            info!(
                event = "reload.started",
                generation = generation.0,
                "reloading: generation {generation} starts beside the one that serves"
            );
        }
        Change::ReloadQueued => info!(
            event = "reload.queued",
            "a reload was asked for while one is under way: it follows"
        ),
        Change::ReloadRefused => {
            let problems = with.reason;
            error!(
                event = "reload.refused",
                problems, "reload refused, everything stays as it was:\n{problems}"
            );
        }
        Change::ReloadDone(generation) => {
            info!(
                event = "reload.done",
                generation = generation.0,
                "reloaded: generation {generation} serves, the one before finishes what it has"
            );
        }
        Change::ReloadRolledBack {
            generation, worker, ..
        } => {
            let slot = with.roster.get(*worker).map(|who| who.slot.0);
            let output = with.last_words.join("\n");
            let tail = indented(&output);
            error!(
                event = "reload.rolled_back",
                generation = generation.0,
                slot,
                output,
                "reload rolled back: a worker of generation {generation} failed, the one before still serves{tail}"
            );
        }
        _ => {}
    }
}

/// The last lines of a worker's standard error, as one text.
pub(crate) fn last_words(who: &Member) -> String {
    who.err.last_lines().join("\n")
}

fn indented(output: &str) -> String {
    if output.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = output
        .lines()
        .map(|line| format!("\n    | {line}"))
        .collect();
    format!("; its last words:{}", lines.concat())
}

fn numbers(exit: Exit) -> (Option<i32>, Option<i32>) {
    match exit {
        Exit::Code(code) => (Some(code), None),
        Exit::Signal(signal) => (None, Some(signal)),
    }
}

fn restart_in(next: Next) -> Option<u64> {
    match next {
        Next::Now => Some(0),
        Next::After(pause) => Some(milliseconds(pause)),
        Next::Parked | Next::Nothing => None,
    }
}

fn next_word(next: Next) -> &'static str {
    match next {
        Next::Now => "now",
        Next::After(_) => "after",
        Next::Parked => "parked",
        Next::Nothing => "nothing",
    }
}

fn and_then(next: Next) -> String {
    match next {
        Next::Now => "a replacement starts now".to_owned(),
        Next::After(pause) => format!("a replacement starts in {}", shown(pause)),
        Next::Parked => "it asked not to be replaced (exit code 78)".to_owned(),
        Next::Nothing => "no replacement is needed".to_owned(),
    }
}

/// `1 worker`, `2 workers`.
fn counted(workers: u16) -> String {
    format!("{workers} worker{}", if workers == 1 { "" } else { "s" })
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// `3 ms`, `1.5 s`, `12 s`, `3 h 25 min`.
fn shown(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 if time.as_millis() < 10 => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        0 => format!("{} ms", time.as_millis()),
        1..10 => format!("{:.1} s", time.as_secs_f64()),
        10..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}
