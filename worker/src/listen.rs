//! Listening sockets inside the runtime: a slot's own, and those that all workers share.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use brigade_shared::sys::accept::accept;
use brigade_shared::sys::epoll::Registration;
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream, UnixDatagram, UnixListener, UnixStream};

use crate::peer::Endpoint;
use crate::transport::Transport;

/// A connection as the kernel hands it out, made known to the runtime.
pub(crate) trait Adopt: Transport + Sized {
    /// Takes a connected, non-blocking socket.
    fn adopt(socket: OwnedFd) -> io::Result<Self>;
}

impl Adopt for TcpStream {
    fn adopt(socket: OwnedFd) -> io::Result<Self> {
        Self::from_std(socket.into())
    }
}

impl Adopt for UnixStream {
    fn adopt(socket: OwnedFd) -> io::Result<Self> {
        Self::from_std(socket.into())
    }
}

/// A listening socket inside the runtime.
pub(crate) trait Listen: 'static {
    type Stream: Transport;

    /// The next connection, and its client if the kernel has told. Cancel safe.
    async fn next(&self) -> io::Result<(Self::Stream, Option<Endpoint>)>;

    /// A connection that waits already, asked of the kernel itself; `WouldBlock` if none does.
    fn next_now(&self) -> io::Result<Self::Stream>;

    /// No connection is asked for during a pause: others shall be woken instead.
    fn rest(&self) {}

    /// Whether other workers wait for the same connections.
    fn is_shared(&self) -> bool {
        false
    }
}

impl Listen for TcpListener {
    type Stream = TcpStream;

    async fn next(&self) -> io::Result<(Self::Stream, Option<Endpoint>)> {
        let (stream, client) = self.accept().await?;
        Ok((stream, Some(Endpoint::Tcp(client))))
    }

    fn next_now(&self) -> io::Result<Self::Stream> {
        Self::Stream::adopt(accept(self.as_fd())?)
    }
}

impl Listen for UnixListener {
    type Stream = UnixStream;

    async fn next(&self) -> io::Result<(Self::Stream, Option<Endpoint>)> {
        Ok((self.accept().await?.0, Some(Endpoint::Unix)))
    }

    fn next_now(&self) -> io::Result<Self::Stream> {
        Self::Stream::adopt(accept(self.as_fd())?)
    }
}

/// A queue that several workers share: a connection wakes one of them, and each takes one at a
/// time, so that the others get theirs.
///
/// After each accept the registration goes to the end of the queue's list of waiters. Putting it
/// back asks the kernel at once whether more waits; so the runtime is told again in its next turn,
/// and no connection can be forgotten that came in between.
#[derive(Debug)]
pub(crate) struct Shared<S> {
    registration: Option<RefCell<Registration>>,
    /// Under a name by which tokio watches a socket and leaves the calls to others; its `AsyncFd`,
    /// which is meant for that, takes `unsafe`.
    socket: UnixDatagram,
    stream: std::marker::PhantomData<fn() -> S>,
}

impl<S: Adopt> Shared<S> {
    /// Watches a queue, and says why its wake-ups are not exclusive, if so: then each connection
    /// wakes everybody, which costs time and is right in all else.
    ///
    /// # Errors
    /// The kernel's, when it refuses to watch the socket.
    pub(crate) fn watch(socket: OwnedFd) -> io::Result<(Self, Option<io::Error>)> {
        let socket = UnixDatagram::from_std(socket.into())?;
        let (registration, error) = match exclusive(&socket) {
            Ok(registration) => (Some(RefCell::new(registration)), None),
            Err(error) => (None, Some(error)),
        };
        let queue = Self {
            registration,
            socket,
            stream: std::marker::PhantomData,
        };
        Ok((queue, error))
    }

    /// Goes to the end of the list. Whether the runtime will be told anew of what waits.
    fn step_back(&self) -> bool {
        let Some(registration) = &self.registration else {
            return false;
        };
        let mut registration = registration.borrow_mut();
        // If it can't be put back, `next` tries again, and if need be after a pause.
        let _ = registration.leave(self.socket.as_fd());
        let _ = registration.enter(self.socket.as_fd());
        true
    }

    /// Lets the runtime forget that something waits.
    fn forget(&self) {
        let nothing = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let _ = self.socket.try_io(Interest::READABLE, nothing);
    }

    /// Makes sure that there is something to be woken by.
    fn step_in(&self) -> io::Result<()> {
        if let Some(registration) = &self.registration {
            registration.borrow_mut().enter(self.socket.as_fd())?;
        }
        Ok(())
    }
}

/// Makes the runtime's registration of a socket exclusive.
fn exclusive(socket: &UnixDatagram) -> io::Result<Registration> {
    let mut registration = Registration::find(socket.as_fd())?;
    registration.leave(socket.as_fd())?;
    match registration.enter(socket.as_fd())? {
        true => Ok(registration),
        false => Err(io::Error::other("the kernel knows no exclusive wake-ups")),
    }
}

impl<S: Adopt> Listen for Shared<S> {
    type Stream = S;

    async fn next(&self) -> io::Result<(S, Option<Endpoint>)> {
        if self.registration.is_none() {
            // One at a time all the same.
            tokio::task::yield_now().await;
        }
        loop {
            self.step_in()?;
            self.socket.readable().await?;
            match self
                .socket
                .try_io(Interest::READABLE, || accept(self.socket.as_fd()))
            {
                Ok(socket) => {
                    if self.step_back() {
                        self.forget();
                    }
                    return Ok((S::adopt(socket)?, None));
                }
                // Another worker was faster.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn next_now(&self) -> io::Result<S> {
        S::adopt(accept(self.socket.as_fd())?)
    }

    fn rest(&self) {
        if let Some(registration) = &self.registration {
            let _ = registration.borrow_mut().leave(self.socket.as_fd());
        }
    }

    fn is_shared(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Listen, Shared};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::PathBuf;
    use tokio::runtime::{Builder, LocalRuntime};

    fn runtime() -> LocalRuntime {
        Builder::new_current_thread()
            .enable_all()
            .build_local(Default::default())
            .unwrap()
    }

    fn door() -> (tempfile::TempDir, PathBuf, OwnedFd) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("door");
        let door = UnixListener::bind(&path).unwrap();
        door.set_nonblocking(true).unwrap();
        (directory, path, door.into())
    }

    type Queue = Shared<tokio::net::UnixStream>;

    /// If this fails after an update of tokio or mio, `Registration::find` no longer finds how they
    /// register a socket: nothing breaks, but each connection wakes all workers.
    #[test]
    fn this_tokio_lets_its_registration_be_made_exclusive() {
        runtime().block_on(async {
            let (_directory, path, door) = door();
            let (queue, error) = Queue::watch(door).unwrap();
            assert!(error.is_none(), "{error:?}");
            for _ in 0..10 {
                let _client = UnixStream::connect(&path).unwrap();
                queue.next().await.unwrap();
            }
            assert!(queue.registration.as_ref().unwrap().borrow().is_in());
        });
    }

    #[test]
    fn with_and_without_exclusive_wake_ups_no_connection_is_forgotten() {
        for is_exclusive in [true, false] {
            runtime().block_on(async {
                let (_directory, path, door) = door();
                let (mut queue, _) = Queue::watch(door).unwrap();
                if !is_exclusive {
                    queue.registration = None;
                }
                let clients: Vec<_> = (0..100)
                    .map(|_| UnixStream::connect(&path).unwrap())
                    .collect();
                for _ in &clients {
                    queue.next().await.unwrap();
                }
            });
        }
    }

    #[test]
    fn who_rests_is_not_asked_and_then_is_told_of_what_waits() {
        runtime().block_on(async {
            let (_directory, path, door) = door();
            let (queue, _) = Queue::watch(door).unwrap();
            queue.rest();
            let _client = UnixStream::connect(&path).unwrap();
            tokio::select! {
                biased;
                ready = queue.socket.readable() => panic!("{ready:?}"),
                () = async { for _ in 0..10 { tokio::task::yield_now().await } } => {}
            }
            queue.next().await.unwrap();
        });
    }
}
