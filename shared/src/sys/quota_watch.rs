//! Notices when somebody changes a processor quota of this process's control groups.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::cpu;

/// Watches the files that hold the quotas, its own group's and those of all groups above, without
/// reading them again and again (inotify(7)).
#[derive(Debug)]
pub struct QuotaWatch {
    inotify: Inotify,
}

impl QuotaWatch {
    /// Watches the files below `root` (the real root, or a fixture). A file that can't be watched
    /// is left out: most machines have none above the group.
    ///
    /// # Errors
    /// The kernel's, when it has no inotify instance left for this user; `NotFound` if there is
    /// no file to watch.
    pub fn begin(root: &Path) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        // Written: on cgroup files. Replaced by another file: nobody does that there.
        let flags = AddWatchFlags::IN_MODIFY;
        let files = cpu::quota_files(root);
        let watched = files
            .iter()
            .filter(|file| inotify.add_watch(file.as_path(), flags).is_ok());
        if watched.count() == 0 {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        Ok(Self { inotify })
    }

    /// Whether anything was written since the last call, also if it says the same as before.
    #[must_use]
    pub fn take(&self) -> bool {
        let mut has_changed = false;
        while self
            .inotify
            .read_events()
            .is_ok_and(|events| !events.is_empty())
        {
            has_changed = true;
        }
        has_changed
    }
}

impl AsFd for QuotaWatch {
    /// Readable when [`QuotaWatch::take`] has something.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::QuotaWatch;
    use crate::sys::cgroup::fixture::write;
    use crate::sys::cpu::{Usable, quota};
    use std::fs;
    use std::path::{Path, PathBuf};

    fn version_two(root: &Path) {
        write(root, "proc/self/cgroup", "0::/a/b\n");
        let mount = "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n";
        write(root, "proc/self/mountinfo", mount);
        write(root, "cg/a/b/cpu.max", "max 100000\n");
    }

    #[test]
    fn a_quota_of_the_group_or_of_one_above_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        version_two(root);
        write(root, "cg/a/cpu.max", "max 100000\n");
        let watch = QuotaWatch::begin(root).unwrap();
        assert!(!watch.take());
        write(root, "cg/a/b/cpu.max", "150000 100000\n");
        assert!(watch.take());
        assert!(!watch.take(), "told once");
        write(root, "cg/a/cpu.max", "100000 100000\n");
        assert!(watch.take());
        write(root, "cg/a/cpu.weight", "100\n");
        assert!(!watch.take(), "another file");
    }

    #[test]
    fn of_version_one_quota_and_period_are_noticed() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        write(root, "proc/self/cgroup", "3:cpu,cpuacct:/shop\n");
        let mount = "33 30 0:29 / /cg rw - cgroup cgroup rw,cpu,cpuacct\n";
        write(root, "proc/self/mountinfo", mount);
        write(root, "cg/shop/cpu.cfs_quota_us", "-1\n");
        write(root, "cg/shop/cpu.cfs_period_us", "100000\n");
        let watch = QuotaWatch::begin(root).unwrap();
        write(root, "cg/shop/cpu.cfs_quota_us", "200000\n");
        assert!(watch.take());
        write(root, "cg/shop/cpu.cfs_period_us", "50000\n");
        assert!(watch.take());
        let four = quota(root).unwrap();
        assert!((four.cpus - 4.0).abs() < f64::EPSILON, "{four:?}");
    }

    #[test]
    fn nothing_to_watch_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        assert!(QuotaWatch::begin(root.path()).is_err());
        version_two(root.path());
        assert!(QuotaWatch::begin(root.path()).is_ok());
    }

    /// A group of the kernel's own, made for this test; what it holds is nobody.
    struct Group(PathBuf);

    impl Group {
        fn make() -> Option<Self> {
            let line = fs::read_to_string("/proc/self/mountinfo").ok()?;
            let point = line.lines().find_map(|line| {
                let (head, tail) = line.split_once(" - ")?;
                let options = tail.split(' ').nth(2)?;
                let is_cpu = tail.starts_with("cgroup ") && options.split(',').any(|o| o == "cpu");
                is_cpu.then(|| head.split(' ').nth(4).map(PathBuf::from))?
            })?;
            let folder = point.join(format!("brigade-test-{}", std::process::id()));
            fs::create_dir(&folder).ok()?;
            let group = Self(folder);
            group.0.join("cpu.cfs_quota_us").exists().then_some(group)
        }
    }

    impl Drop for Group {
        fn drop(&mut self) {
            let _ = fs::remove_dir(&self.0);
        }
    }

    #[test]
    fn the_kernels_own_files_tell_of_a_change() {
        let Some(group) = Group::make() else {
            eprintln!("skipped: no cpu controller of version 1 that this user may use");
            return;
        };
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        // The real files, seen as the group of this process without moving it there.
        write(root, "proc/self/cgroup", "3:cpu:/group\n");
        let mount = "33 30 0:29 / /cg rw - cgroup cgroup rw,cpu\n";
        write(root, "proc/self/mountinfo", mount);
        fs::create_dir_all(root.join("cg")).unwrap();
        std::os::unix::fs::symlink(&group.0, root.join("cg/group")).unwrap();
        let watch = QuotaWatch::begin(root).unwrap();
        assert!(!watch.take());
        fs::write(group.0.join("cpu.cfs_quota_us"), "150000").unwrap();
        assert!(watch.take());
        let found = Usable {
            cpus: (0..8).collect(),
            quota: quota(root),
        };
        assert_eq!(found.count(), 2);
    }
}
