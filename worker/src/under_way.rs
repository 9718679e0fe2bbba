//! Requests that the sweeper watches: those with a body, those of HTTP/2, and all if
//! `timeout-request` is set. The others have nothing that could be late but the connection.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};

use brigade_shared::board::Counter;
use http::StatusCode;

use crate::admit::refusals;
use crate::connections::Connection;
use crate::outflow::Outflow;
use crate::progress::{Over, Progress};
use crate::refusal::Refusal;

/// All of them.
#[derive(Default, Debug)]
pub(crate) struct UnderWay {
    list: RefCell<Vec<Rc<Entry>>>,
}

/// One of them, from its head to the end of its answer.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) progress: Arc<Progress>,
    pub(crate) begun_ns: u64,
    connection: Rc<Connection>,
    /// The answer has begun.
    is_answered: Cell<bool>,
    /// How a client of HTTP/2 takes its answer: a piece that was handed out counts as taken when the
    /// next one is asked for.
    pub(crate) outflow: Outflow,
    handed: Cell<u64>,
    /// Its stream is to end, whatever it waits for.
    is_cut: Cell<bool>,
    /// Who works on it.
    worker: RefCell<Option<Waker>>,
    index: Cell<usize>,
}

impl UnderWay {
    /// Calls `visit` for each.
    pub(crate) fn for_each(&self, visit: impl FnMut(&Rc<Entry>)) {
        self.list.borrow().iter().for_each(visit);
    }
}

impl Entry {
    /// `timeout-request` has passed. The work on it hears of it; if the answer has begun and the
    /// client does not take it, nobody but the connection can end it.
    pub(crate) fn time_is_up(&self) {
        if self.progress.over() == Some(Over::Time) {
            return;
        }
        self.progress.end(Over::Time);
        match (self.is_answered.get(), self.connection.pulse.has_frames()) {
            (true, false) => self.connection.break_off(),
            (true, true) => self.cut(),
            (false, _) => self.wake(),
        }
    }

    /// A span of HTTP/2 is over. If the client has taken a piece of its answer, the next one begins;
    /// otherwise its stream is cut, and the others of its connection stay.
    pub(crate) fn next_span(&self, now_ns: u64) {
        self.outflow.is_due(1);
        self.outflow.look(0, now_ns);
        if self.outflow.has_to_answer() {
            self.progress.end(Over::Taking);
            self.cut();
        }
    }

    /// Ends the stream: what waits for the client's window asks nobody for more.
    fn cut(&self) {
        self.is_cut.set(true);
        self.wake();
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut.get()
    }

    fn wake(&self) {
        if let Some(worker) = self.worker.borrow().as_ref() {
            worker.wake_by_ref();
        }
    }
}

/// A request's place among them, given back on drop.
#[derive(Debug)]
pub(crate) struct Watched(Rc<Entry>);

impl Watched {
    /// Watches a request from now on, whose body may have so many bytes.
    pub(crate) fn new(connection: &Rc<Connection>, most: u64) -> Self {
        let mut list = connection.station.under_way.list.borrow_mut();
        let entry = Rc::new(Entry {
            progress: Arc::new(Progress::new(most)),
            begun_ns: connection.station.meter.clock.last(),
            connection: Rc::clone(connection),
            is_answered: Cell::new(false),
            outflow: Outflow::default(),
            handed: Cell::new(0),
            is_cut: Cell::new(false),
            worker: RefCell::new(None),
            index: Cell::new(list.len()),
        });
        list.push(Rc::clone(&entry));
        if connection.pulse.has_frames() {
            connection.newest.replace(Some(Rc::clone(&entry)));
        }
        Self(entry)
    }

    pub(crate) fn progress(&self) -> &Arc<Progress> {
        &self.0.progress
    }

    /// This task works on it.
    pub(crate) fn remember(&self, task: &Context<'_>) {
        let mut worker = self.0.worker.borrow_mut();
        if !worker
            .as_ref()
            .is_some_and(|own| own.will_wake(task.waker()))
        {
            *worker = Some(task.waker().clone());
        }
    }

    /// The next piece of the answer is asked for.
    pub(crate) fn asked(&self) {
        let handed = self.0.handed.take();
        if handed > 0 {
            let now = self.0.connection.station.meter.clock.last();
            self.0.outflow.sent(handed, now);
        }
    }

    /// A piece of the answer waits for the client to take it.
    pub(crate) fn handed(&self, bytes: usize) {
        if bytes > 0 {
            self.0.handed.set(bytes as u64);
            let now = self.0.connection.station.meter.clock.last();
            self.0.outflow.blocked(now);
        }
    }

    /// The answer has begun.
    pub(crate) fn answered(&self) {
        self.0.is_answered.set(true);
    }

    /// Whether `timeout-request` has passed.
    pub(crate) fn is_too_long(&self) -> bool {
        self.0.progress.over() == Some(Over::Time)
    }

    /// What is answered in place of an error, or of a status that an app gives for a body that it
    /// could not read.
    pub(crate) fn overrule(&self, status: Option<StatusCode>) -> Option<Refusal> {
        let is_own = status.is_none_or(|status| {
            matches!(
                status,
                StatusCode::BAD_REQUEST | StatusCode::INTERNAL_SERVER_ERROR
            )
        });
        match self.0.progress.over()? {
            Over::Size if is_own => Some(refusals::BODY_TOO_LARGE),
            Over::Pace if is_own => Some(refusals::BODY_TOO_SLOW),
            Over::Time if status.is_none() => Some(refusals::TOO_LONG),
            Over::Size | Over::Pace | Over::Time | Over::Taking => None,
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let station = &self.0.connection.station;
        if let Some(over) = self.0.progress.over() {
            let counter = match over {
                Over::Size => Counter::BodiesTooLarge,
                Over::Pace => Counter::BodyTimeouts,
                Over::Time => Counter::RequestTimeouts,
                Over::Taking => Counter::WriteTimeouts,
            };
            station.meter.row.count(counter, 1);
        }
        let mut list = station.under_way.list.borrow_mut();
        let index = self.0.index.get();
        list.swap_remove(index);
        if let Some(moved) = list.get(index) {
            moved.index.set(index);
        }
    }
}
