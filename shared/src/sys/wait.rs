//! Reaping children.

use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;

use crate::exit::Exit;

/// One child that has ended, any of them; `None` when there is none (more). It stays a zombie, and
/// its pid and process group its own, until it is taken with [`reap`]. As PID 1 these include
/// processes that others left behind.
#[must_use]
pub fn next_ended() -> Option<Pid> {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    loop {
        return match waitid(Id::All, flags) {
            Ok(status) => status.pid(),
            Err(Errno::EINTR) => continue,
            Err(_) => None,
        };
    }
}

/// Takes an ended child and tells how it ended; `None` if it is not an ended child of ours.
#[must_use]
pub fn reap(pid: Pid) -> Option<Exit> {
    loop {
        return match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, code)) => Some(Exit::Code(code)),
            Ok(WaitStatus::Signaled(_, signal, _)) => Some(Exit::Signal(signal as i32)),
            Err(Errno::EINTR) => continue,
            Ok(_) | Err(_) => None,
        };
    }
}
