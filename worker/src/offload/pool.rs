//! A bounded number of threads behind a bounded queue.
//!
//! A thread is started when a job comes and none is idle, and ends when it was idle for a while. What
//! is in the queue has not begun; whoever takes a job out of the queue, by its number and under the
//! lock, is the one who decides what becomes of it: a thread runs it, its owner withdraws it.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use brigade_shared::board::Pool as Kind;
use brigade_shared::sys::process::give_way;

use super::error::Error;
use super::tally::Tally;

/// A thread that had nothing to do for so long ends.
const IDLE: Duration = Duration::from_secs(10);
/// How much a thread that computes gives way to event loops, as a nice value: when both are ready
/// to run on one core, the loop gets about ten times as much of it.
const NICE: i32 = 10;

/// The number of a job of one pool.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct JobId(u64);

/// What a thread is to do.
pub(super) type Work = Box<dyn FnOnce(&Tally) + Send>;

/// The bounds of a pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The most threads; at least one.
    pub(super) threads: usize,
    /// The most jobs that wait while every thread is at work.
    pub(super) queue: usize,
}

/// One pool. Its threads keep it alive.
pub(super) struct Pool {
    state: Mutex<State>,
    /// There is work, or the end has come.
    work: Condvar,
    /// The last thread has ended.
    gone: Condvar,
    bounds: Bounds,
    pub(super) tally: Tally,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Entry>,
    next: u64,
    threads: usize,
    idle: usize,
    running: usize,
    is_stopped: bool,
}

struct Entry {
    id: JobId,
    since: Instant,
    work: Work,
}

impl State {
    /// Takes a job out of the queue. The numbers in it only rise.
    fn take(&mut self, id: JobId) -> Option<Entry> {
        let place = self.queue.binary_search_by_key(&id, |entry| entry.id);
        self.queue.remove(place.ok()?)
    }
}

impl Pool {
    pub(super) fn new(bounds: Bounds, tally: Tally) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            work: Condvar::new(),
            gone: Condvar::new(),
            bounds,
            tally,
        })
    }

    /// Nothing of the app runs under the lock, so that nothing panics there.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, state: &State) {
        self.tally.jobs(state.queue.len(), state.running);
    }

    /// Puts a job into the queue. Work that is refused is dropped, outside of the lock.
    pub(super) fn submit(self: &Arc<Self>, work: Work) -> Result<JobId, Error> {
        let mut state = self.lock();
        if state.is_stopped {
            return Err(Error::Stopped);
        }
        let is_grown = state.threads >= self.bounds.threads;
        // Idle threads have been woken for as many of those in the queue.
        let waiting = state.queue.len().saturating_sub(state.idle);
        let has_hand = !is_grown || state.queue.len() < state.idle;
        if !has_hand && waiting >= self.bounds.queue {
            drop(state);
            self.tally.refused();
            return Err(Error::Full);
        }
        let id = JobId(state.next);
        state.next += 1;
        let since = Instant::now();
        state.queue.push_back(Entry { id, since, work });
        self.tell(&state);
        if state.idle > 0 {
            self.work.notify_one();
        }
        if is_grown || state.queue.len() <= state.idle {
            return Ok(id);
        }
        state.threads += 1;
        drop(state);
        self.start_thread(id)
    }

    /// Starts a thread, of which `threads` knows already, for the sake of this job. If there is none
    /// to be had, the others will come to it; if there are no others, it is refused.
    fn start_thread(self: &Arc<Self>, id: JobId) -> Result<JobId, Error> {
        let name = match self.tally.pool() {
            Kind::Blocking => "brigade-block",
            Kind::Cpu => "brigade-cpu",
        };
        let pool = Arc::clone(self);
        let started = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || pool.serve());
        let Err(error) = started else {
            return Ok(id);
        };
        let mut state = self.lock();
        state.threads -= 1;
        if state.threads > 0 {
            return Ok(id);
        }
        let entry = state.take(id);
        self.tell(&state);
        drop(state);
        drop(entry);
        self.tally.refused();
        Err(Error::NoThread(error.to_string()))
    }

    /// Takes a job out of the queue, so that it is never run. False if it was begun.
    pub(super) fn withdraw(&self, id: JobId) -> bool {
        let mut state = self.lock();
        let entry = state.take(id);
        self.tell(&state);
        drop(state);
        // Dropped without the lock: it holds what belongs to the app.
        entry.is_some()
    }

    /// The life of a thread.
    fn serve(&self) {
        if self.tally.pool() == Kind::Cpu {
            // Without it, it is only less polite.
            let _ = give_way(NICE);
        }
        let mut state = self.lock();
        loop {
            let Some(entry) = state.queue.pop_front() else {
                let (back, is_idle) = self.rest(state);
                state = back;
                if (is_idle || state.is_stopped) && state.queue.is_empty() {
                    break;
                }
                continue;
            };
            state.running += 1;
            self.tell(&state);
            drop(state);
            let begin = Instant::now();
            self.tally.waited(begin - entry.since);
            // Its own panics are caught where its result is made; this is for what drops panic.
            let dropped = catch_unwind(AssertUnwindSafe(|| (entry.work)(&self.tally)));
            if dropped.is_err() {
                self.tally.panicked();
            }
            self.tally.ran(begin.elapsed());
            state = self.lock();
            state.running -= 1;
            self.tell(&state);
        }
        state.threads -= 1;
        if state.threads == 0 {
            self.gone.notify_all();
        }
    }

    /// Waits for work. True if none came for so long that the thread may end.
    fn rest<'a>(&'a self, mut state: MutexGuard<'a, State>) -> (MutexGuard<'a, State>, bool) {
        if state.is_stopped {
            return (state, true);
        }
        state.idle += 1;
        let waited = self.work.wait_timeout(state, IDLE);
        let (mut state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        state.idle -= 1;
        (state, waited.timed_out())
    }

    /// Takes no more jobs and drops those that wait.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.is_stopped = true;
        let dropped = std::mem::take(&mut state.queue);
        self.tell(&state);
        self.work.notify_all();
        drop(state);
        drop(dropped);
    }

    /// Waits for the threads, which were told to stop, but not longer. False if some are still at
    /// work.
    pub(super) fn wait_until(&self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self
            .gone
            .wait_timeout_while(self.lock(), left, |state| state.threads > 0);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.threads == 0
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("bounds", &self.bounds)
            .field("tally", &self.tally)
            .finish_non_exhaustive()
    }
}
