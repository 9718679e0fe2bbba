//! The memory that a control group allows: found, told, and shared among the workers.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::{Event, Launch, Load, Need, lacks};

const GROUP: u64 = 400 << 20;

/// A group of the first version of cgroups that allows 400 MiB; gone when dropped.
struct Group(PathBuf);

impl Group {
    fn new(name: &str) -> Self {
        let root = Path::new("/sys/fs/cgroup/memory");
        let group = root.join(format!("brigade-tests-{name}-{}", std::process::id()));
        fs::create_dir_all(&group).unwrap();
        fs::write(group.join("memory.limit_in_bytes"), GROUP.to_string()).unwrap();
        Self(group)
    }

    /// A start of a Brigade in it.
    fn launch(&self, arguments: &[&str]) -> Launch {
        let join = format!("echo $$ > {}/cgroup.procs", self.0.display());
        Launch::new(arguments).after(&join)
    }

    fn file(&self) -> String {
        let file = self.0.join("memory.limit_in_bytes");
        file.display().to_string()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // It stays busy for a moment after the last process has left.
        let begin = Instant::now();
        while fs::remove_dir(&self.0).is_err() && begin.elapsed() < Duration::from_secs(5) {}
    }
}

#[test]
fn a_worker_is_replaced_when_it_uses_more_than_its_part_of_the_groups_memory() {
    if lacks(Need::Root) || lacks(Need::MemoryGroup) {
        return;
    }
    let group = Group::new("part");
    // 120 MiB each.
    let part = ["serve", "--workers", "2", "--limit-worker-memory", "30%"];
    let brigade = group.launch(&part).ready();
    let starting = brigade.wait_for("supervisor.starting", |_| true);
    assert_eq!(starting.number("memory"), i64::try_from(GROUP).ok());
    assert!(
        starting.text("message").contains(&group.file()),
        "{}",
        starting.value
    );
    assert!(
        brigade.events("supervisor.overcommitted").is_empty(),
        "it all fits"
    );
    // On a slow machine it is busy for long with growing.
    brigade.expect("worker.blocked");
    let load = Load::keep_alive(&brigade, 4)
        .think(Duration::from_millis(50))
        .start();
    let mut connection = brigade.connect();
    let grown = connection.get("/").unwrap().number("pid").unwrap();
    assert_eq!(connection.get("/grow?mib=150").unwrap().status, 200);
    drop(connection);
    let because = |event: &Event| event.is("pid", grown) && event.text("because") == "memory";
    brigade.wait_for("worker.recycling", because);
    brigade.wait_for("worker.left", |event| event.is("pid", grown));
    load.stop().assert_lost_none();
    brigade.stop_and_check();
}

#[test]
fn workers_that_may_use_more_than_the_group_are_warned_of_before_the_kernel_kills() {
    if lacks(Need::Root) || lacks(Need::MemoryGroup) {
        return;
    }
    let group = Group::new("much");
    let much = ["--workers", "3", "--limit-worker-memory", "200MiB"];
    let brigade = group.launch(&[&["serve"], &much[..]].concat()).ready();
    let warned = brigade.wait_for("supervisor.overcommitted", |_| true);
    assert_eq!(warned.number("limit"), i64::try_from(GROUP).ok());
    let words = ["3 workers", "200 MiB", "600 MiB", "400 MiB", "at most 33%"];
    for word in words {
        assert!(warned.text("message").contains(word), "{}", warned.value);
    }
    brigade.stop_and_check();
    // `check` tells the same without starting anything.
    let output = group.launch(&[&["check"], &much[..]].concat()).run();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for word in words.iter().chain(&[group.file().as_str()]) {
        assert!(said.contains(word), "{word:?} in {said}");
    }
}
