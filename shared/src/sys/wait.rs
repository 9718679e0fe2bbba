//! Reaping children.
//!
//! Not through nix's `WaitStatus`: it has no word for a real-time signal, and a child that one of
//! these ended would neither be understood nor ever make way for the next.

use nix::libc;
use nix::unistd::Pid;

use crate::exit::Exit;

/// One child that has ended, any of them; `None` when there is none (more). It stays a zombie, and
/// its pid and process group its own, until it is taken with [`reap`]. As PID 1 these include
/// processes that others left behind.
#[must_use]
pub fn next_ended() -> Option<Pid> {
    ended(libc::P_ALL, 0, libc::WNOWAIT).map(|(pid, _)| pid)
}

/// Takes an ended child and tells how it ended; `None` if it is not an ended child of ours.
#[must_use]
pub fn reap(pid: Pid) -> Option<Exit> {
    let id = libc::id_t::try_from(pid.as_raw()).ok()?;
    ended(libc::P_PID, id, 0).map(|(_, exit)| exit)
}

fn ended(kind: libc::idtype_t, id: libc::id_t, more: libc::c_int) -> Option<(Pid, Exit)> {
    let flags = libc::WEXITED | libc::WNOHANG | more;
    let mut found = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    loop {
        // SAFETY: waitid writes at most one siginfo_t to the place it is given, which has that size.
        let result = unsafe { libc::waitid(kind, id, found.as_mut_ptr(), flags) };
        if result == 0 {
            break;
        }
        if std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
            return None;
        }
    }
    // SAFETY: a siginfo_t of zeroes is valid, and the kernel writes valid ones.
    let found = unsafe { found.assume_init() };
    // SAFETY: waitid(2) fills in si_pid for a child, and leaves the zero if there is none.
    let pid = unsafe { found.si_pid() };
    // SAFETY: as above; si_status stands beside si_pid.
    let status = unsafe { found.si_status() };
    let exit = match found.si_code {
        libc::CLD_EXITED => Exit::Code(status),
        _ => Exit::Signal(status),
    };
    (pid > 0).then(|| (Pid::from_raw(pid), exit))
}
