//! Worn workers are replaced while they still serve, one slot after the other, and nobody notices.

use std::collections::BTreeSet;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::{Brigade, Crowd, Event, Launch, Load};

const BOTH: [&str; 4] = ["--bind", "127.0.0.1:0", "--bind", "unix:a.sock"];

fn start(options: &[&str]) -> Brigade {
    Launch::new(&[&["serve"], &BOTH[..], options].concat()).ready()
}

fn recycled(brigade: &Brigade) -> usize {
    let draining = brigade.events("worker.draining");
    let worn = draining
        .iter()
        .filter(|event| event.text("because") == "recycle");
    worn.count()
}

/// Each worn worker served until its replacement was ready, and never were more slots than
/// `at_most` under way.
fn assert_in_turn(brigade: &Brigade, because: &str, at_most: usize) {
    let mut under_way = BTreeSet::new();
    let mut most = 0;
    let mut ready = BTreeSet::new();
    for event in brigade.all_events() {
        let slot = event.number("slot");
        match event.name() {
            "worker.recycling" => {
                assert_eq!(event.text("because"), because, "{}", event.value);
                under_way.insert(slot);
                ready.remove(&slot);
            }
            "worker.ready" => _ = ready.insert(slot),
            "worker.draining" if event.text("because") == "recycle" => {
                assert!(ready.contains(&slot), "nobody was ready: {}", event.value);
                assert!(under_way.remove(&slot), "{}", event.value);
            }
            _ => {}
        }
        most = most.max(under_way.len());
        assert!(most <= at_most, "{most} slots at once: {}", event.value);
    }
    assert!(most > 0, "nobody was replaced");
}

#[test]
fn workers_are_replaced_after_so_many_requests_and_nothing_is_lost() {
    for mode in ["slots", "shared"] {
        let wear = ["--limit-max-requests", "500", "--balance", mode];
        let brigade = start(&[&["--workers", "4"], &wear[..]].concat());
        let name = if mode == "slots" {
            "recycling at every 500 requests, slots"
        } else {
            "recycling at every 500 requests, shared"
        };
        let crowd = Crowd::gather(name, &brigade);
        crowd.while_they_ask(2, 20, || {
            let enough = recycled(&brigade) + 5;
            brigade.until("some more have been replaced", || {
                recycled(&brigade) >= enough
            });
        });
        crowd.go_home(&[]);
        assert_in_turn(&brigade, "requests", 1);
        brigade.stop_and_check();
    }
}

#[test]
fn several_slots_at_a_time_are_replaced_if_they_may_be() {
    let wear = [
        "--limit-max-requests",
        "100",
        "--limit-max-requests-jitter",
        "0",
    ];
    let brigade = start(&[&["--workers", "4", "--recycle-at-most", "2"], &wear[..]].concat());
    let load = Load::connections(&brigade, 8).full_speed().start();
    brigade.until("many have been replaced", || recycled(&brigade) >= 12);
    load.stop().assert_lost_none();
    assert_in_turn(&brigade, "requests", 2);
    brigade.stop_and_check();
}

#[test]
fn workers_are_replaced_when_they_are_old() {
    let wear = ["--limit-worker-lifetime", "1s"];
    let brigade = start(&[&["--workers", "2"], &wear[..]].concat());
    let load = Load::keep_alive(&brigade, 4).start();
    brigade.until("some have been replaced", || recycled(&brigade) >= 6);
    load.stop().assert_lost_none();
    assert_in_turn(&brigade, "age", 1);
    brigade.stop_and_check();
}

#[test]
fn a_worker_that_grows_beyond_its_limit_is_replaced_and_its_siblings_are_not() {
    let wear = ["--limit-worker-memory", "128MiB"];
    let brigade = start(&[&["--workers", "2"], &wear[..]].concat());
    // On a slow machine it is busy for long with growing.
    brigade.expect("worker.blocked");
    let load = Load::keep_alive(&brigade, 4)
        .think(Duration::from_millis(50))
        .start();
    let mut connection = brigade.connect();
    let grown = connection.get("/").unwrap().number("pid").unwrap();
    assert_eq!(connection.get("/grow?mib=200").unwrap().status, 200);
    drop(connection);
    let left = |event: &Event| event.is("pid", grown);
    brigade.wait_for("worker.left", left);
    load.stop().assert_lost_none();
    assert_in_turn(&brigade, "memory", 1);
    assert_eq!(recycled(&brigade), 1);
    brigade.stop_and_check();
}

#[test]
fn chance_spreads_the_replacements() {
    let wear = [
        "--limit-max-requests",
        "300",
        "--limit-max-requests-jitter",
        "300",
    ];
    let brigade = start(&[&["--workers", "4", "--recycle-at-most", "4"], &wear[..]].concat());
    let load = Load::connections(&brigade, 8).full_speed().start();
    brigade.until("many have been replaced", || recycled(&brigade) >= 12);
    load.stop().assert_lost_none();
    let recycling = brigade.events("worker.recycling");
    let requests: Vec<_> = recycling
        .iter()
        .filter_map(|event| event.number("requests"))
        .collect();
    let (least, most) = (requests.iter().min(), requests.iter().max());
    assert!(least >= Some(&300), "{requests:?}");
    assert!(most > Some(&400), "not all at the same count: {requests:?}");
    let distinct: BTreeSet<_> = requests.iter().collect();
    assert!(distinct.len() > requests.len() / 2, "{requests:?}");
    brigade.stop_and_check();
}

#[test]
fn a_replacement_that_fails_leaves_the_worn_worker_serving() {
    let wear = [
        "--limit-max-requests",
        "50",
        "--limit-max-requests-jitter",
        "0",
    ];
    let brigade = start(&[&["--workers", "1"], &wear[..]].concat());
    for name in ["worker.crashed", "app.failed", "reload.rolled_back"] {
        brigade.expect(name);
    }
    let order = brigade.dir().join("brigade-demo.conf");
    std::fs::write(&order, "boot=fail").unwrap();
    let worn = brigade.worker(0);
    let crowd = Crowd::gather("a replacement fails", &brigade);
    brigade.wait_for("worker.crashed", |event| event.pid() != worn.process.0);
    brigade.wait_for("worker.crashed", |event| {
        event.pid() != worn.process.0 && !event.is("restart_in_ms", 0)
    });
    assert_eq!(brigade.worker(0), worn, "it serves on");
    std::fs::remove_file(&order).unwrap();
    brigade.wait_for("worker.left", |event| event.pid() == worn.process.0);
    crowd.go_home(&[]);
    brigade.stop_and_check();
}

#[test]
fn a_worker_that_is_told_to_leave_by_hand_is_replaced_first_and_nothing_is_lost() {
    let brigade = start(&["--workers", "2"]);
    let load = Load::connections(&brigade, 4).start();
    for _ in 0..5 {
        let mark = brigade.mark();
        let worker = brigade.worker(1);
        worker.process.signal(Signal::SIGTERM);
        let his = |event: &Event| event.pid() == worker.process.0;
        let told = brigade.wait_after(mark, "worker.recycling", his);
        assert_eq!(told.text("because"), "asked", "{}", told.value);
        brigade.wait_after(mark, "worker.left", his);
        load.flow(50);
    }
    load.stop().assert_lost_none();
    brigade.stop_and_check();
}
