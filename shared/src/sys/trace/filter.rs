//! Filters of system calls that end whoever tries to look into another process.

use std::sync::OnceLock;

use nix::sys::wait::{WaitStatus, waitpid};

use crate::sys::fork::fork_child;

/// Whether looking into other processes does not end this one. A filter may do so to whoever tries:
/// systemd's `SystemCallFilter=@system-service` does, unless `SystemCallErrorNumber=` is set. So where
/// there is a filter, a child tries first, once.
pub(super) fn lets_us_try() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| !is_filtered() || survives_trying())
}

/// Unknown counts as yes.
fn is_filtered() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mode = status
        .lines()
        .find_map(|line| line.strip_prefix("Seccomp:"));
    mode.map(str::trim) != Some("0")
}

fn survives_trying() -> bool {
    let Ok(child) = fork_child(|| {
        super::hold::knock();
        0
    }) else {
        return false;
    };
    waitpid(child, None) == Ok(WaitStatus::Exited(child, 0))
}

#[cfg(test)]
mod tests {
    use super::is_filtered;

    #[test]
    fn the_kernel_says_whether_there_is_a_filter() {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        assert_eq!(is_filtered(), !status.contains("Seccomp:\t0"));
    }
}
