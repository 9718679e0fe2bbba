//! The control groups that limit this process: where the files are that say how.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// A control group that limits this process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Group {
    /// Which files it has.
    pub(super) version: Version,
    /// Where they are.
    pub(super) folder: PathBuf,
}

/// Of the interface of control groups.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Version {
    One,
    Two,
}

/// The group of this process and all above it, in every hierarchy that may have this controller,
/// in a tree of files below `root` (the real root, or a fixture).
pub(super) fn groups(root: &Path, controller: &str) -> Vec<Group> {
    let text = |file| fs::read_to_string(root.join(file)).unwrap_or_default();
    let (groups, mounts) = (text("proc/self/cgroup"), text("proc/self/mountinfo"));
    let mut found = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else {
            continue;
        };
        let version = match controllers {
            "" => Version::Two,
            list if list.split(',').any(|name| name == controller) => Version::One,
            _ => continue,
        };
        let mounts = mounts.lines();
        for mount in mounts.filter_map(|line| mount_point(line, version, controller)) {
            let folders = upwards(root, &mount, group).into_iter();
            found.extend(folders.map(|folder| Group { version, folder }));
        }
    }
    found
}

/// Where a hierarchy is mounted: (root of the mount within the hierarchy, mount point).
fn mount_point(line: &str, version: Version, controller: &str) -> Option<(String, String)> {
    // proc_pid_mountinfo(5): id parent device root point options ... - type source super-options
    let (head, tail) = line.split_once(" - ")?;
    let head: Vec<&str> = head.split(' ').collect();
    let tail: Vec<&str> = tail.split(' ').collect();
    let is_wanted = match (version, *tail.first()?) {
        (Version::Two, "cgroup2") => true,
        (Version::One, "cgroup") => tail.get(2)?.split(',').any(|option| option == controller),
        _ => false,
    };
    is_wanted.then(|| Some(((*head.get(3)?).to_owned(), (*head.get(4)?).to_owned())))?
}

/// The folders of a group and of all groups above it, as far as the mount shows them.
fn upwards(root: &Path, (mount_root, point): &(String, String), group: &str) -> Vec<PathBuf> {
    let top = root.join(point.trim_start_matches('/'));
    // In a container the group's path may be the host's; what is mounted is then its own top.
    let below = group
        .strip_prefix(mount_root.trim_end_matches('/'))
        .unwrap_or("");
    let below = Path::new(below.trim_start_matches('/'));
    let is_clean = below
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let below = if is_clean { below } else { Path::new("") };
    below.ancestors().map(|part| top.join(part)).collect()
}

/// A tree of files that stands for the root of a machine.
#[cfg(test)]
pub(super) mod fixture {
    use std::fs;
    use std::path::Path;

    pub(in crate::sys) fn write(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}
