//! A typed channel between supervisor and worker: one `SOCK_SEQPACKET` pair, one JSON text per
//! packet, so that messages keep their borders and can be read in a trace.

use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, Shutdown, SockFlag, SockType, send, sendmsg, shutdown,
    socketpair,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sys::scm;

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

    /// An end that another program has used before. That it is a socket of this kind is for the
    /// caller to know.
    #[must_use]
    pub fn adopt(socket: OwnedFd) -> Self {
        Self {
            socket,
            words: PhantomData,
        }
    }

    /// Sends one message, without ever waiting.
    ///
    /// # Errors
    /// `WouldBlock` if the other end has not read for long, `BrokenPipe` if it is gone,
    /// `InvalidInput` if the message is longer than [`MAX_MESSAGE`].
    pub fn send(&self, message: &Out) -> io::Result<()> {
        let text = Self::text(message)?;
        send(self.socket.as_raw_fd(), &text, MsgFlags::MSG_NOSIGNAL)?;
        Ok(())
    }

    /// Sends one message and a descriptor with it (`SCM_RIGHTS`, unix(7)), without ever waiting.
    /// The other process gets a copy of the descriptor.
    ///
    /// # Errors
    /// Those of [`Self::send`], and `ETOOMANYREFS` if too many descriptors are under way; then
    /// nothing was handed over.
    pub fn send_with(&self, message: &Out, descriptor: BorrowedFd<'_>) -> io::Result<()> {
        let text = Self::text(message)?;
        let descriptors = [descriptor.as_raw_fd()];
        let control = [ControlMessage::ScmRights(&descriptors)];
        let room = [io::IoSlice::new(&text)];
        let flags = MsgFlags::MSG_NOSIGNAL;
        sendmsg::<()>(self.socket.as_raw_fd(), &room, &control, flags, None)?;
        Ok(())
    }

    fn text(message: &Out) -> io::Result<Vec<u8>> {
        let text = serde_json::to_vec(message)?;
        if text.len() > MAX_MESSAGE {
            let words = "message too long";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
        }
        Ok(text)
    }

    /// Takes no more messages: from now on the other end's sends fail with `BrokenPipe`. What it
    /// has sent before can still be received; after that the channel looks closed. So whoever
    /// leaves loses nothing that the other end believes to be delivered.
    ///
    /// # Errors
    /// The kernel's.
    pub fn refuse_more(&self) -> io::Result<()> {
        Ok(shutdown(self.socket.as_raw_fd(), Shutdown::Read)?)
    }

    /// Takes the next message, without ever waiting; a descriptor that came with it is closed.
    /// Total: no bytes make it fail.
    #[must_use]
    pub fn receive(&self) -> Received<In> {
        self.receive_with().0
    }

    /// Takes the next message and the descriptor that came with it, without ever waiting. Total:
    /// no bytes make it fail.
    #[must_use]
    pub fn receive_with(&self) -> (Received<In>, Option<OwnedFd>) {
        let mut packet = vec![0; MAX_MESSAGE + 1];
        loop {
            return match scm::receive(self.as_fd(), &mut packet) {
                Ok((0, descriptor)) => (Received::Closed, descriptor),
                Ok((length, descriptor)) => {
                    let received = match serde_json::from_slice(&packet[..length]) {
                        Ok(message) => Received::Message(message),
                        Err(error) => Received::Nonsense(error.to_string()),
                    };
                    (received, descriptor)
                }
                Err(Errno::EAGAIN) => (Received::Nothing, None),
                // The other end was closed with something unread. That is said once, before what
                // it had sent itself, which still comes.
                Err(Errno::EINTR | Errno::ECONNRESET) => continue,
                Err(_) => (Received::Closed, None),
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
    use std::os::fd::{AsFd, AsRawFd};

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
    fn who_takes_no_more_still_gets_what_was_sent_and_can_still_speak() {
        let (up, down) = Channel::<Fact, Order>::pair().unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        down.send_with(&Order::Serve, writer.as_fd()).unwrap();
        drop(writer);
        up.refuse_more().unwrap();
        let refused = down.send(&Order::Answer).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::BrokenPipe);
        let (first, descriptor) = up.receive_with();
        assert_eq!(first, Received::Message(Order::Serve));
        assert_eq!(up.receive(), Received::Closed);
        up.send_with(&Fact::Passed, descriptor.unwrap().as_fd())
            .unwrap();
        let (last, descriptor) = down.receive_with();
        assert_eq!(last, Received::Message(Fact::Passed));
        drop(descriptor);
        assert_eq!(std::io::Read::read(&mut reader, &mut [0]).unwrap(), 0);
        drop(up);
        assert_eq!(down.receive(), Received::Closed);
    }

    #[test]
    fn the_last_words_of_one_that_ended_with_orders_unread_are_heard() {
        let (up, down) = Channel::<Fact, Order>::pair().unwrap();
        up.send(&Fact::Ready).unwrap();
        down.send(&Order::Answer).unwrap();
        drop(up);
        assert_eq!(down.receive(), Received::Message(Fact::Ready));
        assert_eq!(down.receive(), Received::Closed);
    }

    #[test]
    fn a_descriptor_travels_with_its_message_and_not_with_another() {
        let (up, down) = Channel::<Fact, Order>::pair().unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        down.send(&Order::Answer).unwrap();
        down.send_with(&Order::Serve, writer.as_fd()).unwrap();
        drop(writer);
        let (first, none) = up.receive_with();
        assert_eq!(
            (first, none.is_none()),
            (Received::Message(Order::Answer), true)
        );
        let (second, descriptor) = up.receive_with();
        assert_eq!(second, Received::Message(Order::Serve));
        nix::unistd::write(descriptor.unwrap(), b"through").unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
        assert_eq!(
            text, "through",
            "and no copy of the descriptor is left anywhere"
        );
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
