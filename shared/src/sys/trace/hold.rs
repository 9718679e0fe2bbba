//! Holding a process for a moment, to read what stands still meanwhile.
//!
//! ```text
//!   SEIZE, INTERRUPT --> stops in time --> read --> DETACH
//!          |                   |
//!       refused        does not (it waits in the kernel, or has no processor): the thread ends
//! ```
//!
//! A tracee that has not stopped cannot be detached, and would hang at its next signal if it were left
//! attached. So a thread of its own does the tracing: when it ends, the kernel lets go of whatever it
//! still held, and lets it go on as before: a stopped process stays stopped.

use std::io;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sched::sched_yield;
use nix::unistd::{Pid, gettid};

use super::registers::{ARE_KNOWN, Registers, STACK_POINTER};
use super::{filter, memory};

/// How long a process may take to stop. One that has a processor does so in microseconds.
const PATIENCE: Duration = Duration::from_millis(20);
/// The tracing thread's stack: it calls nothing deep.
const THREAD_STACK: usize = 64 << 10;

/// The C libraries do not agree on the sign.
#[cfg(target_env = "musl")]
type Request = libc::c_int;
#[cfg(not(target_env = "musl"))]
type Request = libc::c_uint;

/// What stood still for a moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Captured {
    /// The main thread's registers.
    pub registers: Registers,
    /// Its stack from the stack pointer on, as much as there was and was asked for.
    pub stack: Vec<u8>,
}

/// Why a process could not be looked into.
#[derive(Debug)]
pub enum Refusal {
    /// The kernel does not allow it.
    NotAllowed,
    /// A filter of system calls would end this process for it.
    Filtered,
    /// It has ended.
    Gone,
    /// It did not stop in time.
    NotInTime,
    /// Its registers are not known here.
    Unknown,
    /// Something else.
    Failed(io::Error),
}

/// Holds the main thread of `process`, copies registers and at most `most` bytes of stack, and lets go.
///
/// The process is left as it was: it runs or stays stopped, and keeps all its signals. A system call
/// in which it waits goes on, but those few that a stop makes fail with EINTR (signal(7)) do so.
///
/// # Errors
/// A [`Refusal`]; the process is untouched then, too.
pub fn capture(process: Pid, most: usize) -> Result<Captured, Refusal> {
    if !ARE_KNOWN {
        return Err(Refusal::Unknown);
    }
    if !filter::lets_us_try() {
        return Err(Refusal::Filtered);
    }
    // Made here: a thread that allocates gets a heap of its own.
    let mut stack = vec![0; most];
    let mut thread = None;
    let result = std::thread::scope(|scope| {
        let tracing = std::thread::Builder::new()
            .stack_size(THREAD_STACK)
            .spawn_scoped(scope, || {
                thread = Some(gettid());
                hold(process, &mut stack)
            })
            .map_err(Refusal::Failed)?;
        let panicked = |_| Refusal::Failed(io::Error::other("the tracing thread panicked"));
        tracing.join().map_err(panicked)?
    });
    if let Some(thread) = thread {
        await_end_of(thread);
    }
    let (registers, length) = result?;
    stack.truncate(length);
    stack.shrink_to_fit();
    Ok(Captured { registers, stack })
}

/// Waits until the kernel knows the thread no more. Joined, it may still be about to let go of what it
/// traced, and a fork counts it.
fn await_end_of(thread: Pid) {
    let path = format!("/proc/self/task/{thread}");
    let until = Instant::now() + PATIENCE;
    while std::fs::exists(&path).unwrap_or(false) && Instant::now() < until {
        let _ = sched_yield();
    }
}

/// Makes the calls that [`capture`] makes, with nobody to be found.
pub(super) fn knock() {
    let nobody = Pid::from_raw(i32::MAX);
    let _ = request(libc::PTRACE_SEIZE, nobody, 0);
    let _ = memory::read(nobody, 1 << 20, &mut [0]);
}

fn hold(process: Pid, stack: &mut [u8]) -> Result<(Registers, usize), Refusal> {
    request(libc::PTRACE_SEIZE, process, 0)?;
    request(libc::PTRACE_INTERRUPT, process, 0)?;
    let signal = await_stop(process)?;
    let read = Registers::of(process).map(|registers| {
        let from = registers.get(STACK_POINTER).unwrap_or(0);
        let length = memory::read(process, from, stack).unwrap_or(0);
        (registers, length)
    });
    request(libc::PTRACE_DETACH, process, signal)?;
    read.map_err(refusal)
}

/// Waits until the process stands. Returns the signal that it was about to receive, which it is to be
/// let go with: otherwise it would lose it.
fn await_stop(process: Pid) -> Result<libc::c_int, Refusal> {
    let until = Instant::now() + PATIENCE;
    let mut pause = Duration::ZERO;
    loop {
        match stop_of(process)? {
            Some(status) => {
                let is_delivery = status >> 8 == 0;
                return Ok(if is_delivery { status & 0x7f } else { 0 });
            }
            None if Instant::now() >= until => return Err(Refusal::NotInTime),
            None if pause.is_zero() => {
                let _ = sched_yield();
                pause = Duration::from_micros(20);
            }
            // There is nothing to poll: SIGCHLD may go to the other thread.
            None => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(1));
            }
        }
    }
}

/// The status of the process if it stands. It is looked at and left: its end is the business of who
/// reaps it.
fn stop_of(process: Pid) -> Result<Option<libc::c_int>, Refusal> {
    let id = libc::id_t::try_from(process.as_raw()).map_err(|_| Refusal::Gone)?;
    let flags = libc::WSTOPPED | libc::WEXITED | libc::WNOWAIT | libc::WNOHANG | libc::__WALL;
    let mut found = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: waitid writes at most one siginfo_t to the place it is given, which has that size.
    let result = unsafe { libc::waitid(libc::P_PID, id, found.as_mut_ptr(), flags) };
    if result < 0 {
        return match Errno::last() {
            Errno::EINTR => Ok(None),
            errno => Err(refusal(errno.into())),
        };
    }
    // SAFETY: a siginfo_t of zeroes is valid, and the kernel writes valid ones.
    let found = unsafe { found.assume_init() };
    // SAFETY: waitid(2) fills in si_pid for a child, and leaves the zero if there is none.
    let pid = unsafe { found.si_pid() };
    if pid == 0 {
        return Ok(None);
    }
    // SAFETY: as above; si_status stands beside si_pid.
    let status = unsafe { found.si_status() };
    match found.si_code {
        libc::CLD_TRAPPED | libc::CLD_STOPPED => Ok(Some(status)),
        _ => Err(Refusal::Gone),
    }
}

/// One of the requests that take no memory: their last argument is a number.
fn request(what: Request, process: Pid, data: libc::c_int) -> Result<(), Refusal> {
    // SAFETY: SEIZE, INTERRUPT and DETACH read and write no memory of this process. Who is traced is not
    // this process, which cannot trace itself, so its own memory is not affected either.
    let result = unsafe { libc::ptrace(what, process.as_raw(), 0_usize, libc::c_long::from(data)) };
    if result < 0 {
        return Err(refusal(io::Error::last_os_error()));
    }
    Ok(())
}

fn refusal(error: io::Error) -> Refusal {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EPERM | Errno::EACCES) => Refusal::NotAllowed,
        Some(Errno::ESRCH | Errno::ECHILD) => Refusal::Gone,
        _ if error.kind() == io::ErrorKind::Unsupported => Refusal::Unknown,
        _ => Refusal::Failed(error),
    }
}
