//! Making a child that is a copy of this process.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::unistd::{ForkResult, Pid, fork};

use super::signal;

/// The exit code of a child whose code panicked, the one that Rust's own runtime uses.
const PANICKED: i32 = 101;

/// Forks; the child runs `main` with every signal blocked and exits with the code it returns. It
/// leaves by `_exit`: no destructor, no exit handler and no stack frame of the parent runs again.
///
/// # Errors
/// The kernel's (`EAGAIN`: too many processes, `ENOMEM`), or `Unsupported` if this process has a
/// second thread: that thread may hold a lock (of the allocator, of a log) that would stay locked
/// in the child for ever.
pub fn fork_child(main: impl FnOnce() -> i32) -> io::Result<Pid> {
    if let Some(threads) = thread_count()
        && threads != 1
    {
        let message = format!("refused to fork with {threads} threads in the process");
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    let mask = signal::block_all()?;
    // SAFETY: the process has exactly one thread (counted above, and only this thread could have
    // started another since), so the child's copy of memory is consistent and any code may run.
    match unsafe { fork() } {
        Ok(ForkResult::Parent { child }) => {
            signal::restore(&mask)?;
            Ok(child)
        }
        Ok(ForkResult::Child) => {
            let code = catch_unwind(AssertUnwindSafe(main)).unwrap_or(PANICKED);
            let _ = io::stdout().flush();
            // SAFETY: _exit has no preconditions.
            unsafe { libc::_exit(code) }
        }
        Err(error) => {
            signal::restore(&mask)?;
            Err(error.into())
        }
    }
}

/// How many threads this process has; `None` where /proc is not mounted.
#[must_use]
pub fn thread_count() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}
