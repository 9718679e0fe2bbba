//! How much memory a process uses.

use std::fs;

use nix::unistd::{Pid, SysconfVar, sysconf};

/// The memory of a process that is in use now, its share of what it has in common with others
/// counted in full (`statm`, proc_pid_statm(5)). Cheap. None if the process is gone.
#[must_use]
pub fn resident(process: Pid) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages.saturating_mul(page_bytes()))
}

/// The same, but of each page only the part that falls to this process among all that share it
/// (`smaps_rollup`, proc_pid_smaps(5)). The kernel walks all pages for it: milliseconds for a
/// gigabyte. None if the process is gone or may not be looked at.
#[must_use]
pub fn proportional(process: Pid) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kilobytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kilobytes.saturating_mul(1024))
}

fn page_bytes() -> u64 {
    let found = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    found
        .and_then(|bytes| u64::try_from(bytes).ok())
        .unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::{proportional, resident};
    use nix::unistd::Pid;

    /// The other tests of this process come and go meanwhile, so that nothing may be compared
    /// with what was there before: it has to be more than what this one has touched, and less
    /// than what it has reserved.
    #[test]
    fn what_is_touched_is_counted_what_is_reserved_is_not_and_nobody_has_no_memory() {
        const TOUCHED: usize = 32 << 20;
        const RESERVED: usize = 2 << 30;
        let reserved = std::hint::black_box(Vec::<u8>::with_capacity(RESERVED));
        let touched = std::hint::black_box(vec![1_u8; TOUCHED]);
        for counted in [resident(Pid::this()), proportional(Pid::this())] {
            let counted = usize::try_from(counted.unwrap()).unwrap();
            // The kernel adds up pages in batches per thread: a little may not be counted yet.
            assert!((TOUCHED / 8 * 7..RESERVED).contains(&counted), "{counted}");
        }
        drop((reserved, touched));
        let nobody = Pid::from_raw(i32::MAX);
        assert_eq!((resident(nobody), proportional(nobody)), (None, None));
    }
}
