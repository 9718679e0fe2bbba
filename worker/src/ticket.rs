//! One request on its way through the app: what is counted of it, and what the scoreboard shows
//! while the loop works on it.

use std::rc::Rc;
use std::task::Context;
use std::time::Duration;

use brigade_shared::board::{Counter, RequestLine};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Version, response};

use crate::access::Sheet;
use crate::body::RequestBody;
use crate::connections::Connection;
use crate::forwarded;
use crate::panic;
use crate::refusal::Refusal;
use crate::station::Station;
use crate::strict;
use crate::under_way::Watched;

/// Begins with a complete head and ends, on drop, with the answer's last byte handed over, or with
/// the end of the connection. It travels with the work, then with the answer's body, and is small
/// because it does.
#[derive(Debug)]
pub(crate) struct Ticket {
    connection: Rc<Connection>,
    /// Where the line is that the scoreboard shows.
    line: u32,
    number: u64,
    started_ns: u64,
    version: Version,
    answered: bool,
    /// Whether the connection shall not be used again.
    closes: bool,
    /// Whether it counts among the requests that were admitted.
    admitted: bool,
    /// How the sweeper watches it, if it does.
    watched: Option<Watched>,
    /// Its id, for the answer.
    id: Option<Box<HeaderValue>>,
    /// What the access log will say of it.
    sheet: Option<Box<Sheet>>,
}

impl Ticket {
    pub(crate) fn new<B>(connection: Rc<Connection>, request: &Request<B>) -> Self {
        let station = &connection.station;
        let meter = station.meter;
        meter.row.request_begun();
        connection.pulse.request_begun();
        let (method, path) = (request.method().as_str(), request.uri().path());
        // The last reading is that of this turn of the loop: good enough, and free.
        let started_ns = meter.clock.last();
        let line = RequestLine::new(method, path, started_ns);
        Self {
            number: station.next_number(),
            line: station.lines.keep(line),
            started_ns,
            connection,
            version: request.version(),
            answered: false,
            closes: false,
            admitted: false,
            watched: None,
            id: None,
            sheet: None,
        }
    }

    /// The request may be served: it counts until it has ended.
    pub(crate) fn admitted(&mut self, watched: Option<Watched>) {
        let admitted = &self.connection.station.admitted;
        admitted.set(admitted.get() + 1);
        self.admitted = true;
        self.watched = watched;
    }

    /// Keeps the request's id for its answer.
    pub(crate) fn identified(&mut self, id: Option<HeaderValue>) {
        self.id = id.map(Box::new);
    }

    /// For the access log: the request does not stay as it came.
    pub(crate) fn write_down(&mut self, request: &Request<RequestBody>) {
        let Connection { station, .. } = &*self.connection;
        let (peer, begun) = (request.body().peer(), self.started_ns);
        self.sheet = station.access.begin(station, request, peer, begun);
    }

    /// So much of the answer's body was handed over; none: that was its end.
    pub(crate) fn sent(&mut self, bytes: Option<usize>) {
        if let Some(sheet) = &mut self.sheet {
            match bytes {
                Some(bytes) => sheet.sent(bytes),
                None => sheet.completed(),
            }
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
            station
                .lines
                .look(self.line, |line| row.enter_request(line));
        }
        let outcome = panic::catch(piece);
        row.leave_request();
        outcome.map_err(|words| self.panicked(&words))
    }

    fn method_and_path(&self) -> (String, String) {
        let lines = &self.connection.station.lines;
        lines.look(self.line, |line| (line.method(), line.path()))
    }

    #[cold]
    fn panicked(&self, words: &str) -> Panicked {
        let Station { slot, pid, .. } = *self.connection.station;
        let (method, path) = self.method_and_path();
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
        let (method, path) = self.method_and_path();
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

    /// Whether this is a final status: hyper can send no interim ones of an app's.
    pub(crate) fn may_end_with(&self, status: StatusCode) -> bool {
        let is_upgrade = status == StatusCode::SWITCHING_PROTOCOLS;
        !status.is_informational() || (is_upgrade && self.version != Version::HTTP_2)
    }

    /// This task works on it. Whether its time is up.
    pub(crate) fn is_too_long(&self, task: &Context<'_>) -> bool {
        self.watched.as_ref().is_some_and(|watched| {
            watched.remember(task);
            watched.is_too_long()
        })
    }

    /// Whether the answer is handed out in pieces.
    pub(crate) fn is_in_pieces(&self) -> bool {
        self.version == Version::HTTP_2
    }

    /// The next piece of the answer is asked for.
    pub(crate) fn asked(&self) {
        if let Some(watched) = &self.watched {
            watched.asked();
        }
    }

    /// A piece of the answer waits for the client to take it.
    pub(crate) fn handed(&self, bytes: usize) {
        if let Some(watched) = &self.watched {
            watched.handed(bytes);
        }
    }

    /// What is answered in place of an error, or of a response with this status.
    pub(crate) fn overrule(&self, status: Option<StatusCode>) -> Option<Refusal> {
        self.watched.as_ref()?.overrule(status)
    }

    /// The request does not reach the app.
    #[cold]
    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        self.closes = refusal.closes;
        if refusal.closes && self.version != Version::HTTP_2 {
            // What the client still sends is read and thrown away for a while, so that a reset does
            // not take the answer away from it.
            let now = self.connection.station.meter.clock.last();
            self.connection.pulse.begin_leaving(now);
        }
        if let Some(counter) = refusal.counter {
            self.connection.station.meter.row.count(counter, 1);
            if counter == Counter::Malformed {
                let text = refusal.text.trim_end();
                let reason = text.strip_prefix("Bad Request: ").unwrap_or(text);
                strict::tell(&self.connection, reason);
            }
        }
    }

    /// What to answer instead of anything else, if the body was malformed.
    pub(crate) fn broken_body(&self) -> Option<Refusal> {
        let fault = self.connection.pulse.marks.broken_body();
        fault.map(strict::malformed)
    }

    /// The answer is 101, with these headers.
    pub(crate) fn switches(&self, headers: &HeaderMap) {
        self.connection.pulse.switch.answer(headers);
    }

    /// The answer has this head, which gets what every answer shall have.
    /// `length` is that of its body, if the body knows.
    pub(crate) fn answered(&mut self, head: &mut response::Parts, length: Option<u64>) {
        self.connection.station.additions.add(&mut head.headers);
        if let Some(id) = self.id.take() {
            head.headers.insert(forwarded::REQUEST_ID, *id);
        }
        if let Some(sheet) = &mut self.sheet {
            let station = &self.connection.station;
            station.access.answered(sheet, head, length, station);
        }
        let class = Counter::of_status(head.status.as_u16());
        self.connection.station.meter.row.count(class, 1);
        self.answered = true;
        if let Some(watched) = &self.watched {
            watched.answered();
        }
    }

    /// Whether this shall be the connection's last answer, and says so. HTTP/2 says it in frames of
    /// its own.
    pub(crate) fn is_last(&self) -> bool {
        let is_last = self.closes || self.connection.station.draining_since().is_some();
        is_last && self.version != Version::HTTP_2
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let station = &*self.connection.station;
        let meter = station.meter;
        station.lines.release(self.line);
        if self.admitted {
            station.admitted.set(station.admitted.get() - 1);
        }
        let now = meter.clock.read();
        let latency = Duration::from_nanos(now.saturating_sub(self.started_ns));
        meter.row.latency().record(latency);
        meter.row.request_ended();
        if !self.answered {
            meter.row.count(Counter::Unanswered, 1);
        }
        self.connection.pulse.request_ended(now);
        if let Some(sheet) = self.sheet.take() {
            self.connection.station.access.end(sheet, meter.row, now);
        }
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
