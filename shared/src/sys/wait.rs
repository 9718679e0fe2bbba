//! Reaping children.

use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;

use crate::exit::Exit;

/// Takes one ended child, any of them, without waiting; `None` when there is none (more). As
/// PID 1 or subreaper these include processes that others left behind.
#[must_use]
pub fn reap() -> Option<(Pid, Exit)> {
    loop {
        return match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) => Some((pid, Exit::Code(code))),
            Ok(WaitStatus::Signaled(pid, signal, _)) => Some((pid, Exit::Signal(signal as i32))),
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => None,
            // Not an end (a traced or continued child), or interrupted: look again.
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(_) => None,
        };
    }
}

/// Whether the process has ended but was not reaped yet, so that its pid can't be another's.
#[must_use]
pub fn has_ended(pid: Pid) -> bool {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    match waitid(Id::Pid(pid), flags) {
        Ok(status) => status != WaitStatus::StillAlive,
        Err(_) => true,
    }
}
