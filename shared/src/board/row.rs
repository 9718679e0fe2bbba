//! A row: what one worker tells of itself. A page of its own, so that no two workers share a cache
//! line and only rows in use cost memory.

use std::time::Duration;

use super::counters::{self, Counter, Counters, Counts};
use super::histogram::Histogram;
use super::request::{self, CurrentRequest, RequestCell, RequestLine};
use super::table::Page;
use super::word;
use crate::id::{Generation, SlotId, WorkerId};

/// The words before the counters, one line of eight each: whose row it is; the loop; the gauges;
/// the current request.
const STATE: usize = 0;
const SLOT: usize = 1;
const GENERATION: usize = 2;
const WORKER: usize = 3;
const PID: usize = 4;
const RUNNING_SINCE: usize = 8;
const TURNS: usize = 9;
const ANSWERS: usize = 10;
const CONNECTIONS: usize = 16;
const REQUESTS: usize = 17;
const CLAIMED: usize = 18;
/// Of each pool beside the loop: jobs that wait, jobs that run.
const POOLS: usize = 19;
const REQUEST: usize = 24;
const _: () = assert!(POOLS + 2 * Pool::ALL.len() <= REQUEST);
const _: () = assert!(REQUEST + request::WORDS <= counters::FIRST);

/// Where a row's worker is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum RowState {
    /// Building the app.
    Starting = 1,
    /// Serving.
    Ready = 2,
    /// Finishing what is open.
    Draining = 3,
}

impl RowState {
    /// What a word means; nothing for a free row or nonsense.
    fn from_word(word: u64) -> Option<Self> {
        [Self::Starting, Self::Ready, Self::Draining]
            .into_iter()
            .find(|state| *state as u64 == word)
    }
}

/// The threads beside a worker's loop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Pool {
    /// For what waits: files, clients that block.
    Blocking,
    /// For what computes.
    Cpu,
}

impl Pool {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Blocking, Self::Cpu];
}

/// The jobs of a pool at this moment.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Jobs {
    /// So many wait for a thread.
    pub queued: u64,
    /// So many are being run.
    pub running: u64,
}

/// A row in shared memory. Its writing half is for the one worker that owns it.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a>(pub(super) &'a Page);

impl<'a> Row<'a> {
    /// Gives the row to a worker that is about to be born. For the ledger.
    pub(super) fn assign(self, slot: SlotId, generation: Generation, worker: WorkerId) {
        word::set(&self.0[SLOT], u64::from(slot.0));
        word::set(&self.0[GENERATION], u64::from(generation.0));
        word::set(&self.0[WORKER], worker.0);
        self.set_state(RowState::Starting);
    }

    /// Takes the row back, all zero but for what was counted. For the ledger.
    pub(super) fn vacate(self) {
        for word in &self.0[..counters::FIRST] {
            word::set(word, 0);
        }
    }

    /// Says in which process the worker lives.
    pub fn set_pid(self, pid: u32) {
        word::set(&self.0[PID], u64::from(pid));
    }

    /// Says where the worker is in its life.
    pub fn set_state(self, state: RowState) {
        word::set(&self.0[STATE], state as u64);
    }

    /// The loop waits for something to do, since `now_ns` on the monotonic clock.
    pub fn park(self, now_ns: u64) {
        let since = word::get(&self.0[RUNNING_SINCE]);
        if since != 0 {
            let turn = Duration::from_nanos(now_ns.saturating_sub(since));
            self.counters().lag().record(turn);
        }
        word::set(&self.0[RUNNING_SINCE], 0);
    }

    /// The loop has something to do, since `now_ns` on the monotonic clock.
    pub fn unpark(self, now_ns: u64) {
        word::set(&self.0[RUNNING_SINCE], now_ns.max(1));
        word::add(&self.0[TURNS], 1);
    }

    /// The loop turns, and was asked to show it ([`crate::message::Order::Answer`]).
    pub fn answer(self) {
        word::add(&self.0[ANSWERS], 1);
    }

    /// The loop works on this request from now on.
    pub fn enter_request(self, line: &RequestLine) {
        self.request().enter(line);
    }

    /// The loop is back at the request that it entered last.
    pub fn resume_request(self) {
        self.request().resume();
    }

    /// The loop turns to something else than a request.
    pub fn leave_request(self) {
        self.request().leave();
    }

    /// A connection was accepted, and is served here.
    pub fn connection_opened(self) {
        word::add(&self.0[CONNECTIONS], 1);
        self.count(Counter::Accepted, 1);
    }

    /// A connection that somebody else had accepted is served here.
    pub fn connection_taken(self) {
        word::add(&self.0[CONNECTIONS], 1);
        self.count(Counter::Taken, 1);
    }

    /// The worker claims a connection that was handed to it, by its number among all those, from 0
    /// and in their order. False if it was taken back meanwhile.
    #[must_use]
    pub fn claim(self, number: u64) -> bool {
        word::exchange(&self.0[CLAIMED], number, number + 1)
    }

    /// The supervisor takes back what the worker has not claimed of so many connections that were
    /// handed to it. Tells how many it had claimed, or lost in this way before.
    #[must_use]
    pub fn take_back(self, handed: u64) -> u64 {
        word::swap(&self.0[CLAIMED], handed)
    }

    /// How many of the connections that were handed to the worker it has claimed, or lost again.
    #[must_use]
    pub fn claimed(self) -> u64 {
        word::get(&self.0[CLAIMED])
    }

    /// A request's head is complete.
    pub fn request_begun(self) {
        word::add(&self.0[REQUESTS], 1);
    }

    /// A request is answered to the end, or given up.
    pub fn request_ended(self) {
        word::subtract(&self.0[REQUESTS], 1);
    }

    /// Tells the jobs of a pool. For whoever holds the pool's lock.
    pub fn set_jobs(self, pool: Pool, jobs: Jobs) {
        let at = POOLS + 2 * pool as usize;
        word::set(&self.0[at], jobs.queued);
        word::set(&self.0[at + 1], jobs.running);
    }

    /// The jobs of a pool.
    #[must_use]
    pub fn jobs(self, pool: Pool) -> Jobs {
        let at = POOLS + 2 * pool as usize;
        Jobs {
            queued: word::get(&self.0[at]),
            running: word::get(&self.0[at + 1]),
        }
    }

    /// Counts.
    pub fn count(self, counter: Counter, amount: u64) {
        self.counters().add(counter, amount);
    }

    /// From the end of a request's head to the end of its answer.
    #[must_use]
    pub fn latency(self) -> Histogram<'a> {
        self.counters().latency()
    }

    pub(super) fn counters(self) -> Counters<'a> {
        Counters(self.0)
    }

    fn request(self) -> RequestCell<'a> {
        RequestCell(
            self.0[REQUEST..]
                .first_chunk()
                .expect("a constant inside the page"),
        )
    }

    /// The connections of a worker that serves; none if it does not.
    pub(super) fn serving_connections(self) -> Option<u64> {
        let serves = word::get(&self.0[STATE]) == RowState::Ready as u64;
        serves.then(|| word::get(&self.0[CONNECTIONS]))
    }

    /// The connections that the worker has served, or serves.
    pub(super) fn served(self) -> u64 {
        let counters = self.counters();
        counters.get(Counter::Accepted) + counters.get(Counter::Taken)
    }

    /// Whether the loop waits for something to do.
    pub(super) fn is_parked(self) -> bool {
        word::get(&self.0[RUNNING_SINCE]) == 0
    }

    /// The connections that are open.
    #[must_use]
    pub fn connections(self) -> u64 {
        word::get(&self.0[CONNECTIONS])
    }

    /// So many connections are open, by a count that any thread may keep.
    pub fn set_connections(self, connections: u64) {
        word::set(&self.0[CONNECTIONS], connections);
    }

    /// The slot that the row's worker fills; none if the row is free.
    pub(super) fn slot(self) -> Option<SlotId> {
        RowState::from_word(word::get(&self.0[STATE]))?;
        Some(SlotId(word::get(&self.0[SLOT]) as u16))
    }

    /// The few words that tell whether the worker is well, for whoever looks often; nothing if the
    /// row is free.
    #[must_use]
    pub fn glance(self, now_ns: u64) -> Option<Glance> {
        let state = RowState::from_word(word::get(&self.0[STATE]))?;
        let running_since = word::get(&self.0[RUNNING_SINCE]);
        let turn_ns = match running_since {
            0 => 0,
            since_ns => now_ns.saturating_sub(since_ns),
        };
        let counters = self.counters();
        let moved = [word::get(&self.0[TURNS]), word::get(&self.0[ANSWERS])]
            .into_iter()
            .chain([counters.motion(), self.request().motion()])
            .fold(0, u64::wrapping_add);
        let classes = [
            Counter::Informational,
            Counter::Success,
            Counter::Redirection,
            Counter::ClientError,
            Counter::ServerError,
        ];
        Some(Glance {
            state,
            progress: moved,
            is_running: running_since != 0,
            busy: Duration::from_nanos(counters.lag().sum_ns().saturating_add(turn_ns)),
            connections: word::get(&self.0[CONNECTIONS]),
            answered: classes
                .into_iter()
                .fold(0, |sum, class| sum.wrapping_add(counters.get(class))),
        })
    }

    /// What the row says now; nothing if it is free, or was given to another worker meanwhile.
    #[must_use]
    pub fn read(self) -> Option<RowReading> {
        let state = RowState::from_word(word::get(&self.0[STATE]))?;
        let worker = WorkerId(word::get(&self.0[WORKER]));
        let running_since = word::get(&self.0[RUNNING_SINCE]);
        let reading = RowReading {
            slot: self.slot()?,
            generation: Generation(word::get(&self.0[GENERATION]) as u32),
            worker,
            pid: word::get(&self.0[PID]) as u32,
            state,
            loop_state: match running_since {
                0 => LoopState::Parked,
                since_ns => LoopState::Running { since_ns },
            },
            turns: word::get(&self.0[TURNS]),
            request: self.request().read(),
            connections: word::get(&self.0[CONNECTIONS]),
            requests: word::get(&self.0[REQUESTS]),
            jobs: Pool::ALL.map(|pool| self.jobs(pool)),
            counts: self.counters().read(),
        };
        (word::get(&self.0[WORKER]) == worker.0).then_some(reading)
    }
}

/// What a glance at a row showed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Glance {
    /// Where the worker is in its life.
    pub state: RowState,
    /// Moves with everything that the worker does: a running loop that shows the same twice has
    /// made no progress in between.
    pub progress: u64,
    /// Whether the loop was at work; otherwise it waited.
    pub is_running: bool,
    /// For how long in all the loop was at work, this turn included.
    pub busy: Duration,
    /// Connections open.
    pub connections: u64,
    /// Requests answered.
    pub answered: u64,
}

/// What a row said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowReading {
    /// The slot that the worker fills.
    pub slot: SlotId,
    /// Its generation.
    pub generation: Generation,
    /// Its number.
    pub worker: WorkerId,
    /// Its process; 0 before it has said so.
    pub pid: u32,
    /// Where it is in its life.
    pub state: RowState,
    /// What its loop does.
    pub loop_state: LoopState,
    /// How often the loop woke up; a running loop whose turns, requests and current request all
    /// stand still is blocked.
    pub turns: u64,
    /// The request that the loop is working on this instant.
    pub request: Option<CurrentRequest>,
    /// Connections open.
    pub connections: u64,
    /// Requests in flight.
    pub requests: u64,
    /// Jobs beside the loop, by [`Pool`].
    pub jobs: [Jobs; 2],
    /// What this worker alone has counted.
    pub counts: Counts,
}

impl RowReading {
    /// For how long the loop has been running without a pause.
    #[must_use]
    pub fn running_for(&self, now_ns: u64) -> Duration {
        match self.loop_state {
            LoopState::Parked => Duration::ZERO,
            LoopState::Running { since_ns } => {
                Duration::from_nanos(now_ns.saturating_sub(since_ns))
            }
        }
    }
}

/// What a worker's event loop does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoopState {
    /// It waits for events: idle.
    Parked,
    /// It has been running tasks since this moment of the monotonic clock, without a pause.
    Running {
        /// In nanoseconds.
        since_ns: u64,
    },
}
