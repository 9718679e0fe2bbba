//! So many connections, each with one request in flight, for ever.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{MsgFlags, recv, send};

use super::answer::{Answer, judge};
use super::tally::{Fault, HUNG, Tally};
use super::target::{PATIENCE, Target};
use crate::outcome::Outcome;

/// So many connections, each with one request in flight, as long as [`KeepAlive::run`] runs.
pub(crate) struct KeepAlive {
    /// Each connection has one of these, in turn, and the request for it.
    targets: Vec<(Target, Vec<u8>)>,
    epoll: Epoll,
    connections: Vec<Connection>,
    buffer: Vec<u8>,
    tally: Tally,
}

struct Connection {
    stream: TcpStream,
    asked_at: Instant,
    /// An answer that came in pieces, so far; mostly empty.
    received: Vec<u8>,
}

impl KeepAlive {
    /// Opens the connections, evenly spread over the targets, and sends the first request on each.
    pub(crate) fn open(targets: &[Target], connections: usize) -> Outcome<Self> {
        let with_request = |target: &Target| (*target, target.request(false));
        let mut load = Self {
            targets: targets.iter().map(with_request).collect(),
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

    /// Keeps the connections busy for so long, and tells what came of it. Requests in flight at
    /// the end are answered in the next run.
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
                self.turn(event.data() as usize)?;
            }
        }
        for _ in self
            .connections
            .iter()
            .filter(|waiting| waiting.asked_at.elapsed() > HUNG)
        {
            self.tally.fault(Fault::Hung)?;
        }
        Ok(std::mem::take(&mut self.tally))
    }

    fn connect(&self, at: usize) -> io::Result<Connection> {
        let (target, request) = self.of(at);
        let stream = TcpStream::connect(target.address)?;
        stream.set_nodelay(true)?;
        self.epoll
            .add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, at as u64))?;
        let mut connection = Connection {
            stream,
            asked_at: Instant::now(),
            received: Vec::new(),
        };
        connection.ask(request)?;
        Ok(connection)
    }

    fn of(&self, at: usize) -> &(Target, Vec<u8>) {
        &self.targets[at % self.targets.len()]
    }

    fn turn(&mut self, at: usize) -> Outcome<()> {
        let (target, request) = &self.targets[at % self.targets.len()];
        let connection = &mut self.connections[at];
        let fd = connection.stream.as_raw_fd();
        let fault = match recv(fd, &mut self.buffer, MsgFlags::MSG_DONTWAIT) {
            Ok(0) => Fault::Closed,
            Ok(read) => match connection.receive(&self.buffer[..read], target.body) {
                Answer::Partial => return Ok(()),
                Answer::Whole { .. } => {
                    self.tally.answer(connection.asked_at.elapsed());
                    if connection.ask(request).is_ok() {
                        return Ok(());
                    }
                    Fault::Reset
                }
                Answer::Wrong(fault) => fault,
            },
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(()),
            Err(_) => Fault::Reset,
        };
        self.tally.fault(fault)?;
        self.connections[at] = self.connect(at)?;
        Ok(())
    }
}

impl Connection {
    fn receive(&mut self, piece: &[u8], body: Option<usize>) -> Answer {
        if self.received.is_empty() {
            let answer = judge(piece, body);
            if answer == Answer::Partial {
                self.received.extend_from_slice(piece);
            }
            return answer;
        }
        self.received.extend_from_slice(piece);
        let answer = judge(&self.received, body);
        if answer != Answer::Partial {
            self.received.clear();
        }
        answer
    }

    /// The send buffer is empty between requests, so that one call takes it all.
    fn ask(&mut self, request: &[u8]) -> io::Result<()> {
        self.asked_at = Instant::now();
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        match send(self.stream.as_raw_fd(), request, flags)? {
            sent if sent == request.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }
}
