//! Reloads.

use std::time::Duration;

use brigade_shared::id::{Generation, WorkerId};
use tracing::{error, info, warn};

use super::change::Telling;
use super::words::{indented, milliseconds, shown};
use crate::plan::Failure;

pub(super) fn started(generation: Generation) {
    info!(
        event = "reload.started",
        generation = generation.0,
        "reloading: generation {generation} starts beside the one that serves"
    );
}

pub(super) fn queued() {
    info!(
        event = "reload.queued",
        "a reload was asked for while one is under way: it follows"
    );
}

pub(super) fn refused(with: &Telling<'_>) {
    let problems = with.reason;
    error!(
        event = "reload.refused",
        problems, "reload refused, everything stays as it was:\n{problems}"
    );
}

pub(super) fn probation(generation: Generation, lasts: Duration) {
    info!(
        event = "reload.probation",
        generation = generation.0,
        lasts_ms = milliseconds(lasts),
        "the first worker of generation {generation} serves: the others follow if it stays well for {}",
        shown(lasts)
    );
}

pub(super) fn done(generation: Generation) {
    info!(
        event = "reload.done",
        generation = generation.0,
        "reloaded: generation {generation} serves, the one before finishes what it has"
    );
}

pub(super) fn certificates_renewed(generation: Generation) {
    info!(
        event = "reload.done",
        generation = generation.0,
        only = "certificates",
        "reloaded: only certificates have changed, and the workers of generation {generation} go on with the new ones"
    );
}

pub(super) fn rolled_back(
    generation: Generation,
    worker: WorkerId,
    failure: Failure,
    with: &Telling<'_>,
) {
    let slot = with.roster.get(worker).map(|who| who.slot.0);
    let (failure, what) = match failure {
        Failure::Ended(exit) => ("ended", format!("ended with {exit}")),
        Failure::NotMade => ("not_made", format!("could not be made: {}", with.reason)),
        Failure::Late => ("late", "was not ready within --timeout-start".to_owned()),
        Failure::Blocked => ("blocked", "made no progress for --stall-warn".to_owned()),
    };
    let output = with.last_words.join("\n");
    let tail = indented(&output);
    error!(
        event = "reload.rolled_back",
        generation = generation.0,
        slot,
        failure,
        output,
        "reload rolled back: a worker of generation {generation} {what}; the one before still serves{tail}"
    );
}

pub(super) fn lingering_cut(generation: Generation) {
    warn!(
        event = "reload.lingering_cut",
        generation = generation.0,
        "more older generations have work left than --reload-max-lingering allows: what generation {generation} still has is cut"
    );
}
