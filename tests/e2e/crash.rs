//! Workers die: others serve on, replacements come, and no request is lost but those in flight on
//! the dead.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::{Brigade, Crowd, Event, Kill, Launch, Load, Process};

/// The moment when a slot's worker had its replacement ready.
fn replaced(brigade: &Brigade, dead: Process) -> Event {
    let crash = brigade.wait_for("worker.crashed", |event| event.pid() == dead.0);
    let slot = crash.number("slot").unwrap();
    let again = |event: &Event| event.is("slot", slot) && event.at >= crash.at;
    brigade.wait_for("worker.ready", again)
}

#[test]
fn a_dying_worker_is_replaced_and_only_its_own_requests_are_lost() {
    // Not by `kill -SEGV`: Rust's own handler takes the first for a guard page and passes it over.
    let killed = |brigade: &Brigade| brigade.kill(brigade.worker(0), Signal::SIGKILL);
    let segfault = |brigade: &Brigade| brigade.crash("segv");
    for end in [&killed as &dyn Fn(&Brigade) -> Kill, &segfault] {
        let brigade = Brigade::start(&["serve", "--workers", "2"]);
        let loads = [
            Load::keep_alive(&brigade, 4),
            Load::connections(&brigade, 4),
        ];
        let loads = loads.map(Load::start);
        let mut kills = Vec::new();
        for _ in 0..3 {
            let kill = end(&brigade);
            replaced(&brigade, kill.process);
            loads.iter().for_each(|load| load.flow(100));
            kills.push(kill);
        }
        loads
            .into_iter()
            .for_each(|load| load.stop().assert_lost_only(&kills));
        brigade.stop_and_check();
    }
}

#[test]
fn all_workers_killed_at_once_lose_only_what_was_in_flight() {
    let brigade = Brigade::start(&["serve", "--workers", "4"]);
    let loads = [
        Load::keep_alive(&brigade, 4),
        Load::connections(&brigade, 4),
    ];
    let loads = loads.map(Load::start);
    let workers = brigade.workers();
    let kills = brigade.kill_all(&workers, Signal::SIGKILL);
    for worker in workers {
        replaced(&brigade, worker.process);
    }
    loads.iter().for_each(|load| load.flow(100));
    loads
        .into_iter()
        .for_each(|load| load.stop().assert_lost_only(&kills));
    brigade.stop_and_check();
}

#[test]
fn queued_connections_survive_the_worker() {
    let brigade = Brigade::start(&["serve", "--workers", "1"]);
    // The loop of the only worker is blocked: what connects now waits in the kernel's queue.
    let worker = brigade.worker(0);
    let _blocker = brigade.block(worker, 20_000);
    let mut waiting: Vec<_> = (0..20).map(|_| brigade.connect()).collect();
    for connection in &mut waiting {
        connection
            .send("GET / HTTP/1.1\r\nhost: test\r\n\r\n")
            .unwrap();
    }
    brigade.kill(worker, Signal::SIGKILL);
    for connection in &mut waiting {
        let answer = connection.receive().expect("a queued connection is served");
        assert_ne!(answer.number("pid"), Some(worker.process.0.into()));
    }
    brigade.stop_and_check();
}

#[test]
fn the_line_of_a_crash_tells_who_died_of_what_and_what_comes_next() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    for (how, exit, code, signal) in [
        ("segv", "signal SIGSEGV", None, Some(11)),
        ("abort", "signal SIGABRT", None, Some(6)),
        ("exit&code=3", "exit code 3", Some(3), None),
    ] {
        let victim = i64::from(brigade.crash(how).process.0);
        let crash = brigade.wait_for("worker.crashed", |event| event.is("pid", victim));
        assert_eq!(crash.text("exit"), exit);
        assert_eq!(crash.number("code"), code, "{}", crash.value);
        assert_eq!(crash.number("signal"), signal, "{}", crash.value);
        assert_eq!(crash.value["was_ready"], true);
        assert!(crash.number("uptime_ms").is_some(), "{}", crash.value);
        assert!(
            ["now", "after"].contains(&crash.text("next")),
            "{}",
            crash.value
        );
        let message = crash.text("message");
        for word in [exit, &victim.to_string()] {
            assert!(message.contains(word), "{word:?} in {message:?}");
        }
        let slot = crash.number("slot").unwrap();
        brigade.wait_for("worker.ready", |event| {
            event.is("slot", slot) && event.at > crash.at
        });
    }
    brigade.stop_and_check();
}

#[test]
fn the_first_crash_is_answered_at_once() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let worker = brigade.worker(1);
    brigade.kill(worker, Signal::SIGKILL);
    let crash = brigade.wait_for("worker.crashed", |_| true);
    assert_eq!(crash.text("next"), "now");
    replaced(&brigade, worker.process);
    brigade.stop_and_check();
}

#[test]
fn a_crash_loop_is_slowed_down_and_healthy_slots_do_not_notice() {
    let arguments = ["serve", "--workers", "2", "--restart-delay", "200ms"];
    let brigade = Brigade::start(&arguments);
    let healthy = brigade.worker(1);
    let load = Load::connections(&brigade, 4).start();
    let mut kills = Vec::new();
    for _ in 0..5 {
        let victim = brigade.worker(0);
        kills.push(brigade.kill(victim, Signal::SIGKILL));
        replaced(&brigade, victim.process);
    }
    let account = load.stop();
    account.assert_lost_only(&kills);
    let crashes = brigade.events("worker.crashed");
    let pause = |event: &Event| event.number("restart_in_ms").unwrap_or(0);
    let promised: Vec<_> = crashes.iter().map(pause).collect();
    assert_eq!(crashes[0].text("next"), "now");
    assert!(
        crashes[1..]
            .iter()
            .all(|crash| crash.text("next") == "after"),
        "{promised:?}"
    );
    // Jitter may shift each pause, doubling outgrows it within two steps.
    assert!(
        promised[1] >= 100 && promised[4] > 2 * promised[1],
        "{promised:?}"
    );
    for crash in &crashes {
        let respawn = |event: &Event| event.is("slot", 0) && event.at > crash.at;
        let spawned = brigade.wait_for("worker.spawned", respawn);
        let pause = Duration::from_millis(pause(crash).unsigned_abs());
        // Both lines are stamped when they are read, so a little less may pass between them.
        let seen = spawned.at - crash.at + Duration::from_millis(50);
        assert!(seen >= pause, "promised {pause:?}, seen {seen:?}");
    }
    assert_eq!(
        brigade.worker(1),
        healthy,
        "the healthy slot's worker is still the same"
    );
    assert!(account.by_process.contains_key(&healthy.process));
    brigade.stop_and_check();
}

#[test]
fn nobody_waits_for_a_slot_that_rests() {
    let brigade = Brigade::start(&["serve", "--workers", "2", "--restart-delay", "15s"]);
    let victim = brigade.worker(0);
    brigade.kill(victim, Signal::SIGKILL);
    replaced(&brigade, victim.process);
    let kill = brigade.kill(brigade.worker(0), Signal::SIGKILL);
    brigade.settled();
    let load = Load::connections(&brigade, 4).start();
    load.flow(200);
    let account = load.stop();
    account.assert_lost_only(&[kill]);
    // Half of all new connections would wait for the resting slot, if they still went to it.
    assert!(
        account.slowest < Duration::from_secs(5),
        "slowest answer: {:?}",
        account.slowest
    );
    assert_eq!(brigade.workers().len(), 1, "the slot still rests");
    brigade.stop_and_check();
}

#[test]
fn crashes_leak_no_descriptor_in_the_supervisor_or_the_replacement() {
    let arguments = ["serve", "--workers", "2", "--restart-delay", "1ms"];
    let brigade = Launch::new(&arguments)
        .arguments(["--restart-delay-max", "2ms"])
        .ready();
    let before = (
        brigade.supervisor().descriptors(),
        brigade.worker(0).process.descriptors(),
    );
    for _ in 0..20 {
        let victim = brigade.worker(0);
        brigade.kill(victim, Signal::SIGKILL);
        replaced(&brigade, victim.process);
    }
    let now = || {
        (
            brigade.supervisor().descriptors(),
            brigade.worker(0).process.descriptors(),
        )
    };
    brigade.until("descriptors are as before", || now() == before);
    brigade.check_children();
    brigade.stop_and_check();
}

#[test]
fn too_many_crashes_end_it_only_where_that_is_configured() {
    let arguments = ["serve", "--workers", "2", "--restart-delay", "1ms"];
    let brigade = Launch::new(&arguments)
        .arguments(["--restart-intensity", "3/60s"])
        .ready()
        .expects("supervisor.giving_up");
    for _ in 0..3 {
        let victim = brigade.worker(0);
        brigade.kill(victim, Signal::SIGKILL);
        replaced(&brigade, victim.process);
    }
    brigade.kill(brigade.worker(0), Signal::SIGKILL);
    let reason = brigade.wait_for("supervisor.giving_up", |_| true);
    assert!(!reason.text("reason").is_empty());
    brigade.ended(1);
}

#[test]
fn of_all_kinds_of_clients_only_those_in_flight_on_a_killed_or_aborted_worker_lose_something() {
    for mode in ["slots", "shared"] {
        let both = ["--bind", "127.0.0.1:0", "--bind", "unix:a.sock"];
        let soon = ["--restart-delay", "1ms", "--restart-delay-max", "20ms"];
        let launch = Launch::new(&[&["serve", "--balance", mode], &both[..], &soon].concat());
        let brigade = launch.arguments(["--workers", "4"]).ready();
        // While a core is written, an aborted worker is neither alive nor gone.
        brigade.expect("worker.blocked");
        let crowd = Crowd::gather("killed and aborted workers", &brigade);
        let mut kills = Vec::new();
        crowd.while_they_ask(2, 20, || {
            for (slot, signal) in [(0, Signal::SIGKILL), (1, Signal::SIGABRT)] {
                let kill = brigade.kill(brigade.worker(slot), signal);
                replaced(&brigade, kill.process);
                kills.push(kill);
            }
        });
        crowd.go_home(&kills);
        brigade.stop_and_check();
    }
}
