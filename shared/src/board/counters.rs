//! What is counted, and sums of it.

use std::time::Duration;

use super::histogram::{BUCKETS, Distribution, Histogram};
use super::table::Page;
use super::word;

/// Something that is counted. New ones are added at the end: the order is the layout in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Counter {
    /// Connections accepted and served by the same worker. With `Taken` these are all that were
    /// served: each is counted once, by the worker that serves it.
    Accepted,
    /// Accepts that the system refused.
    AcceptErrors,
    /// Requests answered with a status of 100 to 199, that is 101.
    Informational,
    /// Requests answered with a status of 200 to 299.
    Success,
    /// Requests answered with a status of 300 to 399.
    Redirection,
    /// Requests answered with a status of 400 to 499.
    ClientError,
    /// Requests answered with any other status.
    ServerError,
    /// Requests whose answer was never begun: the client left, or the connection was cut.
    Unanswered,
    /// Bytes read from connections.
    BytesIn,
    /// Bytes written to connections.
    BytesOut,
    /// Connections closed because a request's head took too long.
    HeaderTimeouts,
    /// Connections closed because they were idle for too long.
    KeepAliveTimeouts,
    /// Connections cut at the end of a drain, or by an order to cut.
    Cut,
    /// Panics caught in a handler or a response body.
    Panics,
    /// Requests for which the app returned an error instead of a response.
    AppErrors,
    /// Connections that were accepted and passed on, since this worker held more than its share;
    /// whoever serves them counts them as `Taken`.
    Passed,
    /// Connections that somebody else accepted and this worker serves.
    Taken,
    /// Connections closed because their TLS handshake took too long.
    HandshakeTimeouts,
    /// Connections closed because their first byte took too long.
    FirstByteTimeouts,
    /// Requests whose body came too slowly.
    BodyTimeouts,
    /// Connections closed because the client took an answer too slowly.
    WriteTimeouts,
    /// Requests that took too long from their head to the end of their answer.
    RequestTimeouts,
    /// Requests refused because of too large a head, or too many fields.
    HeadsTooLarge,
    /// Requests refused because of too long a first line.
    LinesTooLong,
    /// Requests refused because of too large a body.
    BodiesTooLarge,
    /// Requests refused because so many were being answered.
    RequestsCrowded,
    /// Connections refused because so many were open.
    ConnectionsCrowded,
    /// Connections refused because their peer had so many open.
    PeersCrowded,
    /// Jobs that a thread of the pool for blocking work has run to their end.
    BlockingRan,
    /// Jobs that found no room in that pool.
    BlockingRefused,
    /// Jobs of that pool that were not begun, or not done, in time.
    BlockingLate,
    /// Jobs of that pool that nobody waited for any more: never run, or their result dropped.
    BlockingAbandoned,
    /// For how long in all jobs of that pool waited for a thread, in nanoseconds.
    BlockingWaitNs,
    /// For how long in all threads of that pool were at work, in nanoseconds.
    BlockingRunNs,
    /// The same as the six above, of the pool for work on the processor.
    CpuRan,
    /// See [`Self::CpuRan`].
    CpuRefused,
    /// See [`Self::CpuRan`].
    CpuLate,
    /// See [`Self::CpuRan`].
    CpuAbandoned,
    /// See [`Self::CpuRan`].
    CpuWaitNs,
    /// See [`Self::CpuRan`].
    CpuRunNs,
    /// Panics caught in jobs of either pool.
    JobPanics,
    /// Times that a long task gave way to others.
    Yields,
    /// For how long in all such tasks waited for their next turn, in nanoseconds.
    YieldWaitNs,
    /// What came as a request and was refused with 400: malformed or ambiguous.
    Malformed,
    /// Connections that became WebSockets.
    WebSockets,
    /// WebSockets closed with 1012 because the worker leaves.
    WebSocketsRestarted,
    /// WebSockets closed with 1009 because a message was too big.
    WebSocketsTooBig,
    /// TLS handshakes from the beginning.
    TlsFull,
    /// TLS handshakes that resumed a session.
    TlsResumed,
    /// TLS handshakes that failed.
    TlsFailures,
    /// Lines of the access log that could not be written.
    AccessLogLost,
    /// Connections closed because a proxy did not say whose they are.
    ProxyHeadersMissing,
    /// Connections of HTTP/2 closed because the client asked for too much of what costs it nothing.
    Floods,
}

impl Counter {
    /// All of them, in the order of the layout.
    pub const ALL: [Self; 53] = [
        Self::Accepted,
        Self::AcceptErrors,
        Self::Informational,
        Self::Success,
        Self::Redirection,
        Self::ClientError,
        Self::ServerError,
        Self::Unanswered,
        Self::BytesIn,
        Self::BytesOut,
        Self::HeaderTimeouts,
        Self::KeepAliveTimeouts,
        Self::Cut,
        Self::Panics,
        Self::AppErrors,
        Self::Passed,
        Self::Taken,
        Self::HandshakeTimeouts,
        Self::FirstByteTimeouts,
        Self::BodyTimeouts,
        Self::WriteTimeouts,
        Self::RequestTimeouts,
        Self::HeadsTooLarge,
        Self::LinesTooLong,
        Self::BodiesTooLarge,
        Self::RequestsCrowded,
        Self::ConnectionsCrowded,
        Self::PeersCrowded,
        Self::BlockingRan,
        Self::BlockingRefused,
        Self::BlockingLate,
        Self::BlockingAbandoned,
        Self::BlockingWaitNs,
        Self::BlockingRunNs,
        Self::CpuRan,
        Self::CpuRefused,
        Self::CpuLate,
        Self::CpuAbandoned,
        Self::CpuWaitNs,
        Self::CpuRunNs,
        Self::JobPanics,
        Self::Yields,
        Self::YieldWaitNs,
        Self::Malformed,
        Self::WebSockets,
        Self::WebSocketsRestarted,
        Self::WebSocketsTooBig,
        Self::TlsFull,
        Self::TlsResumed,
        Self::TlsFailures,
        Self::AccessLogLost,
        Self::ProxyHeadersMissing,
        Self::Floods,
    ];

    /// Whether only the worker's loop counts it, so that it moves only while the loop turns. Bytes of
    /// upgraded connections and what is done beside the loop may be counted by other threads.
    const fn is_of_the_loop(self) -> bool {
        !matches!(self, Self::BytesIn | Self::BytesOut) && !self.is_of_threads()
    }

    /// Whether several threads count it at once.
    const fn is_of_threads(self) -> bool {
        self as usize >= Self::BlockingRan as usize && self as usize <= Self::YieldWaitNs as usize
    }

    /// The class of a status code.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status / 100 {
            1 => Self::Informational,
            2 => Self::Success,
            3 => Self::Redirection,
            4 => Self::ClientError,
            _ => Self::ServerError,
        }
    }
}

/// Where the counters begin in a page, how many words they may take, and the histograms after
/// them. Before them stands what only a live worker has.
pub(super) const FIRST: usize = 64;
const ROOM: usize = 62;
const LATENCY: usize = FIRST + ROOM;
const LAG: usize = LATENCY + BUCKETS + 1;
const _: () = assert!(LAG + BUCKETS + 1 == super::table::PAGE_WORDS);
const _: () = assert!(Counter::ALL.len() <= ROOM);

/// The counters of a page, in shared memory.
#[derive(Clone, Copy, Debug)]
pub struct Counters<'a>(pub(super) &'a Page);

impl<'a> Counters<'a> {
    /// Counts. For the single writer, but for what is done beside the loop: that may be counted by
    /// several threads at once.
    pub fn add(self, counter: Counter, amount: u64) {
        let word = &self.0[FIRST + counter as usize];
        if counter.is_of_threads() {
            word::add_among(word, amount);
        } else {
            word::add(word, amount);
        }
    }

    /// From the end of a request's head to the end of its answer.
    #[must_use]
    pub fn latency(self) -> Histogram<'a> {
        self.histogram::<LATENCY>()
    }

    /// How long turns of the event loop took: whatever becomes ready meanwhile waits so long.
    #[must_use]
    pub fn lag(self) -> Histogram<'a> {
        self.histogram::<LAG>()
    }

    /// The sum of what only the loop counts: it moves whenever the loop does something. Other
    /// threads live on when the loop is stuck.
    pub(super) fn motion(self) -> u64 {
        let counters = Counter::ALL.into_iter();
        let own = counters.filter(|counter| counter.is_of_the_loop());
        own.fold(0, |sum, counter| sum.wrapping_add(self.get(counter)))
    }

    /// One of the counters, now.
    pub(super) fn get(self, counter: Counter) -> u64 {
        word::get(&self.0[FIRST + counter as usize])
    }

    fn histogram<const AT: usize>(self) -> Histogram<'a> {
        Histogram(
            self.0[AT..]
                .first_chunk()
                .expect("a constant inside the page"),
        )
    }

    /// A copy to calculate with.
    #[must_use]
    pub fn read(self) -> Counts {
        Counts {
            counters: Counter::ALL.map(|counter| word::get(&self.0[FIRST + counter as usize])),
            latency: self.latency().read(),
            lag: self.lag().read(),
        }
    }

    /// Moves everything counted here into `sum`, leaving zeros.
    pub(super) fn move_into(self, sum: Counters<'_>) {
        for (from, to) in self.0.iter().zip(sum.0).skip(FIRST) {
            word::add(to, word::get(from));
            word::set(from, 0);
        }
    }
}

/// Counters at rest: a row's, a slot's, or a sum of any.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counts {
    counters: [u64; Counter::ALL.len()],
    /// From the end of a request's head to the end of its answer.
    pub latency: Distribution,
    /// How long turns of the event loop took.
    pub lag: Distribution,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            counters: [0; Counter::ALL.len()],
            latency: Distribution::default(),
            lag: Distribution::default(),
        }
    }
}

impl Counts {
    /// One of the counters.
    #[must_use]
    pub fn get(&self, counter: Counter) -> u64 {
        self.counters[counter as usize]
    }

    /// Requests answered, whatever the status.
    #[must_use]
    pub fn answered(&self) -> u64 {
        let classes = Counter::Informational as usize..=Counter::ServerError as usize;
        self.counters[classes]
            .iter()
            .fold(0, |sum, n| sum.wrapping_add(*n))
    }

    /// The mean latency; none without requests.
    #[must_use]
    pub fn mean_latency(&self) -> Option<Duration> {
        let mean = self.latency.sum_ns.checked_div(self.latency.count())?;
        Some(Duration::from_nanos(mean))
    }

    /// Adds other counts.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counters.iter_mut().zip(other.counters) {
            *mine = mine.wrapping_add(theirs);
        }
        self.latency.merge(&other.latency);
        self.lag.merge(&other.lag);
    }
}

#[cfg(test)]
mod tests {
    use super::{Counter, Counters};
    use std::sync::atomic::AtomicU64;
    use std::time::Duration;

    #[test]
    fn the_order_of_all_is_the_layout() {
        for (index, counter) in Counter::ALL.into_iter().enumerate() {
            assert_eq!(counter as usize, index, "{counter:?}");
        }
    }

    #[test]
    fn counts_move_and_merge_without_loss() {
        let row = std::array::from_fn(|_| AtomicU64::new(0));
        let sum = std::array::from_fn(|_| AtomicU64::new(0));
        let (row, sum) = (Counters(&row), Counters(&sum));
        for status in [101, 200, 204, 302, 404, 500, 599] {
            row.add(Counter::of_status(status), 1);
        }
        row.latency().record(Duration::from_micros(30));
        row.lag().record(Duration::from_micros(300));
        let mut twice = row.read();
        assert_eq!(twice.answered(), 7);
        row.move_into(sum);
        assert_eq!(sum.read(), twice);
        assert_eq!(row.read(), super::Counts::default());
        twice.merge(&sum.read());
        assert_eq!(twice.get(Counter::Success), 4);
        assert_eq!(twice.mean_latency(), Some(Duration::from_micros(30)));
    }
}
