//! A number of workers that follows the load, or the processors that the process may use.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::{Brigade, Event, Launch, Load, Need, full, lacks, say};

fn scaled(brigade: &Brigade, because: &str, to: i64) -> Event {
    let wanted = |event: &Event| event.text("because") == because && event.is("to", to);
    brigade.wait_for("fleet.scaled", wanted)
}

#[test]
fn the_fleet_grows_under_load_and_shrinks_when_it_is_idle() {
    let brigade = Brigade::start(&["serve", "--workers", "1..3"]);
    assert_eq!(brigade.workers().len(), 1, "it starts with the least");
    let loads = [
        Load::connections(&brigade, 4).full_speed(),
        Load::keep_alive(&brigade, 12).full_speed(),
    ];
    let loads = loads.map(Load::start);
    let begin = Instant::now();
    let grown = scaled(&brigade, "load", 2);
    say(&format!("grew after {:?}", grown.at - begin));
    brigade.until("the second worker serves", || brigade.workers().len() >= 2);
    loads.iter().for_each(|load| load.flow(200));
    for load in loads {
        load.stop().assert_lost_none();
    }
    // Slowly down again: not before half a minute of idleness.
    let most = brigade.workers().len();
    let begin = Instant::now();
    let steps = if full() { most - 1 } else { 1 };
    for _ in 0..steps * 2 {
        brigade.watch_for(Duration::from_secs(20));
        let shrunk = brigade.events("fleet.scaled").into_iter();
        let shrunk = shrunk.filter(|event| event.number("to") < event.number("from"));
        if shrunk.count() >= steps {
            break;
        }
    }
    brigade.until("somebody has left", || {
        brigade.workers().len() <= most - steps
    });
    assert!(
        begin.elapsed() > Duration::from_secs(15),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(brigade.get("/").status, 200);
    brigade.stop_and_check();
}

/// A group of the first version of cgroups with a processor quota; gone when dropped.
struct Quota(PathBuf);

impl Quota {
    fn new() -> Option<Self> {
        let root = Path::new("/sys/fs/cgroup/cpu");
        if !root.join("cpu.cfs_quota_us").exists() && !root.join("cgroup.procs").exists() {
            return None;
        }
        let group = root.join(format!("brigade-tests-{}", std::process::id()));
        fs::create_dir_all(&group).unwrap();
        let quota = Self(group);
        quota.set(1);
        Some(quota)
    }

    fn set(&self, processors: u32) {
        fs::write(self.0.join("cpu.cfs_period_us"), "100000").unwrap();
        let quota = format!("{}", processors * 100_000);
        fs::write(self.0.join("cpu.cfs_quota_us"), quota).unwrap();
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // It stays busy for a moment after the last process has left.
        let begin = Instant::now();
        while fs::remove_dir(&self.0).is_err() && begin.elapsed() < Duration::from_secs(5) {}
    }
}

#[test]
fn an_automatic_number_of_workers_follows_the_processor_quota() {
    if lacks(Need::Root) || lacks(Need::Quota) {
        return;
    }
    let quota = Quota::new().unwrap();
    let join = format!("echo $$ > {}/cgroup.procs", quota.0.display());
    let brigade = Launch::new(&["serve", "--workers", "auto"])
        .after(&join)
        .ready();
    assert_eq!(brigade.workers().len(), 1);
    let load = Load::keep_alive(&brigade, 2)
        .think(Duration::from_millis(50))
        .start();
    quota.set(2);
    scaled(&brigade, "processors", 2);
    brigade.until("two serve", || brigade.workers().len() == 2);
    quota.set(1);
    scaled(&brigade, "processors", 1);
    brigade.until("one serves", || brigade.workers().len() == 1);
    load.stop().assert_lost_none();
    brigade.stop_and_check();
    drop(quota);
}
