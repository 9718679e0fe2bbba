//! Connections that were handed to workers and are not claimed yet. A worker that blocks, freezes or
//! dies with some of them in its channel would keep their clients waiting or lose them, so a
//! descriptor of each is kept here until the worker claims it, and those that it does not come to
//! are taken back. Which of both came first is decided by one word of its row
//! ([`brigade_shared::board::Row::claim`]).

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use brigade_shared::id::WorkerId;

use super::{Adrift, Crew};

/// The first pause before a look at what was claimed; it doubles as long as nothing is handed over.
const PAUSE: Duration = Duration::from_millis(5);
const PAUSE_MOST: Duration = Duration::from_millis(100);

/// What each worker was handed and has not claimed, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Lent {
    of: BTreeMap<WorkerId, VecDeque<Adrift>>,
    again: Option<(Instant, Duration)>,
}

impl Lent {
    /// A worker was handed this.
    pub(super) fn lend(&mut self, worker: WorkerId, adrift: Adrift) {
        self.of.entry(worker).or_default().push_back(adrift);
        self.again = Some((Instant::now() + PAUSE, PAUSE));
    }

    /// How many are on their way to this worker.
    pub(super) fn count(&self, worker: WorkerId) -> u64 {
        self.of.get(&worker).map_or(0, |lent| lent.len() as u64)
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.again.map(|(at, _)| at)
    }

    /// Lets go of what was claimed.
    pub(super) fn settle(&mut self, crew: &Crew<'_>) {
        for (worker, lent) in &mut self.of {
            // One that is struck off has been asked before: nothing can be known of it any more.
            let left = crew.roster.get(*worker).map_or(0, |member| {
                let claimed = crew.board.row(member.row).claimed();
                member.handed.saturating_sub(claimed)
            });
            keep_youngest(lent, left);
        }
        self.of.retain(|_, lent| !lent.is_empty());
        let now = Instant::now();
        self.again = match self.again {
            Some(_) if self.of.is_empty() => None,
            Some((at, pause)) if at <= now => {
                let pause = (pause * 2).min(PAUSE_MOST);
                Some((now + pause, pause))
            }
            later => later,
        };
    }

    /// Takes back what these workers have not claimed.
    pub(super) fn take_back(
        &mut self,
        crew: &Crew<'_>,
        from: impl Fn(WorkerId) -> bool,
    ) -> Vec<Adrift> {
        let mut back = Vec::new();
        for (worker, lent) in &mut self.of {
            if !from(*worker) {
                continue;
            }
            if let Some(member) = crew.roster.get(*worker) {
                let claimed = crew.board.row(member.row).take_back(member.handed);
                keep_youngest(lent, member.handed.saturating_sub(claimed));
                back.extend(lent.drain(..));
            }
        }
        self.settle(crew);
        back
    }
}

fn keep_youngest(lent: &mut VecDeque<Adrift>, left: u64) {
    let claimed = (lent.len() as u64).saturating_sub(left);
    lent.drain(..claimed as usize);
}
