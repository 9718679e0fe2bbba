//! HUP: a new generation from a new configuration, or everything as it was.

use std::fs;

use nix::sys::signal::Signal;

use crate::support::{Address, Brigade, Launch, Load, Mark};

fn reloaded(brigade: &Brigade, mark: Mark, generation: i64) {
    brigade.wait_after(mark, "reload.done", |event| {
        event.is("generation", generation)
    });
    brigade.only(generation);
}

fn configure(brigade: &Brigade, text: &str) {
    fs::write(brigade.dir().join("brigade.toml"), text).unwrap();
}

#[test]
fn a_reload_replaces_every_worker_and_loses_nothing() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let before = (
        brigade.supervisor().descriptors(),
        brigade.worker(0).process.descriptors(),
    );
    let loads = [
        Load::keep_alive(&brigade, 4),
        Load::connections(&brigade, 4),
    ]
    .map(Load::start);
    for generation in 2..=6 {
        let mark = brigade.signal_heard(Signal::SIGHUP);
        brigade.wait_after(mark, "reload.started", |event| {
            event.is("generation", generation)
        });
        reloaded(&brigade, mark, generation);
        loads.iter().for_each(|load| load.flow(60));
    }
    for load in loads {
        let account = load.stop();
        account.assert_lost_none();
        let generations: Vec<_> = account.generations.iter().copied().collect();
        assert_eq!(generations, [1, 2, 3, 4, 5, 6]);
    }
    assert_eq!(brigade.get("/").number("generation"), Some(6));
    let now = || {
        (
            brigade.supervisor().descriptors(),
            brigade.worker(0).process.descriptors(),
        )
    };
    brigade.until("descriptors are as before", || now() == before);
    brigade.stop_and_check();
}

#[test]
fn the_new_worker_is_ready_before_the_old_one_drains() {
    let brigade = Brigade::start(&["serve", "--workers", "3"]);
    let mark = brigade.signal_heard(Signal::SIGHUP);
    reloaded(&brigade, mark, 2);
    for draining in brigade.events("worker.draining") {
        assert_eq!(draining.text("because"), "reload");
        let slot = draining.number("slot").unwrap();
        let successor = brigade.wait_for("worker.ready", |event| {
            event.is("slot", slot) && event.is("generation", 2)
        });
        assert!(
            successor.at <= draining.at,
            "slot {slot} was drained too early"
        );
    }
    brigade.stop_and_check();
}

#[test]
fn the_number_of_workers_follows_the_file() {
    let brigade = Launch::new(&["serve"])
        .file("brigade.toml", "workers = 1\n")
        .ready();
    let load = Load::keep_alive(&brigade, 4).start();
    for (generation, workers) in [(2, 4), (3, 2), (4, 3)] {
        configure(&brigade, &format!("workers = {workers}\n"));
        let mark = brigade.signal_heard(Signal::SIGHUP);
        reloaded(&brigade, mark, generation);
        brigade.wait_after(mark, "fleet.ready", |event| event.is("workers", workers));
        brigade.until("the fleet has its size", || {
            i64::try_from(brigade.workers().len()) == Ok(workers)
        });
        load.flow(50);
    }
    load.stop().assert_lost_none();
    brigade.stop_and_check();
}

#[test]
fn a_flag_outweighs_the_file_after_a_reload_too() {
    let launch = Launch::new(&["serve", "--workers", "2"]).file("brigade.toml", "workers = 1\n");
    let brigade = launch.ready();
    assert_eq!(brigade.workers().len(), 2);
    configure(&brigade, "workers = 3\n");
    let mark = brigade.signal_heard(Signal::SIGHUP);
    reloaded(&brigade, mark, 2);
    assert_eq!(brigade.workers().len(), 2);
    brigade.stop_and_check();
}

#[test]
fn a_broken_or_unreadable_file_changes_nothing() {
    let launch = Launch::new(&["serve", "--config", "brigade.toml"]);
    let brigade = launch.file("brigade.toml", "workers = 2\n").ready();
    let workers = brigade.workers();
    let load = Load::keep_alive(&brigade, 6).start();
    let path = brigade.dir().join("brigade.toml");
    let refused = |words: &str| {
        let mark = brigade.signal_heard(Signal::SIGHUP);
        let refused = brigade.wait_after(mark, "reload.refused", |_| true);
        assert!(
            refused.text("problems").contains(words),
            "{words:?} in {}",
            refused.value
        );
        load.flow(50);
    };
    configure(&brigade, "workers = 2\nbakclog = 3\n");
    refused("`backlog`");
    configure(&brigade, "workers = [\n");
    refused("brigade.toml");
    configure(&brigade, "workers = 0\n");
    refused("workers");
    // Root may read every file, but nobody can read a directory.
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    refused("brigade.toml");
    fs::remove_dir(&path).unwrap();
    refused("brigade.toml");
    load.stop().assert_lost_none();
    assert_eq!(brigade.workers(), workers, "the same workers as before");
    configure(&brigade, "workers = 2\n");
    let mark = brigade.signal_heard(Signal::SIGHUP);
    reloaded(&brigade, mark, 2);
    brigade.expects("reload.refused").stop_and_check();
}

#[test]
fn a_generation_that_can_not_start_is_rolled_back() {
    // The program serves as long as a file allows it to.
    let program = r#"test -e allowed || { echo "the migration is missing" >&2; exit 9; }
        exec sleep 1000"#;
    let launch = Launch::new(&["exec", "--workers", "2", "--ready", "100ms"]).file("allowed", "");
    let brigade = launch.arguments(["--", "sh", "-c", program]).ready();
    let workers = brigade.workers();
    fs::remove_file(brigade.dir().join("allowed")).unwrap();
    brigade.signal(Signal::SIGHUP);
    let back = brigade.wait_for("reload.rolled_back", |_| true);
    assert!(back.is("generation", 2), "{}", back.value);
    assert!(
        back.text("output").contains("the migration is missing"),
        "{}",
        back.value
    );
    assert_eq!(brigade.workers(), workers, "the old generation never left");
    // What failed once may work the next time.
    fs::write(brigade.dir().join("allowed"), "").unwrap();
    let mark = brigade.signal_heard(Signal::SIGHUP);
    brigade.wait_after(mark, "reload.done", |_| true);
    let brigade = brigade
        .expects("reload.rolled_back")
        .expects("worker.crashed");
    brigade.stop_and_check();
}

#[test]
fn requests_for_a_reload_during_a_reload_become_one() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let load = Load::connections(&brigade, 4).start();
    for _ in 0..10 {
        brigade.signal_heard(Signal::SIGHUP);
    }
    load.flow(200);
    load.stop().assert_lost_none();
    let generation = brigade
        .workers()
        .iter()
        .map(|worker| worker.generation)
        .max();
    assert!(generation > Some(1), "{generation:?}");
    brigade.stop_and_check();
}

#[test]
fn a_worker_killed_during_a_reload_does_not_confuse_it() {
    let brigade = Brigade::start(&["serve", "--workers", "3"]);
    let victim = brigade.worker(2);
    let mark = brigade.signal_heard(Signal::SIGHUP);
    let kill = brigade.kill(victim, Signal::SIGKILL);
    assert!(kill.end > kill.begin);
    brigade.wait_after(mark, "reload.done", |_| true);
    brigade.until("three workers of the new generation serve", || {
        let workers = brigade.workers();
        workers.len() == 3 && workers.iter().all(|worker| worker.generation == 2)
    });
    brigade.stop_and_check();
}

#[test]
fn a_stop_during_a_reload_stops() {
    let brigade = Brigade::start(&["serve", "--workers", "4"]);
    brigade.signal_heard(Signal::SIGHUP);
    brigade.stop_and_check();
}

#[test]
fn a_shared_queue_is_reloaded_and_bereft_of_workers_without_a_loss() {
    let path = "unix:a.sock";
    let launch = Launch::new(&["serve", "--workers", "3", "--bind", path]);
    let address = Address::Unix(launch.dir().join("a.sock"));
    let brigade = launch.ready();
    let load = |load: Load| load.at(address.clone()).start();
    let loads = [
        load(Load::keep_alive(&brigade, 3)),
        load(Load::connections(&brigade, 3)),
    ];
    for generation in [2, 3] {
        let mark = brigade.signal_heard(Signal::SIGHUP);
        reloaded(&brigade, mark, generation);
        loads.iter().for_each(|load| load.flow(50));
    }
    let victim = brigade.worker(1);
    let kills = [brigade.kill(victim, Signal::SIGKILL)];
    loads.iter().for_each(|load| load.flow(50));
    loads
        .into_iter()
        .for_each(|load| load.stop().assert_lost_only(&kills));
    brigade.stop_and_check();
}

#[test]
fn what_a_reload_can_not_change_is_refused_by_name() {
    let launch = Launch::new(&["serve"]).file("brigade.toml", "workers = 1\n");
    let brigade = launch.ready();
    configure(&brigade, "workers = 2\numask = \"077\"\n");
    brigade.signal(Signal::SIGHUP);
    let refused = brigade.wait_for("reload.refused", |_| true);
    assert!(
        refused.text("problems").contains("umask"),
        "{}",
        refused.value
    );
    assert_eq!(brigade.workers().len(), 1, "whole or not at all");
    brigade.expects("reload.refused").stop_and_check();
}

#[test]
fn a_blocked_worker_does_not_keep_a_reload_for_ever() {
    let launch = Launch::new(&["serve", "--workers", "1", "--timeout-kill", "300ms"]);
    let brigade = launch
        .arguments(["--timeout-graceful-shutdown", "300ms"])
        .ready();
    let blocked = brigade.worker(0);
    let _blocker = brigade.block(blocked, 60_000);
    let mark = brigade.signal_heard(Signal::SIGHUP);
    brigade.wait_after(mark, "reload.done", |_| true);
    brigade.wait_for("worker.overdue", |event| event.pid() == blocked.process.0);
    brigade.wait_for("worker.left", |event| event.pid() == blocked.process.0);
    assert_eq!(brigade.get("/").number("generation"), Some(2));
    brigade.expects("worker.overdue").stop_and_check();
}
