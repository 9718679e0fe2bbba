//! How many connections wait in a listening socket's queue.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::libc;
use nix::sys::stat::fstat;

use super::diag::{Answer, Diag, Scope, answers, attribute, word};

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

/// From linux/unix_diag.h: ask for, and the answer's attribute with, a queue's length; the size of
/// the answer before its attributes.
const SHOW_QUEUE: u32 = 0x10;
const QUEUE: u16 = 4;
const ANSWER: usize = 16;

/// A line to the kernel that tells of Unix sockets' queues.
#[derive(Debug)]
pub struct UnixDiag(Diag);

impl UnixDiag {
    /// Opens the line.
    ///
    /// # Errors
    /// The kernel's: it may be built without this, or a sandbox may forbid it.
    pub fn open() -> io::Result<Self> {
        Diag::open().map(Self)
    }

    /// How many connections wait in a listening Unix socket's queue.
    ///
    /// # Errors
    /// The kernel's: `NotFound` if the socket belongs to another network namespace.
    pub fn waiting(&self, listening: BorrowedFd<'_>) -> io::Result<u32> {
        let inode = u32::try_from(fstat(listening)?.st_ino).map_err(io::Error::other)?;
        // The number of the question is the inode, which an error does not tell otherwise.
        self.0.ask(inode, Scope::One, &question(inode))?;
        let mut packet = [0; 1024];
        loop {
            let length = self.0.receive(&mut packet)?;
            // Others answer a question whose answer could not be read in its turn.
            let mut own = answers(&packet[..length]).filter(|(number, _)| *number == inode);
            match own.next() {
                Some((_, answer)) => return queue(answer),
                None if answers(&packet[..length]).next().is_some() => {}
                None => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }
}

/// `struct unix_diag_req`.
fn question(inode: u32) -> [u8; 24] {
    let mut question = [0; 24];
    let mut put = |at: usize, bytes: &[u8]| question[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &[libc::AF_UNIX as u8]);
    put(4, &u32::MAX.to_ne_bytes());
    put(8, &inode.to_ne_bytes());
    put(12, &SHOW_QUEUE.to_ne_bytes());
    // No cookie: whichever socket has the inode.
    put(16, &[0xff; 8]);
    question
}

fn queue(answer: Answer<'_>) -> io::Result<u32> {
    match answer {
        Answer::Socket(body) => attribute(body, ANSWER, QUEUE)
            .and_then(|value| word(value, 0))
            .ok_or_else(|| io::ErrorKind::InvalidData.into()),
        Answer::Refused(why) => Err(why),
        Answer::Done => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{UnixDiag, tcp_waiting};
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
}
