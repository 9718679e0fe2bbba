//! How many processors this process may use, and why.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

use super::cgroup::{self, Group, Version};

/// The processors that this process may use.
#[derive(Clone, PartialEq, Debug)]
pub struct Usable {
    /// The numbers of the processors in the affinity mask, ascending.
    pub cpus: Vec<usize>,
    /// The tightest quota of this process's control groups, if any has one.
    pub quota: Option<Quota>,
}

/// A limit on processor time.
#[derive(Clone, PartialEq, Debug)]
pub struct Quota {
    /// In processors: 1.5 means 150 % of one.
    pub cpus: f64,
    /// The file that says so.
    pub file: PathBuf,
}

impl Usable {
    /// Looks at the affinity mask and at the control groups, version 1 and 2.
    #[must_use]
    pub fn now() -> Self {
        let mask = sched_getaffinity(Pid::this()).unwrap_or_else(|_| CpuSet::new());
        let cpus: Vec<usize> = (0..CpuSet::count())
            .filter(|cpu| mask.is_set(*cpu).unwrap_or(false))
            .collect();
        Self {
            cpus: if cpus.is_empty() { vec![0] } else { cpus },
            quota: quota(Path::new("/")),
        }
    }

    /// How many single-threaded workers make use of them: never more than the mask has, and a
    /// quota is rounded up, since the rest of a processor would lie idle.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bounded by max and min"
    )]
    pub fn count(&self) -> usize {
        let quota = self
            .quota
            .as_ref()
            .map_or(usize::MAX, |quota| quota.cpus.ceil().max(1.0) as usize);
        self.cpus.len().min(quota).max(1)
    }
}

impl fmt::Display for Usable {
    /// `4 usable CPUs`, `4 usable CPUs, quota of 1.5 in /sys/fs/cgroup/cpu.max`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.cpus.len() == 1 { "" } else { "s" };
        write!(f, "{} usable CPU{plural}", self.cpus.len())?;
        match &self.quota {
            Some(quota) => write!(f, ", quota of {} in {}", quota.cpus, quota.file.display()),
            None => Ok(()),
        }
    }
}

/// The tightest quota that applies to this process, in a tree of files below `root` (the real
/// root, or a fixture): the group of the process and all groups above it count.
#[must_use]
pub fn quota(root: &Path) -> Option<Quota> {
    let found = groups(root).into_iter().filter_map(|group| read(&group));
    found.min_by(|one, other| one.cpus.total_cmp(&other.cpus))
}

/// The files that say so, there or not, for whoever wants to know when they change.
#[must_use]
pub fn quota_files(root: &Path) -> Vec<PathBuf> {
    let files = |group: Group| -> Vec<PathBuf> {
        let names: &[&str] = match group.version {
            Version::Two => &["cpu.max"],
            Version::One => &["cpu.cfs_quota_us", "cpu.cfs_period_us"],
        };
        names.iter().map(|name| group.folder.join(name)).collect()
    };
    groups(root).into_iter().flat_map(files).collect()
}

fn groups(root: &Path) -> Vec<Group> {
    cgroup::groups(root, "cpu")
}

fn read(group: &Group) -> Option<Quota> {
    match group.version {
        Version::One => read_v1(&group.folder),
        Version::Two => read_v2(&group.folder),
    }
}

/// `cpu.max`: `150000 100000`, or `max 100000`.
fn read_v2(folder: &Path) -> Option<Quota> {
    let file = folder.join("cpu.max");
    let text = fs::read_to_string(&file).ok()?;
    let mut words = text.split_ascii_whitespace();
    share(words.next()?, words.next()?, file)
}

/// `cpu.cfs_quota_us` (-1: none) and `cpu.cfs_period_us`.
fn read_v1(folder: &Path) -> Option<Quota> {
    let file = folder.join("cpu.cfs_quota_us");
    let quota = fs::read_to_string(&file).ok()?;
    let period = fs::read_to_string(folder.join("cpu.cfs_period_us")).ok()?;
    share(quota.trim(), period.trim(), file)
}

fn share(quota: &str, period: &str, file: PathBuf) -> Option<Quota> {
    let (quota, period) = (quota.parse::<f64>().ok()?, period.parse::<f64>().ok()?);
    (quota > 0.0 && period > 0.0).then(|| Quota {
        cpus: quota / period,
        file,
    })
}

#[cfg(test)]
mod tests {
    use super::{Usable, quota};
    use crate::sys::cgroup::fixture::write;
    use std::path::Path;

    fn count(cpus: usize, root: &Path) -> usize {
        Usable {
            cpus: (0..cpus).collect(),
            quota: quota(root),
        }
        .count()
    }

    #[test]
    fn version_two_takes_the_tightest_quota_up_the_tree() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        write(root, "proc/self/cgroup", "0::/system.slice/shop.service\n");
        write(
            root,
            "proc/self/mountinfo",
            "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n",
        );
        write(
            root,
            "sys/fs/cgroup/system.slice/shop.service/cpu.max",
            "max 100000\n",
        );
        assert_eq!(quota(root), None);
        write(
            root,
            "sys/fs/cgroup/system.slice/cpu.max",
            "150000 100000\n",
        );
        let found = quota(root).unwrap();
        assert!((found.cpus - 1.5).abs() < f64::EPSILON, "{found:?}");
        assert!(found.file.ends_with("system.slice/cpu.max"), "{found:?}");
        assert_eq!(count(8, root), 2, "a quota is rounded up");
        assert_eq!(count(1, root), 1, "and never above the affinity mask");
        write(root, "sys/fs/cgroup/system.slice/cpu.max", "20000 100000\n");
        assert_eq!(count(8, root), 1);
    }

    #[test]
    fn version_one_reads_quota_and_period_of_the_cpu_controller() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        write(
            root,
            "proc/self/cgroup",
            "4:memory:/m\n3:cpu,cpuacct:/shop\n0::/\n",
        );
        write(
            root,
            "proc/self/mountinfo",
            "33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n",
        );
        write(
            root,
            "sys/fs/cgroup/cpu,cpuacct/shop/cpu.cfs_quota_us",
            "-1\n",
        );
        write(
            root,
            "sys/fs/cgroup/cpu,cpuacct/shop/cpu.cfs_period_us",
            "100000\n",
        );
        assert_eq!(quota(root), None);
        write(
            root,
            "sys/fs/cgroup/cpu,cpuacct/shop/cpu.cfs_quota_us",
            "300000\n",
        );
        assert_eq!(count(8, root), 3);
    }

    #[test]
    fn nonsense_in_the_files_is_no_quota() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        assert_eq!(quota(root), None, "no /proc at all");
        write(root, "proc/self/cgroup", "nonsense\n0::/../../etc\n");
        write(
            root,
            "proc/self/mountinfo",
            "x\n1 1 0:1 / /cg rw - cgroup2 none rw\n",
        );
        write(root, "cg/cpu.max", "lots of\n");
        assert_eq!(quota(root), None);
    }
}
