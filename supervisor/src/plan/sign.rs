//! What a look brings a vigil: a sign of the worker, when it was seen, and how much patience there
//! is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::vocabulary::{Moment, Settings, Signs};

/// What one look says of a worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sign {
    /// Moves with progress.
    pub(super) mark: u64,
    /// Whether somebody who does not move now is to be suspected.
    pub(super) engaged: bool,
    /// For how long before the answer there was no progress, if it can tell.
    pub(super) silent: Duration,
    /// For how long since the look before it could not move, whatever it wanted.
    pub(super) starved: Duration,
}

/// When a look took place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    /// When the look before was answered.
    pub(super) previous: Moment,
    /// When this one should have been ordered.
    pub(super) due: Moment,
    /// When it was.
    pub(super) ordered: Moment,
    /// When its answer came.
    pub(super) answered: Moment,
}

/// How long a worker may make no progress.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Patience {
    /// It is asked to show that it turns.
    pub(super) ask: Option<Duration>,
    /// It is taken for blocked.
    pub(super) warn: Duration,
    /// It is ended.
    pub(super) limit: Option<Duration>,
}

/// What the configuration says of standing still.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(super) struct Limits {
    warn: Duration,
    limit: Option<Duration>,
}

impl Limits {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            warn: settings.stall_warn,
            limit: settings.stall_limit,
        }
    }
}

impl Patience {
    /// With a service.
    pub(super) fn of_services(Limits { warn, limit }: Limits) -> Self {
        if warn.is_zero() {
            return Self::endless();
        }
        let warn = limit.map_or(warn, |limit| limit.min(warn));
        Self {
            ask: Some(warn / 2),
            warn,
            limit,
        }
    }

    /// Nobody is ever suspected.
    fn endless() -> Self {
        Self {
            ask: None,
            warn: Duration::MAX,
            limit: None,
        }
    }

    /// With a program that has once said that it lives; none: nobody minds its silence. It is told
    /// the limit when it is made and nothing else, so the rest follows from it; nobody can ask it.
    pub(super) fn of_programs(Limits { warn, limit }: Limits) -> Option<Self> {
        let limit = limit.filter(|_| !warn.is_zero())?;
        Some(Self {
            ask: None,
            warn: limit / 4 * 3,
            limit: Some(limit),
        })
    }

    /// So much later than it was due a look may come and still count.
    pub(super) fn tolerance(self) -> Duration {
        self.warn / 4
    }
}

impl Span {
    /// How much of the time since the look before was not watched: all of it, if this look was
    /// late.
    pub(super) fn unwatched(self, patience: Patience) -> Duration {
        if self.answered.saturating_sub(self.due) > patience.tolerance() {
            self.answered.saturating_sub(self.previous)
        } else {
            Duration::ZERO
        }
    }
}

impl Sign {
    /// What a worker shows; `waits`: connections wait for it. None if it takes no part.
    pub(super) fn of(signs: Signs, waits: bool) -> Option<Self> {
        match signs {
            Signs::Row {
                progress,
                is_running,
                starved,
                ..
            } => Some(Self {
                mark: progress,
                engaged: is_running || waits,
                silent: Duration::ZERO,
                starved,
            }),
            Signs::Words { watchdogs: 0, .. } => None,
            Signs::Words { watchdogs, silent } => Some(Self {
                mark: watchdogs,
                engaged: true,
                silent,
                starved: Duration::ZERO,
            }),
        }
    }
}
