//! Memory and wake-ups of one process.

use std::fs;

use nix::unistd::Pid;

use crate::outcome::Outcome;

/// Its share of physical memory in bytes: pages shared by n processes count 1/n.
pub(crate) fn pss(pid: Pid) -> Outcome<u64> {
    Ok(field(&format!("/proc/{pid}/smaps_rollup"), "Pss:")? * 1024)
}

/// Its resident set in bytes: every page counts whole, shared or not.
pub(crate) fn resident(pid: Pid) -> Outcome<u64> {
    Ok(field(&format!("/proc/{pid}/status"), "VmRSS:")? * 1024)
}

/// How often a process was scheduled.
#[derive(Clone, Copy)]
pub(crate) struct Wakeups {
    /// It had waited for something.
    pub(crate) voluntary: u64,
    /// It had been pushed aside by another.
    pub(crate) involuntary: u64,
}

/// Context switches of the process's main thread so far; Brigade's processes have no other
/// thread while they are idle.
pub(crate) fn wakeups(pid: Pid) -> Outcome<Wakeups> {
    let path = format!("/proc/{pid}/status");
    Ok(Wakeups {
        voluntary: field(&path, "voluntary_ctxt_switches:")?,
        involuntary: field(&path, "nonvoluntary_ctxt_switches:")?,
    })
}

fn field(path: &str, name: &str) -> Outcome<u64> {
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    let value = value.and_then(|rest| rest.split_ascii_whitespace().next()?.parse().ok());
    value.ok_or_else(|| format!("{path}: no {name} in it").into())
}
