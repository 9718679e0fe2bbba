//! The line on which the kernel tells of sockets: sock_diag(7) over netlink(7).

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, connect, recv, send,
    socket,
};

/// From linux/sock_diag.h and linux/netlink.h.
const BY_FAMILY: u16 = 20;
const REQUEST: u16 = 0x0001;
const DUMP: u16 = 0x0300;
const ERROR: u16 = 2;
const DONE: u16 = 3;

/// The header of every message.
const HEADER: usize = 16;

/// Which sockets a question is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The one that it describes.
    One,
    /// All that it describes.
    All,
}

/// What the kernel says.
#[derive(Debug)]
pub enum Answer<'a> {
    /// Of a socket, in the words of its family.
    Socket(&'a [u8]),
    /// That it can't tell.
    Refused(io::Error),
    /// That there are no more.
    Done,
}

/// The line.
#[derive(Debug)]
pub struct Diag(OwnedFd);

impl Diag {
    /// Opens it.
    ///
    /// # Errors
    /// The kernel's: it may be built without this, or a sandbox may forbid it.
    pub fn open() -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let family = AddressFamily::Netlink;
        let protocol = SockProtocol::NetlinkSockDiag;
        let line = socket(family, SockType::Raw, flags, protocol)?;
        connect(line.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
        Ok(Self(line))
    }

    /// Asks. `number` comes back with every answer.
    ///
    /// # Errors
    /// The kernel's.
    pub fn ask(&self, number: u32, scope: Scope, question: &[u8]) -> io::Result<()> {
        let flags = match scope {
            Scope::One => REQUEST,
            Scope::All => REQUEST | DUMP,
        };
        let length = u32::try_from(HEADER + question.len()).map_err(io::Error::other)?;
        let mut packet = length.to_ne_bytes().to_vec();
        packet.extend(BY_FAMILY.to_ne_bytes());
        packet.extend(flags.to_ne_bytes());
        packet.extend(number.to_ne_bytes());
        packet.extend([0; 4]);
        packet.extend(question);
        send(self.0.as_raw_fd(), &packet, MsgFlags::MSG_NOSIGNAL)?;
        Ok(())
    }

    /// What has come, to be read by [`answers`]. The kernel answers within the call that asks, so
    /// nothing is waited for.
    ///
    /// # Errors
    /// The kernel's; `WouldBlock` if nothing has come.
    pub fn receive(&self, room: &mut [u8]) -> io::Result<usize> {
        Ok(recv(self.0.as_raw_fd(), room, MsgFlags::MSG_DONTWAIT)?)
    }
}

/// The answers in a packet, with the number of the question. Total: ends where it makes no sense.
pub fn answers(packet: &[u8]) -> impl Iterator<Item = (u32, Answer<'_>)> {
    let mut rest = packet;
    std::iter::from_fn(move || {
        let length = usize::try_from(word(rest, 0)?).ok()?;
        let body = rest.get(HEADER..length)?;
        let (kind, number) = (half(rest, 4)?, word(rest, 8)?);
        let answer = match kind {
            DONE => Answer::Done,
            ERROR => {
                let errno = word(body, 0)?.cast_signed().checked_neg()?;
                Answer::Refused(io::Error::from_raw_os_error(errno))
            }
            _ => Answer::Socket(body),
        };
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((number, answer))
    })
}

/// The value of an attribute (`struct rtattr`) among those that begin at `at`.
#[must_use]
pub fn attribute(body: &[u8], mut at: usize, wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(half(body, at)?).max(4);
        if half(body, at + 2)? == wanted {
            return body.get(at + 4..at + length);
        }
        at += length.next_multiple_of(4);
    }
}

/// Four bytes in the machine's order.
#[must_use]
pub fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::{Answer, answers, attribute};

    /// A message as the kernel writes it.
    fn message(kind: u16, number: u32, body: &[u8]) -> Vec<u8> {
        let length = 16 + body.len() as u32;
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0; 2]);
        bytes.extend(number.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend(body);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn several_answers_in_a_packet_are_told_apart() {
        let errno = nix::libc::ENOENT;
        let mut packet = message(20, 7, b"socket");
        packet.extend(message(2, 8, &(-errno).to_ne_bytes()));
        packet.extend(message(3, 9, &[0; 4]));
        let told: Vec<_> = answers(&packet).collect();
        assert!(matches!(told[0], (7, Answer::Socket(b"socket"))));
        assert!(matches!(&told[1], (8, Answer::Refused(why)) if why.raw_os_error() == Some(errno)));
        assert!(matches!(told[2], (9, Answer::Done)));
        assert_eq!(told.len(), 3);
    }

    #[test]
    fn any_packet_has_an_end() {
        for length in 0..200 {
            for fill in [0, 1, 2, 3, 20, 0x80, 0xff] {
                let mut packet = vec![fill; length];
                assert!(answers(&packet).count() <= length);
                let _ = attribute(&packet, 0, 4);
                if let Some(size) = packet.get_mut(..4) {
                    size.copy_from_slice(&(length as u32).to_ne_bytes());
                }
                assert!(answers(&packet).count() <= 1);
            }
        }
    }
}
