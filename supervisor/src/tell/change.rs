//! Which line belongs to which change.

use brigade_shared::board::Board;

use super::{fleet, reload, stall, worker};
use crate::plan::Change;
use crate::roster::Roster;
use crate::stack::Budget;

/// What the log needs beyond the change itself.
pub(crate) struct Telling<'a> {
    /// Who the workers are.
    pub(crate) roster: &'a Roster,
    /// What they do.
    pub(crate) board: &'a Board,
    /// How long to look at what they do.
    pub(crate) stacks: &'a Budget,
    /// The last words of the worker that failed.
    pub(crate) last_words: &'a [String],
    /// Why the last configuration or process could not be had.
    pub(crate) reason: &'a str,
}

/// Writes the line of a change. Those of an upgrade are written by [`crate::handover`].
pub(crate) fn tell(change: &Change, with: &Telling<'_>) {
    match *change {
        Change::WorkerReady { worker, after } => worker::ready(worker, after, with),
        Change::WorkerDraining { worker, because } => worker::draining(worker, because, with),
        Change::WorkerLeft { worker, exit } => worker::left(worker, exit, with),
        Change::WorkerCrashed {
            worker,
            exit,
            was_ready,
            uptime,
            next,
        } => worker::crashed(worker, exit, was_ready, uptime, next, with),
        Change::WorkerRecycling { worker, because } => worker::recycling(worker, because, with),
        Change::SpawnFailed { slot, next } => worker::not_made(slot, next, with),
        Change::SlotParked(slot) => worker::parked(slot),
        Change::WorkerOverdue { worker, deadline } => stall::overdue(worker, deadline, with),
        Change::WorkerBlocked {
            worker,
            lasts,
            waiting,
        } => stall::blocked(worker, lasts, waiting, with),
        Change::WorkerRecovered { worker, lasted } => stall::recovered(worker, lasted, with),
        Change::FleetReady {
            workers,
            generation,
        } => fleet::ready(workers, generation),
        Change::ServiceReady { ready, wanted } => fleet::service_ready(ready, wanted),
        Change::Scaled { from, to, because } => fleet::scaled(from, to, because),
        Change::ScaleRefused { asked } => fleet::scale_refused(asked),
        Change::Stopping { how } => fleet::stopping(how),
        Change::GivingUp(despair) => fleet::giving_up(despair, with),
        Change::ReloadStarted(generation) => reload::started(generation),
        Change::ReloadQueued => reload::queued(),
        Change::ReloadRefused => reload::refused(with),
        Change::ReloadProbation { generation, lasts } => reload::probation(generation, lasts),
        Change::ReloadDone(generation) => reload::done(generation),
        Change::CertificatesRenewed(generation) => reload::certificates_renewed(generation),
        Change::ReloadRolledBack {
            generation,
            worker,
            failure,
        } => reload::rolled_back(generation, worker, failure, with),
        Change::LingeringCut(generation) => reload::lingering_cut(generation),
        Change::UpgradeStarted
        | Change::UpgradeRefused(_)
        | Change::UpgradeDone(_)
        | Change::UpgradeRolledBack { .. }
        | Change::UpgradeStranded { .. } => {}
    }
}
