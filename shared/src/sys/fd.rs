//! File descriptors: adopt what was inherited, pass on what is meant, close the rest.

use std::io;
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};

/// Whether a descriptor came with this process: it is open and not close-on-exec, which everything
/// is that the process has opened itself. So a wrong number can't name what somebody here owns.
#[must_use]
pub fn is_inherited(number: RawFd) -> bool {
    // SAFETY: F_GETFD touches no memory; it only tells the flags of an open descriptor.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    flags >= 0 && flags & libc::FD_CLOEXEC == 0
}

/// Takes ownership of a descriptor that this process was started with, and marks it
/// close-on-exec. To be called at most once per number, before anything else may own it.
///
/// # Errors
/// `EBADF` if no such descriptor is open.
pub fn adopt(number: RawFd) -> io::Result<OwnedFd> {
    if number < 3 {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // SAFETY: F_GETFD touches no memory; it only tells whether the number is open.
    if unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: open as just seen, above stdio, and the caller promises that nothing else in this
    // process owns it: it came with the process.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    set_close_on_exec(&fd)?;
    Ok(fd)
}

/// A copy, close-on-exec, of a descriptor that this process was started with.
///
/// # Errors
/// `EBADF` if no such descriptor is open.
pub fn duplicate(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_DUPFD_CLOEXEC touches no memory and changes no existing descriptor.
    let copy = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Marks a descriptor close-on-exec.
///
/// # Errors
/// The kernel's.
pub fn set_close_on_exec(fd: &OwnedFd) -> io::Result<()> {
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok(())
}

/// Lets a descriptor of this number survive an exec, or not. For those that are handed over: just
/// before the exec, and again if it has failed.
///
/// # Errors
/// `EBADF` if no such descriptor is open.
pub fn set_inheritable(number: RawFd, survives: bool) -> io::Result<()> {
    let flags = if survives { 0 } else { libc::FD_CLOEXEC };
    // SAFETY: F_SETFD touches no memory and changes neither number nor owner.
    if unsafe { libc::fcntl(number, libc::F_SETFD, flags) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Makes reads, writes and accepts on a descriptor return instead of waiting.
///
/// # Errors
/// The kernel's.
pub fn set_nonblocking(fd: impl AsFd) -> io::Result<()> {
    let flags = OFlag::from_bits_truncate(fcntl(&fd, FcntlArg::F_GETFL)?);
    fcntl(&fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

/// For a fresh child that will never return to its parent's code: closes every descriptor above
/// standard error but those in `keep`. A listening socket left open by mistake would keep
/// connections that nobody accepts.
///
/// # Errors
/// The kernel's, before Linux 5.9.
pub fn close_all_but(keep: &mut [RawFd]) -> io::Result<()> {
    keep.sort_unstable();
    let mut next: u32 = 3;
    for &kept in keep.iter() {
        let kept = u32::try_from(kept).map_err(|_| Errno::EBADF)?;
        if kept > next {
            close_range(next, kept - 1)?;
        }
        next = next.max(kept + 1);
    }
    close_range(next, u32::MAX)
}

fn close_range(first: u32, last: u32) -> io::Result<()> {
    // SAFETY: touches no memory. Owners of the closed numbers live in frames and objects of the
    // parent that this child never returns to and never drops (see `fork_child`).
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// For a child about to run another program: places `fds` at 3, 4, ... without close-on-exec and
/// closes everything above.
///
/// # Errors
/// The kernel's.
pub fn place_from_three(fds: &[RawFd]) -> io::Result<()> {
    // First out of the way, so that no target is a source that is still needed.
    let above = 3 + i32::try_from(fds.len()).map_err(|_| Errno::EMFILE)?;
    let mut moved = Vec::with_capacity(fds.len());
    for &fd in fds {
        // SAFETY: F_DUPFD touches no memory and changes no existing descriptor.
        let copy = unsafe { libc::fcntl(fd, libc::F_DUPFD, above) };
        if copy < 0 {
            return Err(io::Error::last_os_error());
        }
        moved.push(copy);
    }
    for (target, source) in (3..).zip(moved) {
        replace(source, target)?;
    }
    close_range(u32::try_from(above).map_err(|_| Errno::EBADF)?, u32::MAX)
}

/// For a fresh child: makes `target` a copy of `source`, closing what `target` was.
///
/// # Errors
/// The kernel's.
pub fn replace(source: RawFd, target: RawFd) -> io::Result<()> {
    // SAFETY: touches no memory. Only stdio and descriptors of parent frames that this child
    // never returns to are replaced.
    if unsafe { libc::dup2(source, target) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
