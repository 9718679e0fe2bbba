//! One request on its way through the app: what is counted of it, and what the scoreboard shows
//! while the loop works on it.

use std::rc::Rc;
use std::time::Duration;

use brigade_shared::board::{Counter, RequestLine};
use http::{Request, StatusCode};

use crate::connections::Connection;
use crate::panic;
use crate::station::Station;

/// Begins with a complete head and ends, on drop, with the answer's last byte handed over, or with
/// the end of the connection. It travels with the work, then with the answer's body.
#[derive(Debug)]
pub(crate) struct Ticket {
    connection: Rc<Connection>,
    number: u64,
    answered: bool,
}

impl Ticket {
    pub(crate) fn new<B>(connection: Rc<Connection>, request: &Request<B>) -> Self {
        let station = &connection.station;
        let meter = station.meter;
        meter.row.request_begun();
        connection.pulse.request_begun();
        let (method, path) = (request.method().as_str(), request.uri().path());
        // The last reading is that of this turn of the loop: good enough, and free.
        let line = RequestLine::new(method, path, meter.clock.last());
        connection.line.set(line);
        Self {
            number: station.next_number(),
            connection,
            answered: false,
        }
    }

    /// Runs a piece of the app's work on this request, in sight of the scoreboard. A panic is
    /// logged and counted.
    pub(crate) fn work<T>(&self, piece: impl FnOnce() -> T) -> Result<T, Panicked> {
        let station = &*self.connection.station;
        let row = station.meter.row;
        if station.shown.replace(self.number) == self.number {
            row.resume_request();
        } else {
            row.enter_request(&self.connection.line.get());
        }
        let outcome = panic::catch(piece);
        row.leave_request();
        outcome.map_err(|words| self.panicked(&words))
    }

    #[cold]
    fn panicked(&self, words: &str) -> Panicked {
        let Station { slot, pid, .. } = *self.connection.station;
        let line = self.connection.line.get();
        let (method, path) = (line.method(), line.path());
        self.connection.station.meter.row.count(Counter::Panics, 1);
        tracing::error!(
            event = "request.panicked",
            slot,
            pid,
            method,
            path,
            panic = words,
            "worker {slot} panicked in {method} {path}: {words}; the client gets a 500, the worker goes on"
        );
        Panicked
    }

    /// The app gave an error instead of a response.
    #[cold]
    pub(crate) fn failed(&self, error: &str) {
        let Station { slot, pid, .. } = *self.connection.station;
        let line = self.connection.line.get();
        let (method, path) = (line.method(), line.path());
        self.connection
            .station
            .meter
            .row
            .count(Counter::AppErrors, 1);
        tracing::error!(
            event = "request.failed",
            slot,
            pid,
            method,
            path,
            error,
            "worker {slot} has no response to {method} {path}: {error}; the client gets a 500"
        );
    }

    /// The answer has this status.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        let class = Counter::of_status(status.as_u16());
        self.connection.station.meter.row.count(class, 1);
        self.answered = true;
    }

    /// Whether this shall be the connection's last answer.
    pub(crate) fn is_last(&self) -> bool {
        self.connection.station.draining_since().is_some()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let meter = self.connection.station.meter;
        let now = meter.clock.read();
        let started = self.connection.line.get().started_ns();
        let latency = Duration::from_nanos(now.saturating_sub(started));
        meter.row.latency().record(latency);
        meter.row.request_ended();
        if !self.answered {
            meter.row.count(Counter::Unanswered, 1);
        }
        self.connection.pulse.request_ended(now);
    }
}

/// The app's code panicked; everything is said already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Panicked;

impl std::fmt::Display for Panicked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the app panicked")
    }
}

impl std::error::Error for Panicked {}
