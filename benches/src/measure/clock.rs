//! CPU time of a process and all its descendants.

use std::fs;
use std::time::Duration;

use nix::time::ClockId;
use nix::unistd::{Pid, SysconfVar, sysconf};

use super::tree::family;
use crate::outcome::Outcome;

/// CPU time that a process and its living descendants have used so far.
#[derive(Clone, Copy, Default)]
pub(crate) struct CpuTime {
    /// All of it, exact: the processes' CPU clocks, in nanoseconds.
    pub(crate) total: Duration,
    /// The part in user space, in ticks of 10 ms that the kernel splits by sampling.
    pub(crate) user: Duration,
}

impl CpuTime {
    /// Of the process `root` and its descendants. What descendants used that have been reaped is
    /// not in it: measure over a window in which none ends.
    pub(crate) fn of_family(root: Pid) -> Outcome<Self> {
        family(root)?.into_iter().map(Self::of).sum()
    }

    /// Of one process with all its threads.
    pub(crate) fn of(pid: Pid) -> Outcome<Self> {
        Ok(Self {
            total: ClockId::pid_cpu_clock_id(pid)?.now()?.into(),
            user: user_time(pid)?,
        })
    }

    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            total: self.total.saturating_sub(earlier.total),
            user: self.user.saturating_sub(earlier.user),
        }
    }
}

impl std::iter::Sum for CpuTime {
    fn sum<I: Iterator<Item = Self>>(times: I) -> Self {
        times.fold(Self::default(), |sum, time| Self {
            total: sum.total + time.total,
            user: sum.user + time.user,
        })
    }
}

/// `utime`, the 14th field of `/proc/PID/stat`; the second may contain blanks and brackets.
fn user_time(pid: Pid) -> Outcome<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    ticks(
        after_name
            .split_ascii_whitespace()
            .nth(11)
            .unwrap_or("")
            .parse()?,
    )
}

/// The unit of the older figures in /proc.
pub(super) fn ticks(count: u64) -> Outcome<Duration> {
    let per_second = sysconf(SysconfVar::CLK_TCK)?.unwrap_or(100).max(1);
    Ok(Duration::from_millis(
        count * 1_000 / u64::try_from(per_second)?,
    ))
}
