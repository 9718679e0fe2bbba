//! Connections taken from a listening socket.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

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
