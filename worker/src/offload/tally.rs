//! What is told of the pools: to the scoreboard always, to the log when jobs are refused.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use brigade_shared::board::{Counter, Jobs, Pool, Row};
use brigade_shared::sys::clock::monotonic_ns;

/// A pool that refuses is logged at most so often.
const LOG_PACE_NS: u64 = 10_000_000_000;

/// Whose pools these are; nothing outside of a worker, in the tests of an app for example.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub(crate) row: Row<'static>,
    pub(crate) slot: u16,
    pub(crate) pid: u32,
}

/// The counters of one pool.
#[derive(Clone, Copy, Debug)]
struct Names {
    ran: Counter,
    refused: Counter,
    late: Counter,
    abandoned: Counter,
    wait: Counter,
    run: Counter,
}

const fn names(pool: Pool) -> Names {
    match pool {
        Pool::Blocking => Names {
            ran: Counter::BlockingRan,
            refused: Counter::BlockingRefused,
            late: Counter::BlockingLate,
            abandoned: Counter::BlockingAbandoned,
            wait: Counter::BlockingWaitNs,
            run: Counter::BlockingRunNs,
        },
        Pool::Cpu => Names {
            ran: Counter::CpuRan,
            refused: Counter::CpuRefused,
            late: Counter::CpuLate,
            abandoned: Counter::CpuAbandoned,
            wait: Counter::CpuWaitNs,
            run: Counter::CpuRunNs,
        },
    }
}

/// What is told of one pool, by any thread.
#[derive(Debug)]
pub(super) struct Tally {
    owner: Option<Owner>,
    pool: Pool,
    names: Names,
    unsaid: AtomicU64,
    said_ns: AtomicU64,
}

impl Tally {
    pub(super) fn new(owner: Option<Owner>, pool: Pool) -> Self {
        Self {
            owner,
            pool,
            names: names(pool),
            unsaid: AtomicU64::new(0),
            said_ns: AtomicU64::new(0),
        }
    }

    pub(super) fn pool(&self) -> Pool {
        self.pool
    }

    /// The jobs at this moment. For whoever holds the pool's lock.
    pub(super) fn jobs(&self, queued: usize, running: usize) {
        if let Some(owner) = &self.owner {
            let jobs = Jobs {
                queued: queued as u64,
                running: running as u64,
            };
            owner.row.set_jobs(self.pool, jobs);
        }
    }

    pub(super) fn waited(&self, time: Duration) {
        self.count(self.names.wait, time.as_nanos() as u64);
    }

    pub(super) fn ran(&self, time: Duration) {
        self.count(self.names.ran, 1);
        self.count(self.names.run, time.as_nanos() as u64);
    }

    pub(super) fn panicked(&self) {
        self.count(Counter::JobPanics, 1);
    }

    pub(super) fn abandoned(&self) {
        self.count(self.names.abandoned, 1);
    }

    pub(super) fn late(&self) {
        self.count(self.names.late, 1);
        self.tell_of_trouble("late");
    }

    pub(super) fn refused(&self) {
        self.count(self.names.refused, 1);
        self.tell_of_trouble("refused");
    }

    fn count(&self, counter: Counter, amount: u64) {
        if let Some(owner) = &self.owner {
            owner.row.count(counter, amount);
        }
    }

    fn tell_of_trouble(&self, trouble: &'static str) {
        self.unsaid.fetch_add(1, Relaxed);
        let (now, said) = (monotonic_ns(), self.said_ns.load(Relaxed));
        let is_due = said == 0 || now.saturating_sub(said) >= LOG_PACE_NS;
        let claimed = || self.said_ns.compare_exchange(said, now, Relaxed, Relaxed);
        let Some(Owner { slot, pid, .. }) = self.owner else {
            return;
        };
        if !is_due || claimed().is_err() {
            return;
        }
        let jobs = self.unsaid.swap(0, Relaxed);
        let pool = match self.pool {
            Pool::Blocking => "blocking",
            Pool::Cpu => "cpu",
        };
        tracing::warn!(
            event = "offload.overloaded",
            slot,
            pid,
            pool,
            trouble,
            jobs,
            "worker {slot} has more {pool} jobs than its threads keep up with: {jobs} more without a result since this was last said; \
             requests that need them get a 503. Make the jobs shorter, start more workers, or see --offload-threads and --offload-queue"
        );
    }
}
