//! The supervisor's part in handing connections over: it takes what workers pass on and what waits
//! in a queue that nobody serves, and sends it to the worker with the fewest connections.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;

use brigade_shared::board::Board;
use brigade_shared::channel::{Channel, Received};
use brigade_shared::message::{Fact, Order};
use brigade_shared::sys::clock::monotonic_ns;

use crate::worker::{House, Worker};

/// A worker as the desk knows it.
struct Member {
    link: Arc<Channel<Order, Fact>>,
    row: brigade_shared::board::RowId,
    sent: u64,
}

#[derive(Default)]
struct Book {
    serving: Vec<Member>,
    leaving: Vec<Member>,
    kept: VecDeque<OwnedFd>,
    passed: u64,
}

/// See the module.
pub(crate) struct Desk {
    board: Arc<Board>,
    /// Nobody else accepts here.
    orphan: TcpListener,
    book: Mutex<Book>,
    done: AtomicBool,
}

/// Says at its end that all is done, also when a test fails: it would wait for its threads for ever.
pub(crate) struct Until<'a>(pub(crate) &'a AtomicBool);

impl Drop for Until<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

impl Desk {
    pub(crate) fn open(house: &House) -> Self {
        let orphan = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        orphan.set_nonblocking(true).unwrap();
        Self {
            board: Arc::clone(&house.board),
            orphan,
            book: Mutex::default(),
            done: AtomicBool::new(false),
        }
    }

    /// Where only the desk accepts.
    pub(crate) fn address(&self) -> SocketAddr {
        self.orphan.local_addr().unwrap()
    }

    /// From now on it may send connections to this worker.
    pub(crate) fn admit(&self, worker: &Worker) {
        let member = Member {
            link: Arc::clone(&worker.link),
            row: worker.row,
            sent: 0,
        };
        self.book.lock().unwrap().serving.push(member);
    }

    /// From now on it sends none to this worker, but still hears what it says.
    pub(crate) fn dismiss(&self, worker: &Worker) {
        let mut book = self.book.lock().unwrap();
        let is_it = |member: &Member| member.row == worker.row;
        let index = book.serving.iter().position(is_it).unwrap();
        let member = book.serving.remove(index);
        book.leaving.push(member);
    }

    /// How many connections workers have passed on.
    pub(crate) fn passed(&self) -> u64 {
        self.book.lock().unwrap().passed
    }

    /// Works until told to stop, and until nothing is left to do.
    pub(crate) fn work(&self) {
        while self.turn() || !self.done.load(Relaxed) {
            thread::yield_now();
        }
    }

    /// It works until this is dropped.
    pub(crate) fn open_hours(&self) -> Until<'_> {
        Until(&self.done)
    }

    /// One round. Whether there is anything left.
    fn turn(&self) -> bool {
        let book = &mut *self.book.lock().unwrap();
        for member in &book.serving {
            book.passed += hear(member, &mut book.kept).0;
        }
        book.leaving.retain(|member| {
            let (passed, is_over) = hear(member, &mut book.kept);
            book.passed += passed;
            !is_over
        });
        while let Ok((connection, _)) = self.orphan.accept() {
            book.kept.push_back(connection.into());
        }
        for _ in 0..book.kept.len() {
            let connection = book.kept.pop_front().unwrap();
            if !self.send(&mut book.serving, &connection) {
                book.kept.push_back(connection);
            }
        }
        !book.kept.is_empty() || !book.leaving.is_empty()
    }

    /// Sends a connection to the lightest who takes it.
    fn send(&self, serving: &mut [Member], connection: &OwnedFd) -> bool {
        serving.sort_by_cached_key(|member| {
            let row = self.board.row(member.row);
            let glance = row.glance(monotonic_ns()).unwrap();
            glance.connections + member.sent - row.claimed().min(member.sent)
        });
        serving.iter_mut().any(|member| {
            let sent = member.link.send_with(&Order::Serve, connection.as_fd());
            member.sent += u64::from(sent.is_ok());
            sent.is_ok()
        })
    }
}

/// What a worker has passed on, and whether its link is at its end.
fn hear(member: &Member, kept: &mut VecDeque<OwnedFd>) -> (u64, bool) {
    let mut passed = 0;
    loop {
        match member.link.receive_with() {
            (Received::Message(Fact::Passed), Some(connection)) => {
                kept.push_back(connection);
                passed += 1;
            }
            (Received::Message(_), _) => {}
            (Received::Nonsense(words), _) => panic!("{words}"),
            (Received::Nothing, _) => return (passed, false),
            (Received::Closed, _) => return (passed, true),
        }
    }
}
