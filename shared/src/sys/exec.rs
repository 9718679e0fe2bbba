//! Becoming another program.

use std::convert::Infallible;
use std::ffi::CString;
use std::io;

use nix::unistd::execvpe;

use super::signal;

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
