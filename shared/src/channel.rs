//! A typed channel between supervisor and worker: one `SOCK_SEQPACKET` pair, one JSON text per
//! packet, so that messages keep their borders and can be read in a trace.

use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest message in bytes; a longer one is refused by [`Channel::send`].
pub const MAX_MESSAGE: usize = 16 * 1024;

/// One end: sends `Out`, receives `In`. Non-blocking and close-on-exec.
#[derive(Debug)]
pub struct Channel<Out, In> {
    socket: OwnedFd,
    words: PhantomData<fn(Out) -> In>,
}

/// What [`Channel::receive`] found.
#[derive(PartialEq, Eq, Debug)]
pub enum Received<In> {
    /// A message.
    Message(In),
    /// Nothing yet.
    Nothing,
    /// The other end is closed: its process has ended or let go.
    Closed,
    /// A packet that is not one of our messages, in words.
    Nonsense(String),
}

impl<Out: Serialize, In: DeserializeOwned> Channel<Out, In> {
    /// Two ends that mirror each other.
    ///
    /// # Errors
    /// The kernel's: out of descriptors or memory.
    pub fn pair() -> io::Result<(Self, Channel<In, Out>)>
    where
        In: Serialize,
        Out: DeserializeOwned,
    {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
        Ok((
            Self {
                socket: ours,
                words: PhantomData,
            },
            Channel {
                socket: theirs,
                words: PhantomData,
            },
        ))
    }

    /// Sends one message, without ever waiting.
    ///
    /// # Errors
    /// `WouldBlock` if the other end has not read for long, `BrokenPipe` if it is gone,
    /// `InvalidInput` if the message is longer than [`MAX_MESSAGE`].
    pub fn send(&self, message: &Out) -> io::Result<()> {
        let text = serde_json::to_vec(message)?;
        if text.len() > MAX_MESSAGE {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "message too long",
            ));
        }
        send(self.socket.as_raw_fd(), &text, MsgFlags::MSG_NOSIGNAL)?;
        Ok(())
    }

    /// Takes the next message, without ever waiting. Total: no bytes make it fail.
    #[must_use]
    pub fn receive(&self) -> Received<In> {
        let mut packet = vec![0; MAX_MESSAGE + 1];
        loop {
            return match recv(self.socket.as_raw_fd(), &mut packet, MsgFlags::empty()) {
                Ok(0) => Received::Closed,
                Ok(length) => match serde_json::from_slice(&packet[..length]) {
                    Ok(message) => Received::Message(message),
                    Err(error) => Received::Nonsense(error.to_string()),
                },
                Err(Errno::EAGAIN) => Received::Nothing,
                Err(Errno::EINTR) => continue,
                Err(_) => Received::Closed,
            };
        }
    }
}

impl<Out, In> AsFd for Channel<Out, In> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl<Out, In> AsRawFd for Channel<Out, In> {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.socket.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::{Channel, Received};
    use crate::message::{Fact, Order};
    use std::os::fd::AsRawFd;

    #[test]
    fn each_direction_carries_its_own_words() {
        let (up, down) = Channel::<Fact, Order>::pair().unwrap();
        up.send(&Fact::Ready).unwrap();
        down.send(&Order::Drain { deadline_ms: 1500 }).unwrap();
        assert_eq!(down.receive(), Received::Message(Fact::Ready));
        assert_eq!(
            up.receive(),
            Received::Message(Order::Drain { deadline_ms: 1500 })
        );
        assert_eq!(up.receive(), Received::Nothing);
    }

    #[test]
    fn the_end_of_the_other_process_is_seen() {
        let (up, down) = Channel::<Fact, Order>::pair().unwrap();
        drop(down);
        assert_eq!(up.receive(), Received::Closed);
        assert!(up.send(&Fact::Ready).is_err());
    }

    #[test]
    fn hostile_bytes_are_words_not_a_panic() {
        let (up, down) = Channel::<Fact, Order>::pair().unwrap();
        for bytes in [
            &b"{"[..],
            b"\xff\xfe",
            b"{\"fact\":\"unheard_of\"}",
            &[b'['; 9000],
        ] {
            nix::unistd::write(&up, bytes).unwrap();
            assert!(matches!(down.receive(), Received::Nonsense(_)), "{bytes:?}");
        }
        assert!(down.as_raw_fd() > 2);
    }
}
