//! The two pools of a worker, and how code anywhere in the app finds them.

use std::cell::Cell;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use brigade_config::{Config, Offload};
use brigade_shared::board::{Counter, Pool as Kind, Row};

use super::job::{Job, Patience};
use super::pool::{Bounds, Pool};
use super::tally::{Owner, Tally};

/// Runs a function that waits (reads files, asks a client that knows nothing of async) on a thread
/// of a bounded pool, while the event loop goes on.
///
/// At most `--offload-threads` of them run at a time in a worker; `--offload-queue` more wait; one
/// more is refused with [`Error::Full`](super::Error::Full). For what computes there is [`cpu`].
///
/// ```
/// use brigade_worker::offload;
///
/// # async fn example() -> Result<(), offload::Error> {
/// let passwords = offload::blocking(|| std::fs::read_to_string("/etc/passwd")).await?;
/// # Ok(()) }
/// ```
pub fn blocking<T, F>(function: F) -> Job<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    Pools::here().blocking(function)
}

/// Runs a function that computes on a thread of a pool as small as the worker's part of the machine
/// (`--offload-cpu-threads`, one unless said otherwise), at a lower priority than event loops. More
/// threads than cores would not compute any faster; they would only share the time.
///
/// Queue and deadlines are as for [`blocking`].
///
/// ```
/// use brigade_worker::offload;
///
/// # async fn example() -> Result<(), offload::Error> {
/// let sum: u64 = offload::cpu(|| (1..=10_000_000).sum()).await?;
/// # Ok(()) }
/// ```
pub fn cpu<T, F>(function: F) -> Job<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    Pools::here().cpu(function)
}

/// The pools of one worker.
#[derive(Debug)]
pub(crate) struct Pools {
    blocking: Arc<Pool>,
    cpu: Arc<Pool>,
    patience: Patience,
    owner: Option<Owner>,
}

thread_local! {
    /// Those of the worker whose thread this is.
    static OWN: Cell<Option<&'static Pools>> = const { Cell::new(None) };
}

/// Those of this process, for threads that the app has started itself.
static SHARED: OnceLock<&'static Pools> = OnceLock::new();

impl Pools {
    pub(super) fn new(owner: Option<Owner>, config: &Offload) -> Self {
        let pool = |kind, threads| {
            let bounds = Bounds {
                threads,
                queue: config.queue as usize,
            };
            Pool::new(bounds, Tally::new(owner, kind))
        };
        Self {
            blocking: pool(Kind::Blocking, config.threads.into()),
            cpu: pool(Kind::Cpu, config.cpu_threads.into()),
            patience: Patience {
                wait: config.wait,
                whole: config.timeout,
            },
            owner,
        }
    }

    /// See [`blocking`].
    pub(super) fn blocking<T: Send + 'static>(
        &self,
        function: impl FnOnce() -> T + Send + 'static,
    ) -> Job<T> {
        Job::submit(&self.blocking, self.patience, function)
    }

    /// See [`cpu`].
    pub(super) fn cpu<T: Send + 'static>(
        &self,
        function: impl FnOnce() -> T + Send + 'static,
    ) -> Job<T> {
        Job::submit(&self.cpu, self.patience, function)
    }

    /// Those of a worker, to be found by all code of its process from now on. No thread is started
    /// yet. They live as long as the process.
    pub(crate) fn install(row: Row<'static>, slot: u16, config: &Offload) -> &'static Self {
        let pid = std::process::id();
        let owner = Owner { row, slot, pid };
        let pools: &'static Self = Box::leak(Box::new(Self::new(Some(owner), config)));
        OWN.set(Some(pools));
        // A second worker in the same process exists in tests only.
        let _ = SHARED.set(pools);
        pools
    }

    /// Those that code on this thread uses. Outside of a worker, in the tests of an app for example,
    /// they are pools with default bounds.
    fn here() -> &'static Self {
        let own = OWN.get();
        own.unwrap_or_else(|| {
            SHARED.get_or_init(|| {
                let config = Config::default().worker.offload;
                Box::leak(Box::new(Self::new(None, &config)))
            })
        })
    }

    /// A long task has given way to others, and waited for so long for its next turn.
    pub(super) fn gave_way(waited: Duration) {
        if let Some(owner) = &Self::here().owner {
            owner.row.count(Counter::Yields, 1);
            let waited = waited.as_nanos() as u64;
            owner.row.count(Counter::YieldWaitNs, waited);
        }
    }

    /// The end: drops what waits, and gives running jobs so much time. Whatever then still runs ends
    /// with the process.
    pub(crate) fn stop(&self, within: Duration) {
        let deadline = Instant::now() + within;
        let both = [&self.blocking, &self.cpu];
        both.iter().for_each(|pool| pool.stop());
        both.iter().for_each(|pool| {
            pool.wait_until(deadline);
        });
    }
}
