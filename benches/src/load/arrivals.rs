//! New connections at fixed moments, whether or not those before were answered (an open loop): a
//! server that does not come to them for a while can't slow the arrivals down, so the time that
//! users would have waited is all in the figures.

use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrStorage, connect, recv, send, socket,
};

use super::answer::{Answer, judge, worker};
use super::target::Target;
use crate::outcome::Outcome;

/// After the last arrival, this long is waited for answers.
const PATIENCE: Duration = Duration::from_secs(15);

/// What became of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    /// When it was due, since the start.
    pub(crate) due: Duration,
    /// From then to its first byte; none if it was not answered rightly.
    pub(crate) first_byte: Option<Duration>,
    /// From the start to its last byte.
    pub(crate) ended: Duration,
    /// Which process answered, if the answer says so.
    pub(crate) worker: Option<u32>,
}

struct Waiting {
    at: usize,
    socket: OwnedFd,
    asked: bool,
    first_byte: Option<Instant>,
    received: Vec<u8>,
}

/// Connects every `pace` for so long, asks once on each, and waits for all answers.
pub(crate) fn arrive(target: Target, pace: Duration, time: Duration) -> Outcome<Vec<Arrival>> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let request = target.request(true);
    let count = usize::try_from(time.as_nanos() / pace.as_nanos())?;
    let mut arrivals: Vec<Arrival> = Vec::with_capacity(count);
    let mut waiting: Vec<Option<Waiting>> = Vec::with_capacity(count);
    let mut open = 0;
    let began = Instant::now();
    let mut events = vec![EpollEvent::empty(); 256];
    let mut buffer = vec![0; 4096];
    loop {
        while arrivals.len() < count {
            let due = pace * u32::try_from(arrivals.len())?;
            if due > began.elapsed() {
                break;
            }
            let at = arrivals.len();
            arrivals.push(Arrival {
                due,
                first_byte: None,
                ended: due,
                worker: None,
            });
            waiting.push(Some(begin(at, target, &request, &epoll)?));
            open += 1;
        }
        if arrivals.len() == count && open == 0 {
            return Ok(arrivals);
        }
        if began.elapsed() > time + PATIENCE {
            return Ok(arrivals);
        }
        let pause = match arrivals.len() {
            all if all == count => Duration::from_millis(100),
            made => (pace * u32::try_from(made)?).saturating_sub(began.elapsed()),
        };
        // Whole milliseconds only: the last fraction is spun away, so that arrivals are on time.
        let timeout = EpollTimeout::try_from(Duration::from_millis(pause.as_millis() as u64))?;
        let ready = match epoll.wait(&mut events, timeout) {
            Ok(ready) => ready,
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        };
        for event in &events[..ready] {
            let at = event.data() as usize;
            let Some(one) = &mut waiting[at] else {
                continue;
            };
            if let Some(verdict) = one.turn(&request, &mut buffer, target.body) {
                let arrival = &mut arrivals[one.at];
                arrival.ended = began.elapsed();
                if verdict {
                    let first = one.first_byte.unwrap_or_else(Instant::now);
                    arrival.first_byte =
                        Some(first.duration_since(began).saturating_sub(arrival.due));
                    arrival.worker = worker(&one.received);
                }
                waiting[at] = None;
                open -= 1;
            }
        }
    }
}

fn begin(at: usize, target: Target, request: &[u8], epoll: &Epoll) -> Outcome<Waiting> {
    let family = match target.address {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = socket(family, SockType::Stream, flags, None)?;
    match connect(socket.as_raw_fd(), &SockaddrStorage::from(target.address)) {
        Ok(()) | Err(Errno::EINPROGRESS) => {}
        Err(error) => return Err(format!("connect: {error}").into()),
    }
    let asked = ask(&socket, request);
    let mut interest = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
    if !asked {
        interest |= EpollFlags::EPOLLOUT;
    }
    epoll.add(&socket, EpollEvent::new(interest, at as u64))?;
    Ok(Waiting {
        at,
        socket,
        asked,
        first_byte: None,
        received: Vec::new(),
    })
}

fn ask(socket: &OwnedFd, request: &[u8]) -> bool {
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    send(socket.as_raw_fd(), request, flags) == Ok(request.len())
}

impl Waiting {
    /// Whether it is over, and then whether it went well.
    fn turn(&mut self, request: &[u8], buffer: &mut [u8], body: Option<usize>) -> Option<bool> {
        if !self.asked {
            self.asked = ask(&self.socket, request);
        }
        loop {
            match recv(self.socket.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(0) => return Some(false),
                Ok(read) => {
                    self.first_byte.get_or_insert_with(Instant::now);
                    self.received.extend_from_slice(&buffer[..read]);
                    match judge(&self.received, body) {
                        Answer::Partial => {}
                        Answer::Whole { .. } => return Some(true),
                        Answer::Wrong(_) => return Some(false),
                    }
                }
                Err(Errno::EAGAIN) => return None,
                Err(Errno::EINTR) => {}
                // A connection that is not made yet is not broken.
                Err(Errno::ENOTCONN) => return None,
                Err(_) => return Some(false),
            }
        }
    }
}
