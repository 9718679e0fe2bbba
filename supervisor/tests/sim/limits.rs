//! How long a worker may stand still, and how often it is looked at, by what it was made with.

use std::time::Duration;

use brigade_shared::id::WorkerId;
use brigade_supervisor::plan::Settings;

use super::ledger::Ledger;

impl Ledger {
    /// How long this worker may stand still until it is ended.
    pub(crate) fn limit_of(&self, id: WorkerId) -> Option<Duration> {
        self.workers.get(&id)?.limit
    }

    /// How long this service may stand still until it is left out.
    pub(crate) fn warn_of(&self, id: WorkerId) -> Option<Duration> {
        let record = self.workers.get(&id)?;
        let warn = Some(record.warn).filter(|warn| !warn.is_zero())?;
        Some(record.limit.map_or(warn, |limit| limit.min(warn)))
    }

    /// How long this program may be silent until it is left out, if it takes part.
    pub(crate) fn silence_of(&self, id: WorkerId) -> Option<Duration> {
        let record = self.workers.get(&id)?;
        let is_watched = !record.warn.is_zero();
        record
            .limit
            .filter(|_| is_watched)
            .map(|limit| limit / 4 * 3)
    }

    /// From one look to the next.
    pub(crate) fn pace(&self) -> Duration {
        let staged = self.staged().map(|(_, settings)| pace(settings));
        staged.into_iter().fold(pace(&self.settings), Duration::min)
    }
}

/// From one look to the next.
fn pace(settings: &Settings) -> Duration {
    if settings.stall_warn.is_zero() {
        return Duration::from_millis(100);
    }
    (settings.stall_warn / 8).clamp(Duration::from_millis(5), Duration::from_millis(100))
}
