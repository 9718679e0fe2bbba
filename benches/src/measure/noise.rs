//! How much others used the machine while we measured.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike as _};
use nix::unistd::Pid;

use super::clock::{CpuTime, ticks};
use crate::outcome::Outcome;

/// CPU time of all CPUs at a moment.
pub(crate) struct Noise {
    at: Instant,
    busy: Duration,
    ours: Duration,
}

impl Noise {
    /// Now, with these servers and this process counted as ours.
    pub(crate) fn now(roots: &[Pid]) -> Outcome<Self> {
        let servers = roots.iter().map(|&root| CpuTime::of_family(root));
        let servers: CpuTime = servers.sum::<Outcome<_>>()?;
        let ours = servers.total + CpuTime::of(Pid::this())?.total + ended()?;
        Ok(Self {
            at: Instant::now(),
            busy: busy()?,
            ours,
        })
    }

    /// The CPUs that were kept busy since by anybody else (the host included, as far as it says
    /// so): 0.01 is one percent of one CPU.
    pub(crate) fn others_until(&self, later: &Self) -> f64 {
        let busy = later.busy.saturating_sub(self.busy);
        let ours = later.ours.saturating_sub(self.ours);
        let wall = later.at.saturating_duration_since(self.at).as_secs_f64();
        busy.saturating_sub(ours).as_secs_f64() / wall.max(1e-9)
    }
}

/// What our ended children have used: tools that made the load.
fn ended() -> Outcome<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let time =
        |of: TimeVal| Duration::from_micros(u64::try_from(of.num_microseconds()).unwrap_or(0));
    Ok(time(usage.user_time()) + time(usage.system_time()))
}

/// User, nice, system, interrupts and stolen time since boot.
fn busy() -> Outcome<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let fields: Vec<u64> = stat
        .split_ascii_whitespace()
        .skip(1)
        .take(8)
        .map_while(|word| word.parse().ok())
        .collect();
    let [user, nice, system, _idle, _iowait, irq, softirq, steal] = fields[..] else {
        return Err("/proc/stat: eight numbers expected in its first line".into());
    };
    ticks(user + nice + system + irq + softirq + steal)
}
