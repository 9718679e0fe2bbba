//! Connections taken from a listening socket.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{SockFlag, accept4};

/// Takes the connection at the head of a listening socket's queue, close-on-exec and non-blocking.
///
/// # Errors
/// `WouldBlock` if none waits and the listening socket is non-blocking; otherwise the kernel's,
/// accept(2).
pub fn accept(listener: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let number = accept4(listener.as_raw_fd(), flags)?;
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Whether an error of [`accept`] concerns only the connection at the head of the queue, accept(2):
/// it is gone from there, and the next one may be fine.
#[must_use]
pub fn concerns_one_connection(error: &io::Error) -> bool {
    let number = error.raw_os_error().unwrap_or(0);
    matches!(
        Errno::from_raw(number),
        Errno::ECONNABORTED
            | Errno::EPERM
            | Errno::EPROTO
            | Errno::ENETDOWN
            | Errno::ENOPROTOOPT
            | Errno::EHOSTDOWN
            | Errno::ENONET
            | Errno::EHOSTUNREACH
            | Errno::EOPNOTSUPP
            | Errno::ENETUNREACH
            | Errno::ETIMEDOUT
            | Errno::EINTR
    )
}
