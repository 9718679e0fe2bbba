//! The byte stream under a connection: counted, and telling the connection's pulse what it sees.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use brigade_shared::board::Counter;
use brigade_shared::sys::outgoing::unconfirmed;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::admit::Guest;
use crate::lately::Age;
use crate::meter::Meter;
use crate::overdue;
use crate::peer::Endpoint;
use crate::pulse::{Phase, Pulse};

/// A byte stream that can be read past the runtime.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Asks the kernel itself for bytes that wait: the runtime may not have heard of them yet.
    fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// What another process would need to serve it; a test's has none.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;

    /// The client's end; the kernel has to be asked.
    fn remote(&self) -> Endpoint;

    /// Our end; the kernel has to be asked.
    fn local(&self) -> Endpoint;
}

/// What is known of a connection's ends without asking the kernel.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Ends {
    pub(crate) remote: Option<Endpoint>,
    pub(crate) local: Option<Endpoint>,
}

/// An address that is not there any more: the client has already gone.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

impl Transport for TcpStream {
    fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*SockRef::from(&*self)).read(buffer)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.as_fd())
    }

    fn remote(&self) -> Endpoint {
        Endpoint::Tcp(self.peer_addr().unwrap_or(NOWHERE))
    }

    fn local(&self) -> Endpoint {
        Endpoint::Tcp(self.local_addr().unwrap_or(NOWHERE))
    }
}

impl Transport for UnixStream {
    fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*SockRef::from(&*self)).read(buffer)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.as_fd())
    }

    fn remote(&self) -> Endpoint {
        Endpoint::Unix
    }

    fn local(&self) -> Endpoint {
        Endpoint::Unix
    }
}

/// The longest answer that is copied into one piece before it is written.
const GLUED: usize = 2048;

/// Frames of HTTP/2 that are not part of an answer are smaller, even if a few of them are written
/// at once.
const CONTROL: usize = 64;

thread_local! {
    /// Where a client's first bytes are read to.
    static AHEAD: RefCell<[u8; 4096]> = const { RefCell::new([0; 4096]) };

    /// Where pieces become one; not on the stack, which would be cleared for every answer.
    static ROOM: RefCell<[u8; GLUED]> = const { RefCell::new([0; GLUED]) };
}

/// Writes pieces as one if they are small: a kernel takes one piece of memory faster than a list
/// of two, and nearly every small answer is a head and a body.
fn write_glued<T: Transport>(
    transport: Pin<&mut T>,
    task: &mut Context<'_>,
    pieces: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    ROOM.with_borrow_mut(|room| {
        let mut length = 0;
        for piece in pieces {
            match room.get_mut(length..length + piece.len()) {
                Some(place) => place.copy_from_slice(piece),
                None => return transport.poll_write_vectored(task, pieces),
            }
            length += piece.len();
        }
        transport.poll_write(task, &room[..length])
    })
}

/// How a connection came to this worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    /// It accepted it.
    Accepted,
    /// Somebody else had accepted it.
    Taken,
}

/// A transport that is counted. The connection counts as open as long as this lives, wherever an
/// upgrade takes it.
#[derive(Debug)]
pub(crate) struct Metered<T> {
    transport: T,
    /// What was read already, and shall be read again.
    ahead: Vec<u8>,
    pulse: Arc<Pulse>,
    meter: &'static Meter,
    age: Age,
    /// Its place among its peer's connections.
    guest: Option<Guest>,
}

impl<T: Transport> Metered<T> {
    pub(crate) fn new(
        transport: T,
        origin: Origin,
        pulse: Arc<Pulse>,
        meter: &'static Meter,
    ) -> Self {
        Self {
            transport,
            ahead: Vec::new(),
            pulse,
            meter,
            age: meter.connection_opened(origin),
            guest: None,
        }
    }

    /// Keeps its place among its peer's connections as long as it is open.
    pub(crate) fn keep(&mut self, guest: Option<Guest>) {
        self.guest = guest;
    }

    /// What will be read next: more than `known` bytes, unless the stream ends before. Cancel safe.
    pub(crate) async fn look_ahead(&mut self, known: usize) -> io::Result<&[u8]> {
        if self.ahead.len() <= known {
            poll_fn(|task| self.poll_ahead(task)).await?;
        }
        Ok(&self.ahead)
    }

    fn poll_ahead(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        AHEAD.with_borrow_mut(|room| {
            let mut room = ReadBuf::new(room);
            ready!(self.poll_transport(task, &mut room))?;
            self.ahead.extend_from_slice(room.filled());
            Poll::Ready(Ok(()))
        })
    }

    /// Takes away what was looked at.
    pub(crate) fn consume(&mut self, count: usize) {
        self.ahead.drain(..count);
    }

    /// Gives out what was read before.
    fn read_again(&mut self, buf: &mut ReadBuf<'_>) {
        let count = self.ahead.len().min(buf.remaining());
        buf.put_slice(&self.ahead[..count]);
        if count == self.ahead.len() {
            self.ahead = Vec::new();
        } else {
            self.ahead.drain(..count);
        }
    }

    fn poll_transport(
        &mut self,
        task: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.pulse.is_overdue() {
            return Poll::Ready(self.last_look(buf));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.transport).poll_read(task, buf))?;
        let count = buf.filled().len() - before;
        if count > 0 {
            self.received(count);
        }
        Poll::Ready(Ok(()))
    }

    /// Says that nothing more will come, and reads on until the client has said so too, or is
    /// overdue: a socket closed over bytes that nobody has read resets the connection, and a client
    /// may lose the last answer that it had not read yet.
    fn linger(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        let _ = ready!(Pin::new(&mut self.transport).poll_shutdown(task));
        AHEAD.with_borrow_mut(|room| {
            loop {
                if self.pulse.is_overdue() {
                    return Poll::Ready(Ok(()));
                }
                let mut room = ReadBuf::new(room);
                let reading = ready!(Pin::new(&mut self.transport).poll_read(task, &mut room));
                // A reset is as good an end as any, and no reason to forget why this is one.
                if reading.is_err() || room.filled().is_empty() {
                    return Poll::Ready(Ok(()));
                }
            }
        })
    }

    fn received(&self, count: usize) {
        self.meter.row.count(Counter::BytesIn, count as u64);
        self.pulse.received(self.meter.clock.last());
    }

    /// The end of an overdue connection, seen by hyper as the client's: unless at this very moment
    /// a request begins, which it shall have. Whoever is late with the rest of a head gets no such
    /// look: a byte now and then would keep the connection for ever.
    fn last_look(&mut self, buf: &mut ReadBuf<'_>) -> io::Result<()> {
        if matches!(self.pulse.phase(), Phase::Fresh | Phase::Idle) {
            match self.transport.read_now(buf.initialize_unfilled()) {
                Ok(count) if count > 0 => {
                    buf.advance(count);
                    self.pulse.set_overdue(false);
                    self.received(count);
                    return Ok(());
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        overdue::count(&self.pulse, self.meter);
        Ok(())
    }

    /// Before a write to a client that seems not to read: only the kernel knows what it has taken.
    fn look_what_is_taken(&self) {
        if self.pulse.outflow.has_to_answer() {
            let socket = self.transport.descriptor();
            let under_way = socket.and_then(|socket| unconfirmed(socket).ok());
            let now = self.meter.clock.last();
            self.pulse.outflow.look(under_way.unwrap_or(0), now);
        }
    }

    /// Passes on what a write came to.
    fn sent(&self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &outcome {
            Poll::Ready(Ok(count)) => {
                self.meter.row.count(Counter::BytesOut, *count as u64);
                let now = self.meter.clock.last();
                let is_progress = self.pulse.has_frames() && *count > CONTROL;
                if is_progress || self.pulse.has_unsent() {
                    self.pulse.write_went_on(now);
                }
                self.pulse.outflow.sent(*count as u64, now);
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.pulse.write_blocked(self.meter.clock.last()),
        }
        outcome
    }
}

impl<T> Drop for Metered<T> {
    fn drop(&mut self) {
        self.meter.connection_closed(self.age);
    }
}

impl<T: Transport> AsyncRead for Metered<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ahead.is_empty() {
            return this.poll_transport(task, buf);
        }
        this.read_again(buf);
        Poll::Ready(Ok(()))
    }
}

impl<T: Transport> AsyncWrite for Metered<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.look_what_is_taken();
        let outcome = Pin::new(&mut this.transport).poll_write(task, bytes);
        this.sent(outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.look_what_is_taken();
        let outcome = write_glued(Pin::new(&mut this.transport), task, pieces);
        this.sent(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().transport).poll_flush(task)
    }

    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.pulse.is_upgraded() {
            return Pin::new(&mut this.transport).poll_shutdown(task);
        }
        // In the middle of a head hyper ends only what it has refused.
        if this.pulse.is_leaving() || this.pulse.phase() == Phase::Head {
            return this.linger(task);
        }
        // hyper is done with it and drops it next. The close of a plain socket says the same, for
        // a system call less.
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Metered, Origin, Transport};
    use crate::peer::Endpoint;
    use crate::pulse::Phase;
    use crate::rig::Rig;
    use std::io;
    use std::os::fd::BorrowedFd;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf, duplex};

    impl Transport for DuplexStream {
        fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let mut buf = ReadBuf::new(buffer);
            let mut nobody = Context::from_waker(Waker::noop());
            match Pin::new(self).poll_read(&mut nobody, &mut buf) {
                Poll::Ready(outcome) => outcome.map(|()| buf.filled().len()),
                Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
            }
        }

        fn descriptor(&self) -> Option<BorrowedFd<'_>> {
            None
        }

        fn remote(&self) -> Endpoint {
            Endpoint::Unix
        }

        fn local(&self) -> Endpoint {
            Endpoint::Unix
        }
    }

    #[test]
    fn an_overdue_connection_reads_what_waits_or_else_its_end() {
        Rig::paused(async |rig| {
            let (mut client, server) = duplex(64);
            let pulse = rig.pulse();
            let mut server =
                Metered::new(server, Origin::Accepted, pulse.clone(), rig.station.meter);
            let mut buffer = [0; 64];

            client.write_all(b"GET").await.unwrap();
            pulse.set_overdue(true);
            assert_eq!(server.read(&mut buffer).await.unwrap(), 3);
            assert_eq!((pulse.is_overdue(), pulse.phase()), (false, Phase::Head));

            client.write_all(b" /").await.unwrap();
            pulse.set_overdue(true);
            let late = server.read(&mut buffer).await.unwrap();
            assert_eq!(late, 0, "a head that is late is not waited for");

            pulse.request_ended(0);
            pulse.set_overdue(true);
            assert_eq!(server.read(&mut buffer).await.unwrap(), 2);
            pulse.request_ended(0);
            pulse.set_overdue(true);
            assert_eq!(server.read(&mut buffer).await.unwrap(), 0);
        });
    }

    #[test]
    fn a_connection_is_open_as_long_as_its_transport() {
        Rig::paused(async |rig| {
            let meter = rig.station.meter;
            let (_client, server) = duplex(64);
            let server = Metered::new(server, Origin::Accepted, rig.pulse(), meter);
            assert_eq!(meter.open_connections(), 1);
            drop(server);
            meter.all_gone().await;
        });
    }
}
