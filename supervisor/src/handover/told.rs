//! What an operator is told of an upgrade.

use tracing::{error, info, warn};

use super::upgrade::Upgrade;
use crate::plan::{Change, Refusal};

/// What the lines need beyond the change itself.
pub(crate) struct Words<'a> {
    /// What the sentinel or the kernel said.
    pub(crate) reason: &'a str,
    /// The last lines of the worker that failed last.
    pub(crate) last_words: &'a [String],
}

/// Writes the line of a change, if it concerns an upgrade.
pub(crate) fn tell(change: &Change, upgrade: &Upgrade, words: &Words<'_>) {
    let (version, other) = (upgrade.version(), upgrade.other_version());
    match change {
        Change::UpgradeStarted => {
            let program = upgrade.start.path().display().to_string();
            info!(
                event = "upgrade.started",
                version,
                program,
                "upgrading from brigade {version}: {program} is asked whether it can go on"
            );
        }
        Change::UpgradeRefused(refusal) => {
            let (because, reason) = match refusal {
                Refusal::Busy => ("busy", "a reload or another upgrade is under way"),
                Refusal::Sentinel => ("sentinel", words.reason),
                Refusal::Exec => ("exec", words.reason),
            };
            error!(
                event = "upgrade.refused",
                because, reason, "upgrade refused, everything stays as it was: {reason}"
            );
        }
        Change::UpgradeDone(generation) => {
            info!(
                event = "upgrade.done",
                version,
                from = other,
                generation = generation.0,
                "upgraded from brigade {other} to {version}: generation {generation} serves, the one before finishes what it has"
            );
        }
        Change::UpgradeRolledBack { generation } => {
            let output = words.last_words.join("\n");
            let tail = match output.as_str() {
                "" => String::new(),
                said => format!("; last words of the failed worker: {said}"),
            };
            error!(
                event = "upgrade.rolled_back",
                version,
                from = other,
                generation = generation.0,
                output,
                "upgrade rolled back: generation {generation} of brigade {other} failed, brigade {version} goes on and its workers still serve{tail}"
            );
        }
        Change::UpgradeStranded { generation } => {
            let reason = words.reason;
            warn!(
                event = "upgrade.stranded",
                version,
                from = other,
                generation = generation.0,
                reason,
                "generation {generation} failed, and brigade {other} can't be had back: its workers serve on under brigade {version}; the next reload replaces them ({reason})"
            );
        }
        _ => {}
    }
}

/// The new program has taken over.
pub(super) fn resumed(upgrade: &Upgrade, took_ms: u64) {
    let (version, from) = (upgrade.version(), upgrade.other_version());
    info!(
        event = "upgrade.resumed",
        version,
        from,
        took_ms,
        "brigade {version} has taken over from {from}, whose workers serve on until its own have proved themselves"
    );
}
