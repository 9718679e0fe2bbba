//! How much memory this process and its siblings may use together, and who says so.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::cgroup::{self, Group, Version};

/// Where the machine tells how much memory it has.
const MACHINE: &str = "proc/meminfo";

/// The most memory that everything in this process's control group may use together. Beyond it
/// the kernel kills.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemoryLimit {
    /// In bytes.
    pub bytes: u64,
    /// The file that says so.
    pub file: PathBuf,
    /// Whether it is a group's limit; otherwise it is all that the machine has.
    pub is_of_group: bool,
}

impl MemoryLimit {
    /// Looks at the control groups, version 1 and 2, and at the machine. None if neither can be
    /// read.
    #[must_use]
    pub fn now() -> Option<Self> {
        limit(Path::new("/"))
    }

    /// So many of a hundred of it.
    #[must_use]
    pub fn part(&self, percent: u8) -> u64 {
        // First the division: a pebibyte times a hundred would still fit, nonsense would not.
        let (hundredth, rest) = (self.bytes / 100, self.bytes % 100);
        hundredth * u64::from(percent) + rest * u64::from(percent) / 100
    }
}

impl fmt::Display for MemoryLimit {
    /// `512.0 MiB, the limit in /sys/fs/cgroup/memory.max`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = if self.is_of_group {
            "the limit in"
        } else {
            "all that the machine has by"
        };
        let (size, file) = (in_words(self.bytes), self.file.display());
        write!(f, "{size}, {whose} {file}")
    }
}

/// An amount of memory as people say it: `512 MiB`, `1.5 GiB`.
#[must_use]
pub fn in_words(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1 << 40, "TiB"),
        (1 << 30, "GiB"),
        (1 << 20, "MiB"),
        (1 << 10, "KiB"),
    ];
    let Some((size, unit)) = UNITS.iter().find(|(size, _)| bytes >= *size) else {
        return format!("{bytes} bytes");
    };
    let tenths = u128::from(bytes) * 10 / u128::from(*size);
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} {unit}"),
        (whole, tenth) => format!("{whole}.{tenth} {unit}"),
    }
}

/// The tightest limit that applies to this process, in a tree of files below `root` (the real
/// root, or a fixture): its group, all groups above, and the machine.
#[must_use]
pub fn limit(root: &Path) -> Option<MemoryLimit> {
    let machine = machine(root);
    // Without a limit the first version says some number that is larger than any machine.
    let most = machine.as_ref().map_or(1 << 60, |machine| machine.bytes);
    let groups = cgroup::groups(root, "memory").into_iter();
    let found = groups
        .filter_map(|group| read(&group))
        .filter(|limit| limit.bytes < most);
    found.min_by_key(|limit| limit.bytes).or(machine)
}

fn read(group: &Group) -> Option<MemoryLimit> {
    let name = match group.version {
        Version::One => "memory.limit_in_bytes",
        Version::Two => "memory.max",
    };
    let file = group.folder.join(name);
    // `max` in the second version is no number, and no limit.
    let bytes = fs::read_to_string(&file).ok()?.trim().parse().ok()?;
    Some(MemoryLimit {
        bytes,
        file,
        is_of_group: true,
    })
}

/// `MemTotal:       16300000 kB`.
fn machine(root: &Path) -> Option<MemoryLimit> {
    let file = root.join(MACHINE);
    let text = fs::read_to_string(&file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes: u64 = line?.split_ascii_whitespace().next()?.parse().ok()?;
    Some(MemoryLimit {
        bytes: kilobytes.checked_mul(1024)?,
        file,
        is_of_group: false,
    })
}

#[cfg(test)]
mod tests {
    use super::{MemoryLimit, in_words, limit};
    use crate::sys::cgroup::fixture::write;
    use std::path::Path;

    fn group(root: &Path, file: &str) -> u64 {
        let found = limit(root).unwrap();
        assert!(found.is_of_group && found.file.ends_with(file), "{found:?}");
        found.bytes
    }

    #[test]
    fn version_two_takes_the_tightest_limit_up_the_tree() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        write(
            root,
            "proc/meminfo",
            "MemTotal:        8000000 kB\nMemFree: 1 kB\n",
        );
        write(root, "proc/self/cgroup", "0::/system.slice/shop.service\n");
        write(
            root,
            "proc/self/mountinfo",
            "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n",
        );
        let own = "sys/fs/cgroup/system.slice/shop.service/memory.max";
        write(root, own, "max\n");
        let machine = limit(root).unwrap();
        assert!(!machine.is_of_group, "{machine:?}");
        assert_eq!(machine.bytes, 8_000_000 << 10);
        write(root, own, "1073741824\n");
        assert_eq!(group(root, own), 1 << 30);
        let above = "sys/fs/cgroup/system.slice/memory.max";
        write(root, above, "536870912\n");
        assert_eq!(group(root, above), 512 << 20);
        write(root, above, "2147483648\n");
        assert_eq!(group(root, own), 1 << 30);
    }

    #[test]
    fn the_top_of_a_containers_own_hierarchy_counts() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        write(root, "proc/self/cgroup", "0::/\n");
        let mount = "30 23 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw,nsdelegate\n";
        write(root, "proc/self/mountinfo", mount);
        write(root, "sys/fs/cgroup/memory.max", "268435456\n");
        assert_eq!(group(root, "sys/fs/cgroup/memory.max"), 256 << 20);
    }

    #[test]
    fn version_one_is_read_and_its_word_for_no_limit_understood() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        write(root, "proc/meminfo", "MemTotal: 4000000 kB\n");
        write(
            root,
            "proc/self/cgroup",
            "4:memory:/docker/abc\n3:cpu,cpuacct:/shop\n0::/\n",
        );
        // As in a container: the host's path, and of the mount only its own group.
        let mount = "33 30 0:29 /docker/abc /cg/memory ro - cgroup cgroup rw,memory\n";
        write(root, "proc/self/mountinfo", mount);
        let file = "cg/memory/memory.limit_in_bytes";
        write(root, file, "9223372036854771712\n");
        assert!(!limit(root).unwrap().is_of_group);
        write(root, file, "134217728\n");
        assert_eq!(group(root, file), 128 << 20);
    }

    #[test]
    fn nonsense_in_the_files_is_no_limit() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        assert_eq!(limit(root), None, "no /proc at all");
        write(root, "proc/self/cgroup", "nonsense\n0::/../../etc\n");
        let mount = "x\n1 1 0:1 / /cg rw - cgroup2 none rw\n";
        write(root, "proc/self/mountinfo", mount);
        write(root, "cg/memory.max", "a lot\n");
        write(root, "proc/meminfo", "MemTotal: much kB\n");
        assert_eq!(limit(root), None);
        write(root, "cg/memory.max", "-1\n");
        assert_eq!(limit(root), None);
    }

    #[test]
    fn a_part_is_a_share_of_it_and_never_overflows() {
        let of = |bytes| MemoryLimit {
            bytes,
            file: "memory.max".into(),
            is_of_group: true,
        };
        assert_eq!(of(1000).part(25), 250);
        assert_eq!(of(1050).part(50), 525);
        assert_eq!(of(u64::MAX).part(100), u64::MAX);
        let shown = of(512 << 20).to_string();
        assert_eq!(shown, "512 MiB, the limit in memory.max");
    }

    #[test]
    fn amounts_are_told_as_people_say_them() {
        for (bytes, words) in [
            (512, "512 bytes"),
            (2048, "2 KiB"),
            (100 << 20, "100 MiB"),
            (3 << 29, "1.5 GiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(in_words(bytes), words);
        }
    }
}
