//! The floor: an epoll loop that answers a fixed string to everything that ends a head. Nobody
//! who serves HTTP/1.1 over sockets gets by with fewer system calls: one `recv` and one `send` a
//! request, an `epoll_wait` shared by all that are ready, no call that is not needed.
//! With the argument `edge` it is edge-triggered, which spares the kernel a second look at each
//! connection that was ready.

#![forbid(unsafe_code)]

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::process::ExitCode;

use brigade_benches::contender;
use memchr::memmem;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{MsgFlags, recv, send};

/// As long as an answer of hyper, and with the same headers.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 12\r\n\
    date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\nHello, world";
const END_OF_HEAD: &[u8; 4] = b"\r\n\r\n";
/// More pipelined requests than this in one read are answered in several writes.
const BATCH: usize = 64;

fn main() -> ExitCode {
    let trigger = match std::env::args().nth(1).as_deref() {
        None => EpollFlags::empty(),
        Some("edge") => EpollFlags::EPOLLET,
        Some(_) => {
            eprintln!("usage: contender-floor [edge]");
            return ExitCode::from(2);
        }
    };
    match contender::listen().and_then(|listener| Floor::new(listener, trigger)?.serve()) {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("contender-floor: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Floor {
    epoll: Epoll,
    /// Edge or level.
    trigger: EpollFlags,
    listener: TcpListener,
    /// By descriptor number.
    connections: Vec<Option<Connection>>,
    answers: Vec<u8>,
    buffer: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    /// Bytes of `END_OF_HEAD` that ended the last read: a head may come in pieces.
    matched: usize,
}

#[derive(PartialEq)]
enum After {
    Keep,
    Close,
}

impl Floor {
    fn new(listener: TcpListener, trigger: EpollFlags) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let event = EpollEvent::new(EpollFlags::EPOLLIN, listener.as_raw_fd() as u64);
        epoll.add(&listener, event)?;
        Ok(Self {
            epoll,
            trigger,
            listener,
            connections: Vec::new(),
            answers: ANSWER.repeat(BATCH),
            buffer: vec![0; 16 * 1024],
        })
    }

    fn serve(mut self) -> io::Result<std::convert::Infallible> {
        let mut events = [EpollEvent::empty(); 1024];
        loop {
            let ready = match self.epoll.wait(&mut events, EpollTimeout::NONE) {
                Ok(ready) => ready,
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
            };
            for event in &events[..ready] {
                let fd = event.data() as RawFd;
                if fd == self.listener.as_raw_fd() {
                    self.accept()?;
                } else {
                    self.turn(fd);
                }
            }
        }
    }

    /// A new connection is read at once: its request is often there already, and if it is also
    /// the last one the connection never sees epoll.
    fn accept(&mut self) -> io::Result<()> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            let mut connection = Connection { stream, matched: 0 };
            if connection.turn(&mut self.buffer, &self.answers) == After::Close {
                continue;
            }
            let fd = connection.stream.as_raw_fd();
            let interest = EpollFlags::EPOLLIN | self.trigger;
            let event = EpollEvent::new(interest, fd as u64);
            self.epoll.add(&connection.stream, event)?;
            let place = fd as usize;
            if self.connections.len() <= place {
                self.connections.resize_with(place + 1, || None);
            }
            self.connections[place] = Some(connection);
        }
    }

    fn turn(&mut self, fd: RawFd) {
        let place = &mut self.connections[fd as usize];
        let Some(connection) = place else { return };
        if connection.turn(&mut self.buffer, &self.answers) == After::Close {
            *place = None;
        }
    }
}

impl Connection {
    /// One read, one answer for each head that ended in it; a read that fills the buffer would
    /// need another, but no peer here sends so much at once. `MSG_DONTWAIT` spares the call that
    /// would make the socket non-blocking. A client that does not take its answers is dropped.
    fn turn(&mut self, buffer: &mut [u8], answers: &[u8]) -> After {
        let fd = self.stream.as_raw_fd();
        let read = match recv(fd, buffer, MsgFlags::MSG_DONTWAIT) {
            Ok(0) => return After::Close,
            Ok(read) => &buffer[..read],
            Err(Errno::EAGAIN | Errno::EINTR) => return After::Keep,
            Err(_) => return After::Close,
        };
        let mut owed = self.heads_ended(read);
        while owed > 0 {
            let now = owed.min(BATCH);
            let bytes = &answers[..now * ANSWER.len()];
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
            if send(fd, bytes, flags) != Ok(bytes.len()) {
                return After::Close;
            }
            owed -= now;
        }
        let last = self.matched == 0 && memmem::find(read, b"\r\nConnection: close\r\n").is_some();
        if last { After::Close } else { After::Keep }
    }

    fn heads_ended(&mut self, read: &[u8]) -> usize {
        let mut ended = 0;
        for &byte in read {
            if byte == END_OF_HEAD[self.matched] {
                self.matched += 1;
            } else {
                self.matched = usize::from(byte == END_OF_HEAD[0]);
            }
            if self.matched == END_OF_HEAD.len() {
                self.matched = 0;
                ended += 1;
            }
        }
        ended
    }
}
