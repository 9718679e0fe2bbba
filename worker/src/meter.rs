//! What every part of a worker writes to: its row of the scoreboard, and the clock it reads.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};

use brigade_shared::board::Row;
use brigade_shared::sys::clock::monotonic_ns;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::lately::{Age, Lately};
use crate::transport::Origin;

/// One per worker, alive as long as the process. It can be reached from every thread, because an
/// upgraded connection may be taken anywhere by its app.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) row: Row<'static>,
    pub(crate) clock: Clock,
    pub(crate) lately: Lately,
    open: AtomicUsize,
    gone: Notify,
    is_draining: AtomicBool,
    drain_begun: Notify,
}

impl Meter {
    /// Lives for ever: a process has one worker, and so all its parts can point to it freely.
    pub(crate) fn leak(row: Row<'static>) -> &'static Self {
        Box::leak(Box::new(Self {
            row,
            clock: Clock::start(),
            lately: Lately::default(),
            open: AtomicUsize::new(0),
            gone: Notify::new(),
            is_draining: AtomicBool::new(false),
            drain_begun: Notify::new(),
        }))
    }

    /// A connection is open from now on, also after an upgrade, until `connection_closed`.
    pub(crate) fn connection_opened(&self, origin: Origin) -> Age {
        self.open.fetch_add(1, Relaxed);
        match origin {
            Origin::Accepted => self.row.connection_opened(),
            Origin::Taken => self.row.connection_taken(),
        }
        self.lately.opened(self.clock.last())
    }

    pub(crate) fn connection_closed(&self, age: Age) {
        self.lately.closed(age);
        let left = self.open.fetch_sub(1, Relaxed) - 1;
        // An upgraded connection may end on another thread, and the row has one writer. What the
        // two make of it in the same instant is put right by the next to go.
        self.row.set_connections(left as u64);
        if left == 0 {
            self.gone.notify_waiters();
        }
    }

    pub(crate) fn open_connections(&self) -> usize {
        self.open.load(Relaxed)
    }

    /// From now on the worker drains.
    pub(crate) fn begin_drain(&self) {
        self.is_draining.store(true, Relaxed);
        self.drain_begun.notify_waiters();
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.is_draining.load(Relaxed)
    }

    /// Ends when the worker drains.
    pub(crate) async fn draining(&self) {
        // Made before the look, so that nothing is missed in between, on whatever thread this is.
        let begun = self.drain_begun.notified();
        if !self.is_draining() {
            begun.await;
        }
    }

    /// Ends when no connection is open.
    pub(crate) async fn all_gone(&self) {
        loop {
            // Made before the look at the count, so that a last connection that goes in between
            // (an upgraded one may end on another thread) is heard.
            let gone = self.gone.notified();
            if self.open_connections() == 0 {
                return;
            }
            gone.await;
        }
    }
}

/// Nanoseconds on the monotonic clock. It remembers its last reading, for all that need not know
/// better than "in this turn of the loop".
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    start_ns: u64,
    last: AtomicU64,
}

impl Clock {
    fn start() -> Self {
        let start_ns = monotonic_ns();
        Self {
            start: Instant::now(),
            start_ns,
            last: AtomicU64::new(start_ns),
        }
    }

    /// Reads the clock. It is tokio's, which tests can stop and wind forward.
    pub(crate) fn read(&self) -> u64 {
        let now = self.start_ns + self.start.elapsed().as_nanos() as u64;
        self.last.store(now, Relaxed);
        now
    }

    /// The last reading: at most a turn of the loop old, since every turn begins with one.
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Relaxed)
    }

    /// A moment of this clock as one that tokio can sleep until.
    pub(crate) fn instant(&self, at_ns: u64) -> Instant {
        self.start + std::time::Duration::from_nanos(at_ns.saturating_sub(self.start_ns))
    }
}
