//! Becoming another program.

use std::convert::Infallible;
use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{execvpe, fexecve};

use super::{fork, signal};

/// Replaces this process, a child made by [`super::fork::fork_child`], by a program: default
/// signal actions, nothing blocked, exactly this environment. The program is looked up in the
/// `PATH` of this process.
///
/// # Errors
/// The kernel's: no such program, not executable. It does not return otherwise.
pub fn become_program(arguments: &[CString], environment: &[CString]) -> io::Result<Infallible> {
    let Some(program) = arguments.first() else {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    };
    signal::reset_all();
    signal::unblock_all()?;
    Err(execvpe(program, arguments, environment).unwrap_err().into())
}

/// Keeps the program at `path` open, whatever becomes of the path: what was looked at is what will
/// be executed. The permission to read it is not needed. Close-on-exec.
///
/// # Errors
/// The kernel's: no such file.
pub fn keep(path: &Path) -> io::Result<OwnedFd> {
    Ok(open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?)
}

/// The same for the program that this process runs, also if its file was replaced or removed.
///
/// # Errors
/// The kernel's: /proc is not mounted, or out of descriptors.
pub fn keep_own() -> io::Result<OwnedFd> {
    keep(Path::new("/proc/self/exe"))
}

/// Replaces this process by a program that was kept open. What is blocked stays blocked, and what
/// is pending stays pending; handlers give way to the default actions.
///
/// # Errors
/// The kernel's; nothing has changed then. `NotFound` also stands for a script, whose interpreter
/// could not read it (fexecve(3)).
pub fn become_kept(
    program: impl AsFd,
    arguments: &[CString],
    environment: &[CString],
) -> io::Result<Infallible> {
    Err(fexecve(program, arguments, environment).unwrap_err().into())
}

/// Takes these variables out of this process's environment, so that they reach no other code and
/// no child.
///
/// # Panics
/// If the process has a second thread, which could be reading the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "racy beside threads: this is where it is made sure that there are none"
)]
pub fn forget_variables(names: &[&str]) {
    let threads = fork::thread_count().unwrap_or(1);
    assert_eq!(threads, 1, "the environment is changed by a lone thread");
    for name in names {
        // SAFETY: this is the only thread (counted above, and no other could have been started
        // since but by this one), so nobody reads the environment meanwhile.
        unsafe { std::env::remove_var(name) };
    }
}

/// Takes a variable out of this process's environment, so that it reaches no other code and no
/// child.
///
/// # Panics
/// If the process has a second thread, which could be reading the environment.
#[must_use]
pub fn take_variable(name: &str) -> Option<OsString> {
    let value = std::env::var_os(name)?;
    forget_variables(&[name]);
    Some(value)
}
