//! Which CPU serves and which one loads.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::outcome::Outcome;

/// The two CPUs of a measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpus {
    /// The servers' CPU.
    pub(crate) server: usize,
    /// The load's CPU.
    pub(crate) load: usize,
}

impl Cpus {
    /// The first two CPUs that this process may use.
    pub(crate) fn choose() -> Outcome<Self> {
        let usable = sched_getaffinity(Pid::from_raw(0))?;
        let mut usable = (0..CpuSet::count()).filter(|&cpu| usable.is_set(cpu).unwrap_or(false));
        match (usable.next(), usable.next()) {
            (Some(server), Some(load)) => Ok(Self { server, load }),
            _ => Err("server and load need a CPU each, and this process may use only one".into()),
        }
    }
}

/// Binds the calling thread, and the threads and processes that it starts from now on.
pub(crate) fn pin_to(cpus: &[usize]) -> Outcome<()> {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        set.set(cpu)?;
    }
    sched_setaffinity(Pid::from_raw(0), &set)?;
    Ok(())
}
