//! What became of every request.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::histogram::Histogram;
use crate::outcome::Outcome;

/// With more faults than this in one window the row would mean nothing: the run stops.
const TOO_MANY: u64 = 1_000;

/// A request that waited for so long at the end of a run counts as hung.
pub(super) const HUNG: Duration = Duration::from_secs(1);

/// Why a request was not answered as it should be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Fault {
    /// No connection could be made.
    Refused,
    /// The connection broke.
    Reset,
    /// The connection was closed before the whole answer.
    Closed,
    /// The status was not 200.
    Status,
    /// No answer for longer than [`HUNG`].
    Hung,
    /// The body was longer or shorter than it should be, or of unknown length.
    Body,
}

/// What became of the requests of one window.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    /// Answered as they should be.
    pub(crate) answered: u64,
    /// How long these took.
    pub(crate) latency: Histogram,
    /// Answers by the process that gave them, if they tell.
    pub(crate) by_worker: BTreeMap<u32, u64>,
    faults: BTreeMap<Fault, u64>,
}

impl Tally {
    pub(crate) fn answer(&mut self, took: Duration) {
        self.answered += 1;
        self.latency.record(took);
    }

    pub(crate) fn fault(&mut self, fault: Fault) -> Outcome<()> {
        *self.faults.entry(fault).or_default() += 1;
        if self.faults() > TOO_MANY {
            return Err(format!("too many requests went wrong: {self}").into());
        }
        Ok(())
    }

    /// Requests that were not answered as they should be.
    pub(crate) fn faults(&self) -> u64 {
        self.faults.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered", self.answered)?;
        for (fault, count) in &self.faults {
            write!(f, ", {count} {fault:?}")?;
        }
        Ok(())
    }
}
