//! What a process sets for itself: its bond to the parent, limits, name, processors.

use std::io;
use std::time::Duration;

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getppid};
use serde::{Deserialize, Serialize};

/// Asks the kernel to send `signal` to this process when its parent dies. To be called after any
/// change of user: that clears it.
///
/// # Errors
/// `NotFound` if the parent, `parent`, has died before: then no signal will ever come.
pub fn follow_parent(parent: Pid, signal: Signal) -> io::Result<()> {
    prctl::set_pdeathsig(signal)?;
    // Asked after the request stands: a parent that died in between is seen here.
    if getppid() == parent {
        Ok(())
    } else {
        Err(io::Error::from(io::ErrorKind::NotFound))
    }
}

/// Whether there is no such process any more, or only what nobody has waited for yet.
#[must_use]
pub fn has_ended(pid: u32) -> bool {
    let Ok(process) = i32::try_from(pid).map(Pid::from_raw) else {
        return true;
    };
    if kill(process, None) == Err(Errno::ESRCH) {
        return true;
    }
    // The name before the state may have any bytes in it.
    let text = std::fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    let name_ends = text.windows(2).rposition(|two| two == b") ");
    name_ends.is_some_and(|place| matches!(text.get(place + 2), Some(b'Z' | b'X')))
}

/// Whether a process has a handler for this signal (`SigCgt`, proc_pid_status(5)).
#[must_use]
pub fn handles(process: Pid, signal: Signal) -> bool {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = caught.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal as u32 - 1) & 1 == 1)
}

/// The processor time of a process's main thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// For how long in all it ran.
    pub ran: Duration,
    /// For how long in all it was ready to run and waited for a processor; a wait that lasts does
    /// not count yet.
    pub waited: Duration,
    /// Whether it runs or is ready to.
    pub is_ready: bool,
}

/// What a process's main thread got of the processors, if the kernel counts that
/// (`/proc/PID/schedstat`, proc_pid_stat(5)).
#[must_use]
pub fn share(process: Pid) -> Option<Share> {
    let of = |file| std::fs::read_to_string(format!("/proc/{process}/{file}")).ok();
    let counted = of("schedstat")?;
    let mut counted = counted.split_ascii_whitespace();
    let mut time = || Some(Duration::from_nanos(counted.next()?.parse().ok()?));
    let (ran, waited) = (time()?, time()?);
    // The name, in parentheses, may hold anything.
    let stat = of("stat")?;
    let state = stat.rsplit(')').next()?.trim_start();
    Some(Share {
        ran,
        waited,
        is_ready: state.starts_with('R'),
    })
}

/// The limit of open files that this process was started with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenFiles {
    soft: u64,
    hard: u64,
}

impl OpenFiles {
    /// Allows as many open files as the hard limit says, and remembers what was before.
    ///
    /// # Errors
    /// The kernel's.
    pub fn raise() -> io::Result<Self> {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
        Ok(Self { soft, hard })
    }

    /// So many a process may have open that the limit was raised for.
    #[must_use]
    pub fn most(self) -> u64 {
        self.hard
    }

    /// Sets the limit to what it was, for a child about to run another program.
    ///
    /// # Errors
    /// The kernel's.
    pub fn restore(self) -> io::Result<()> {
        Ok(setrlimit(Resource::RLIMIT_NOFILE, self.soft, self.hard)?)
    }
}

/// Names this process's thread (`comm`, 15 bytes), as `top` and `pgrep` show it.
pub fn set_name(name: &str) {
    let short: Vec<u8> = name.bytes().filter(|byte| *byte != 0).take(15).collect();
    if let Ok(name) = std::ffi::CString::new(short) {
        let _ = prctl::set_name(&name);
    }
}

/// Lets this process run on one processor only.
///
/// # Errors
/// The kernel's, if it may not run there.
pub fn pin(cpu: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    sched_setaffinity(Pid::this(), &set)?;
    Ok(())
}

/// Has the calling thread give way to others: its nice value becomes `nice`, 0 to 19. The kernel
/// refuses only what is lower than it is.
///
/// # Errors
/// The kernel's.
pub fn give_way(nice: i32) -> io::Result<()> {
    // SAFETY: no pointers; on Linux 0 names the calling thread, not the whole process
    // (setpriority(2), "C library/kernel differences").
    let outcome = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) };
    Errno::result(outcome)?;
    Ok(())
}
