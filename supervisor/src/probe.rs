//! Is a program ready that does not say so? It is when it waits for connections on a socket that
//! it was given. That is seen from outside, in /proc, without sending it anything: a connection
//! of our own would be accepted by the kernel whether or not the program ever comes to it, and
//! would stand in the program's logs.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use brigade_shared::sys::epoll::watched_inodes;
use nix::sys::stat::fstat;
use nix::unistd::Pid;

/// System calls in which a program waits for connections without epoll (x86-64 and arm64 numbers
/// differ, see the functions below): `accept` names the descriptor, the others are believed.
#[cfg(target_arch = "x86_64")]
mod number {
    pub(super) const ACCEPT: [i64; 2] = [43, 288];
    pub(super) const WAIT_FOR_MANY: [i64; 4] = [7, 23, 270, 271];
}
#[cfg(not(target_arch = "x86_64"))]
mod number {
    pub(super) const ACCEPT: [i64; 2] = [202, 242];
    pub(super) const WAIT_FOR_MANY: [i64; 2] = [72, 73];
}

/// What a look at a program showed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    /// It waits for connections.
    Waiting,
    /// It does something else.
    Busy,
    /// It lives, but may not be looked at: another user's, and this process lacks the capability.
    Hidden,
}

/// Whether the process, or one of its descendants, waits on one of these sockets.
pub(crate) fn look<'a>(pid: Pid, sockets: impl Iterator<Item = BorrowedFd<'a>>) -> Seen {
    let inodes: HashSet<u64> = sockets
        .filter_map(|fd| Some(fstat(fd.as_fd()).ok()?.st_ino))
        .collect();
    let waits = |process: Pid| {
        let folder = PathBuf::from(format!("/proc/{process}"));
        has_in_epoll(&folder, &inodes) || is_accepting(&folder, &inodes)
    };
    if family(pid).into_iter().any(waits) {
        return Seen::Waiting;
    }
    match fs::read_dir(format!("/proc/{pid}/fdinfo")) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Seen::Hidden,
        // Gone, if not readable for another reason: its end is told elsewhere.
        Ok(_) | Err(_) => Seen::Busy,
    }
}

/// A process and its children, down to grandchildren: a shell or a launcher may stand before the
/// program proper.
pub(crate) fn family(pid: Pid) -> Vec<Pid> {
    let mut found = vec![pid];
    let mut next = 0;
    while next < found.len() && found.len() < 64 {
        let folder = format!("/proc/{0}/task/{0}/children", found[next]);
        let children = fs::read_to_string(folder).unwrap_or_default();
        found.extend(
            children
                .split_ascii_whitespace()
                .filter_map(|pid| pid.parse().ok().map(Pid::from_raw)),
        );
        next += 1;
    }
    found
}

/// Whether an epoll instance of the process watches one of these.
fn has_in_epoll(folder: &Path, inodes: &HashSet<u64>) -> bool {
    let Ok(entries) = fs::read_dir(folder.join("fdinfo")) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        watched_inodes(&text).any(|inode| inodes.contains(&inode))
    })
}

/// Whether a thread sleeps in `accept` on such a socket, or in `poll` or `select` while the
/// process holds one.
fn is_accepting(folder: &Path, inodes: &HashSet<u64>) -> bool {
    let Ok(threads) = fs::read_dir(folder.join("task")) else {
        return false;
    };
    threads.flatten().any(|thread| {
        let call = fs::read_to_string(thread.path().join("syscall")).unwrap_or_default();
        let mut words = call.split_ascii_whitespace();
        let Some(number) = words.next().and_then(|word| word.parse::<i64>().ok()) else {
            return false;
        };
        if number::ACCEPT.contains(&number) {
            let first = words.next().unwrap_or_default().trim_start_matches("0x");
            let fd = u64::from_str_radix(first, 16).unwrap_or(u64::MAX);
            return is_one_of(&folder.join("fd").join(fd.to_string()), inodes);
        }
        number::WAIT_FOR_MANY.contains(&number) && holds_one(folder, inodes)
    })
}

fn holds_one(folder: &Path, inodes: &HashSet<u64>) -> bool {
    let Ok(entries) = fs::read_dir(folder.join("fd")) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| is_one_of(&entry.path(), inodes))
}

/// Whether a link in /proc/PID/fd reads `socket:[inode]` with one of these inodes.
fn is_one_of(link: &Path, inodes: &HashSet<u64>) -> bool {
    let target = fs::read_link(link).unwrap_or_default();
    let text = target.to_string_lossy();
    let inode = text
        .strip_prefix("socket:[")
        .and_then(|rest| rest.strip_suffix(']'));
    inode
        .and_then(|inode| inode.parse().ok())
        .is_some_and(|inode: u64| inodes.contains(&inode))
}

#[cfg(test)]
mod tests {
    use super::{Seen, look};
    use nix::unistd::Pid;
    use std::net::TcpListener;
    use std::os::fd::{AsFd, OwnedFd};
    use std::process::Command;
    use std::thread;

    #[test]
    fn a_thread_in_accept_is_seen_and_a_busy_holder_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let held = listener.try_clone().unwrap();
        let seen = |pid| look(pid, std::iter::once(held.as_fd())) == Seen::Waiting;
        // Another process: threads of other tests may wait in poll here.
        let mut busy = Command::new("sleep");
        let busy = busy
            .arg("1000")
            .stdin(OwnedFd::from(listener.try_clone().unwrap()));
        let mut busy = busy.spawn().unwrap();
        assert!(!seen(Pid::from_raw(busy.id() as i32)));
        busy.kill().unwrap();
        busy.wait().unwrap();
        let server = thread::spawn(move || listener.accept().is_ok());
        while !seen(Pid::this()) {
            thread::yield_now();
        }
        drop(std::net::TcpStream::connect(address).unwrap());
        assert!(server.join().unwrap());
    }
}
