//! The whole fleet.

use brigade_shared::id::Generation;
use tracing::{error, info, warn};

use super::change::Telling;
use super::words::{counted, indented, shown};
use crate::plan::{Despair, Haste, Scaling};

pub(super) fn ready(workers: u16, generation: Generation) {
    info!(
        event = "fleet.ready",
        workers,
        generation = generation.0,
        "ready: {} of generation {generation}",
        counted(workers)
    );
}

pub(super) fn service_ready(ready: u16, wanted: u16) {
    info!(
        event = "service.ready",
        ready,
        wanted,
        "the service is ready: {ready} of {wanted} wanted workers serve (--ready-when)"
    );
}

pub(super) fn scaled(from: u16, to: u16, because: Scaling) {
    let (busy, waiting) = match because {
        Scaling::Load { busy, waiting } => (Some(busy), Some(waiting)),
        Scaling::Asked | Scaling::Reload | Scaling::Processors => (None, None),
    };
    let (because, why) = match because {
        Scaling::Asked => ("asked", "as asked".to_owned()),
        Scaling::Reload => ("reload", "as configured".to_owned()),
        Scaling::Processors => ("processors", "the usable processors changed".to_owned()),
        Scaling::Load { busy, waiting } => (
            "load",
            format!("the loops are busy for {busy} % of the time, and {waiting} connections wait"),
        ),
    };
    info!(
        event = "fleet.scaled",
        from,
        to,
        because,
        busy,
        waiting,
        "{} wanted instead of {from}: {why}",
        counted(to)
    );
}

pub(super) fn scale_refused(asked: i32) {
    warn!(
        event = "fleet.scale_refused",
        asked,
        "a change of the number of workers by {asked:+} is not followed: it is 1 at least and {} at most",
        brigade_config::MAX_WORKERS
    );
}

pub(super) fn stopping(how: Haste) {
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

pub(super) fn giving_up(despair: Despair, with: &Telling<'_>) {
    let reason = match despair {
        Despair::NeverReady { attempts } => {
            format!("no worker became ready, with up to {attempts} attempts per slot")
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
