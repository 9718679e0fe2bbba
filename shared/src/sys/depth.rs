//! How many connections wait in a listening socket's queue.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::libc;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, connect, recv, send,
    socket,
};
use nix::sys::stat::fstat;

/// How many connections wait in a listening TCP socket's queue.
///
/// # Errors
/// The kernel's; `InvalidInput` if the socket is no TCP socket or does not listen.
pub fn tcp_waiting(listening: BorrowedFd<'_>) -> io::Result<u32> {
    /// From the kernel's `tcp_states.h`.
    const LISTEN: u8 = 10;
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).unwrap_or(0);
    // SAFETY: the kernel writes at most `length` bytes to the place, which has that size.
    let result = unsafe {
        libc::getsockopt(
            listening.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: all fields are numbers, for which the zeroes that the kernel left are valid, too.
    let info = unsafe { info.assume_init() };
    if info.tcpi_state != LISTEN {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // Of a listening socket this field tells the queue's length (tcp_get_info in the kernel).
    Ok(info.tcpi_unacked)
}

/// A line to the kernel that tells of Unix sockets (`unix_diag`, sock_diag(7)).
#[derive(Debug)]
pub struct UnixDiag(OwnedFd);

/// sock_diag(7), netlink(7): numbers that libc does not name.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const UDIAG_SHOW_RQLEN: u32 = 0x10;
const UNIX_DIAG_RQLEN: u16 = 4;
/// Header of a netlink message, fixed part of a `unix_diag` request and of its answer.
const HEADER: usize = 16;
const REQUEST: usize = HEADER + 24;
const ANSWER: usize = HEADER + 16;

impl UnixDiag {
    /// Opens the line.
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

    /// How many connections wait in a listening Unix socket's queue.
    ///
    /// # Errors
    /// The kernel's: `NotFound` if the socket belongs to another network namespace.
    pub fn waiting(&self, listening: BorrowedFd<'_>) -> io::Result<u32> {
        let inode = u32::try_from(fstat(listening)?.st_ino).map_err(io::Error::other)?;
        let line = self.0.as_raw_fd();
        send(line, &request(inode), MsgFlags::MSG_NOSIGNAL)?;
        // The kernel answers within the call that asks.
        let mut packet = [0; 1024];
        loop {
            let length = recv(line, &mut packet, MsgFlags::MSG_DONTWAIT)?;
            match answer(&packet[..length]) {
                // An answer to a question whose answer could not be read in its turn.
                Some((of, _)) if of != inode => {}
                Some((_, waiting)) => return waiting,
                None => return Err(io::Error::from(io::ErrorKind::InvalidData)),
            }
        }
    }
}

fn request(inode: u32) -> [u8; REQUEST] {
    let mut packet = [0; REQUEST];
    let mut put = |at: usize, bytes: &[u8]| packet[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &(REQUEST as u32).to_ne_bytes());
    put(4, &SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    put(6, &NLM_F_REQUEST.to_ne_bytes());
    // The number of the question: the inode, which an error does not tell otherwise.
    put(8, &inode.to_ne_bytes());
    put(HEADER, &[libc::AF_UNIX as u8]);
    put(HEADER + 4, &u32::MAX.to_ne_bytes());
    put(HEADER + 8, &inode.to_ne_bytes());
    put(HEADER + 12, &UDIAG_SHOW_RQLEN.to_ne_bytes());
    // No cookie: whichever socket has the inode.
    put(HEADER + 16, &[0xff; 8]);
    packet
}

/// Which socket an answer is about, and how many connections wait there; nothing if it is no
/// answer.
fn answer(packet: &[u8]) -> Option<(u32, io::Result<u32>)> {
    let inode = number(packet, 8)?;
    match short(packet, 4)? {
        SOCK_DIAG_BY_FAMILY => {}
        _ => {
            let errno = number(packet, HEADER)?.cast_signed().checked_neg()?;
            return Some((inode, Err(io::Error::from_raw_os_error(errno))));
        }
    }
    let mut at = ANSWER;
    loop {
        let length = usize::from(short(packet, at)?).max(4);
        if short(packet, at + 2)? == UNIX_DIAG_RQLEN {
            return Some((inode, Ok(number(packet, at + 4)?)));
        }
        at += length.next_multiple_of(4);
    }
}

fn number(packet: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*packet.get(at..)?.first_chunk()?))
}

fn short(packet: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*packet.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::{UnixDiag, answer, tcp_waiting};
    use crate::sys::accept::accept;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

    #[test]
    fn the_queue_of_a_tcp_socket_is_counted_and_taken_from() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        assert_eq!(tcp_waiting(listener.as_fd()).unwrap(), 0);
        let address = listener.local_addr().unwrap();
        let clients: Vec<_> = (0..3)
            .map(|_| TcpStream::connect(address).unwrap())
            .collect();
        assert_eq!(tcp_waiting(listener.as_fd()).unwrap(), 3);
        let taken = accept(listener.as_fd()).unwrap();
        assert_eq!(tcp_waiting(listener.as_fd()).unwrap(), 2);
        assert!(
            tcp_waiting(taken.as_fd()).is_err(),
            "a connection has no queue"
        );
        drop(clients);
        accept(listener.as_fd()).unwrap();
        accept(listener.as_fd()).unwrap();
        assert_eq!(tcp_waiting(listener.as_fd()).unwrap(), 0);
    }

    #[test]
    fn the_queue_of_a_unix_socket_is_counted() {
        let name = format!("brigade-test/depth/{}", std::process::id());
        let address = SocketAddr::from_abstract_name(name).unwrap();
        let listener = UnixListener::bind_addr(&address).unwrap();
        let diag = UnixDiag::open().unwrap();
        assert_eq!(diag.waiting(listener.as_fd()).unwrap(), 0);
        let clients: Vec<_> = (0..5)
            .map(|_| UnixStream::connect_addr(&address).unwrap())
            .collect();
        assert_eq!(diag.waiting(listener.as_fd()).unwrap(), 5);
        let taken = accept(listener.as_fd()).unwrap();
        assert_eq!(diag.waiting(listener.as_fd()).unwrap(), 4);
        let pipe = std::io::pipe().unwrap().0;
        assert!(
            diag.waiting(pipe.as_fd()).is_err(),
            "no Unix socket is an error"
        );
        assert_eq!(
            diag.waiting(listener.as_fd()).unwrap(),
            4,
            "the line still works"
        );
        drop((taken, clients));
    }

    #[test]
    fn any_packet_is_an_answer_or_none() {
        for length in 0..200 {
            for fill in [0, 1, 20, 0x80, 0xff] {
                let mut packet = vec![fill; length];
                let _ = answer(&packet);
                if let Some(kind) = packet.get_mut(4..6) {
                    kind.copy_from_slice(&20_u16.to_ne_bytes());
                }
                let _ = answer(&packet);
            }
        }
    }
}
