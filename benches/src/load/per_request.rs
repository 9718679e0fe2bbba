//! A new connection for each request, so many at once.
//!
//! ```text
//!            connect, ask             answer              end of stream
//! (nothing) ───────────────> Asked ───────────> Answered ──────────────> (the next one)
//!     └──> Connecting ─ask──────^
//! ```
//! The request bears `Connection: close` and we wait for the server's end of stream before we
//! close: so it is the server that keeps the connection's TIME_WAIT, for every contender, and our
//! ephemeral ports are free again at once.

use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrStorage, connect, recv, send, socket,
};

use super::answer::{Answer, judge, worker};
use super::tally::{Fault, HUNG, Tally};
use super::target::{PATIENCE, Target};
use crate::outcome::Outcome;

/// A new connection for each request, so many at once, as long as [`PerRequest::run`] runs.
pub(crate) struct PerRequest {
    target: Target,
    address: SockaddrStorage,
    family: AddressFamily,
    request: Vec<u8>,
    epoll: Epoll,
    connections: Vec<Connection>,
    buffer: Vec<u8>,
    tally: Tally,
}

struct Connection {
    socket: OwnedFd,
    began: Instant,
    state: State,
    received: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Connecting,
    Asked,
    Answered,
}

impl PerRequest {
    /// Opens so many connections and sends the request on each.
    pub(crate) fn open(target: Target, connections: usize) -> Outcome<Self> {
        let family = match target.address {
            SocketAddr::V4(_) => AddressFamily::Inet,
            SocketAddr::V6(_) => AddressFamily::Inet6,
        };
        let mut load = Self {
            target,
            address: SockaddrStorage::from(target.address),
            family,
            request: target.request(true),
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            connections: Vec::with_capacity(connections),
            buffer: vec![0; 16 * 1024],
            tally: Tally::default(),
        };
        for at in 0..connections {
            let connection = load.connect(at)?;
            load.connections.push(connection);
        }
        Ok(load)
    }

    /// Asks for so long, and tells what came of it. Requests in flight at the end are answered in
    /// the next run.
    pub(crate) fn run(&mut self, time: Duration) -> Outcome<Tally> {
        let end = Instant::now() + time;
        let patience = EpollTimeout::try_from(PATIENCE)?;
        let mut events = vec![EpollEvent::empty(); self.connections.len()];
        while Instant::now() < end {
            let ready = match self.epoll.wait(&mut events, patience) {
                Ok(0) => return Err(format!("no answer for {PATIENCE:?}: {}", self.tally).into()),
                Ok(ready) => ready,
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
            };
            for event in &events[..ready] {
                self.turn(event.data() as usize, event.events())?;
            }
        }
        for _ in self
            .connections
            .iter()
            .filter(|waiting| waiting.began.elapsed() > HUNG)
        {
            self.tally.fault(Fault::Hung)?;
        }
        Ok(std::mem::take(&mut self.tally))
    }

    /// On the loopback the handshake is over when `connect` returns, whatever it says of its
    /// progress; so the request is tried at once and spares a turn of epoll.
    fn connect(&self, at: usize) -> Outcome<Connection> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let socket = socket(self.family, SockType::Stream, flags, None)?;
        let began = Instant::now();
        match connect(socket.as_raw_fd(), &self.address) {
            Ok(()) | Err(Errno::EINPROGRESS) => {}
            Err(error) => return Err(format!("connect: {error}").into()),
        }
        let mut connection = Connection {
            socket,
            began,
            state: State::Connecting,
            received: Vec::new(),
        };
        let mut interest = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP;
        if !connection.ask(&self.request) {
            interest |= EpollFlags::EPOLLOUT;
        }
        self.epoll
            .add(&connection.socket, EpollEvent::new(interest, at as u64))?;
        Ok(connection)
    }

    fn turn(&mut self, at: usize, seen: EpollFlags) -> Outcome<()> {
        let over = seen.intersects(EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLHUP);
        let connection = &mut self.connections[at];
        let step = match connection.state {
            State::Connecting if seen.intersects(EpollFlags::EPOLLERR | EpollFlags::EPOLLHUP) => {
                Err(Fault::Refused)
            }
            State::Connecting => {
                if connection.ask(&self.request) {
                    let interest = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP;
                    let mut event = EpollEvent::new(interest, at as u64);
                    self.epoll.modify(&connection.socket, &mut event)?;
                }
                return Ok(());
            }
            State::Asked => connection.read(&mut self.buffer, self.target.body),
            State::Answered => Ok(false),
        };
        match step {
            Ok(true) => {
                self.tally.answer(connection.began.elapsed());
                // Only answers of unknown length say more than hello.
                if self.target.body.is_none()
                    && let Some(pid) = worker(&connection.received)
                {
                    *self.tally.by_worker.entry(pid).or_default() += 1;
                }
            }
            Ok(false) => {}
            Err(fault) => self.tally.fault(fault)?,
        }
        // An answer and the end of stream mostly come together: no second read for the latter.
        if step.is_err() || (over && connection.state == State::Answered) {
            self.connections[at] = self.connect(at)?;
        }
        Ok(())
    }
}

impl Connection {
    /// Sends the request, if the connection is there to take it.
    fn ask(&mut self, request: &[u8]) -> bool {
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        let sent = send(self.socket.as_raw_fd(), request, flags) == Ok(request.len());
        if sent {
            self.state = State::Asked;
        }
        sent
    }

    /// Whether the whole answer is there now.
    fn read(&mut self, buffer: &mut [u8], body: Option<usize>) -> Result<bool, Fault> {
        let read = match recv(self.socket.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT) {
            Ok(0) => return Err(Fault::Closed),
            Ok(read) => read,
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(false),
            Err(_) => return Err(Fault::Reset),
        };
        self.received.extend_from_slice(&buffer[..read]);
        match judge(&self.received, body) {
            Answer::Partial => Ok(false),
            Answer::Whole { .. } => {
                self.state = State::Answered;
                Ok(true)
            }
            Answer::Wrong(fault) => Err(fault),
        }
    }
}
