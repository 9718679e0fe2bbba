//! The connections that a worker has open and that speak HTTP; an upgraded one is not here any
//! more (the meter still counts it).

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use tokio::sync::Notify;

use crate::peer::Peer;
use crate::pulse::Pulse;
use crate::station::Station;
use crate::under_way::Entry;

/// What is kept of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) station: Rc<Station>,
    pub(crate) pulse: Arc<Pulse>,
    peer: OnceCell<Peer>,
    waker: OnceCell<Waker>,
    /// The request that has just begun, for the task of its stream.
    pub(crate) newest: RefCell<Option<Rc<Entry>>>,
    index: Cell<usize>,
}

impl Connection {
    /// Who is at the other end.
    ///
    /// # Panics
    /// Before `introduce`: no request can come earlier.
    pub(crate) fn peer(&self) -> &Peer {
        self.peer
            .get()
            .expect("introduced before its first request")
    }

    /// Everything is known of who is at the other end: handshakes are over.
    pub(crate) fn introduce(&self, peer: Peer) {
        let _ = self.peer.set(peer);
    }

    /// Remembers whom to wake; a task's waker stays the same, so once is enough.
    pub(crate) fn remember(&self, waker: &Waker) {
        self.waker.get_or_init(|| waker.clone());
    }

    /// Ends the connection: its request is over time, and its client does not take the answer.
    pub(crate) fn break_off(&self) {
        self.pulse.break_off();
        self.wake();
    }

    /// The client has not kept the pace, unless the kernel knows better: it is asked at the next
    /// write, which is now.
    pub(crate) fn demand(&self, least: u64) {
        self.pulse.outflow.is_due(least);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    /// Lets the connection end at its next read, which is now.
    pub(crate) fn hasten(&self) {
        self.pulse.set_overdue(true);
        self.wake();
    }
}

/// All of them.
#[derive(Default, Debug)]
pub(crate) struct Connections {
    list: RefCell<Vec<Rc<Connection>>>,
    /// Whether the sweeper waits for the first connection, with no timer to wake it.
    unswept: Cell<bool>,
    changed: Notify,
}

impl Connections {
    /// Calls `visit` for each.
    pub(crate) fn for_each(&self, visit: impl FnMut(&Rc<Connection>)) {
        self.list.borrow().iter().for_each(visit);
    }

    /// Wakes those that have something to say at the beginning of a drain. In HTTP/1 only an answer
    /// can say it.
    pub(crate) fn tell_of_drain(&self) {
        self.for_each(|connection| {
            if connection.pulse.has_frames()
                && let Some(waker) = connection.waker.get()
            {
                waker.wake_by_ref();
            }
        });
    }

    /// Makes the sweeper look at the deadlines anew: other limits apply.
    pub(crate) fn look_again(&self) {
        self.changed.notify_one();
    }

    /// Ends when the sweeper has to look again.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Ends when there is a connection.
    pub(crate) async fn any(&self) {
        while self.list.borrow().is_empty() {
            self.unswept.set(true);
            self.changed.notified().await;
        }
    }
}

/// A connection's place among the others, given back on drop.
#[derive(Debug)]
pub(crate) struct Place {
    connection: Rc<Connection>,
}

impl Place {
    /// Takes a place for a new connection.
    pub(crate) fn take(station: Rc<Station>, pulse: Arc<Pulse>) -> Self {
        let connections = &station.connections;
        if connections.unswept.replace(false) {
            connections.changed.notify_one();
        }
        let mut list = connections.list.borrow_mut();
        let connection = Rc::new(Connection {
            station: Rc::clone(&station),
            pulse,
            peer: OnceCell::new(),
            waker: OnceCell::new(),
            newest: RefCell::new(None),
            index: Cell::new(list.len()),
        });
        list.push(Rc::clone(&connection));
        drop(list);
        Self { connection }
    }

    pub(crate) fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // It points back to here.
        self.connection.newest.take();
        let mut list = self.connection.station.connections.list.borrow_mut();
        let index = self.connection.index.get();
        list.swap_remove(index);
        if let Some(moved) = list.get(index) {
            moved.index.set(index);
        }
    }
}
