//! What the service manager is told: readiness, reloads, stops, failures, signs of life, and that
//! nobody but the supervisor speaks to it.

use std::fs;
use std::net::TcpListener;

use nix::sys::signal::Signal;
use nix::time::{ClockId, clock_gettime};
use serde_json::Value;

use crate::support::{
    Brigade, Launch, Load, Message, Need, Place, ServiceManager, app, lacks, python,
};
use crate::upgrade::{replace, upgraded};

/// A Brigade with these arguments that is ready, and what it has told so far.
fn ready(arguments: &[&str]) -> (Brigade, ServiceManager, usize, Place) {
    let place = Place::new();
    let manager = ServiceManager::at(&place.path);
    let brigade = place.tell(Launch::new(arguments)).ready();
    let (_, then) = manager.wait_said(0, "READY=1");
    (brigade, manager, then, place)
}

fn now_usec() -> i64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap();
    now.tv_sec() * 1_000_000 + now.tv_nsec() / 1_000
}

fn count(manager: &ServiceManager, from: usize, line: &str) -> usize {
    let messages = manager.messages();
    messages[from..]
        .iter()
        .filter(|message| message.says(line))
        .count()
}

/// Hears of a reload that begins and ends: what was told at the end.
fn reloaded(manager: &ServiceManager, from: usize) -> (String, usize) {
    let (_, begun) = manager.wait_said(from, "RELOADING=1");
    let (ended, then) = manager.wait_said(begun, "READY=1");
    (ended.status().to_owned(), then)
}

#[test]
fn readiness_is_told_once_when_all_workers_serve_and_by_the_supervisor_alone() {
    let (brigade, manager, then, _place) = ready(&["serve", "--workers", "2"]);
    let (before, after) = (manager.messages()[..then - 1].to_vec(), then - 1);
    let ready = manager.messages()[after].clone();
    assert_eq!(ready.status(), "2/2 workers ready");
    let starting = |message: &Message| message.status().starts_with("starting");
    assert!(before.iter().any(starting), "{before:?}");
    let asked = |message: &Message| message.get("EXTEND_TIMEOUT_USEC").is_some();
    assert!(before.iter().any(asked), "time for the start: {before:?}");
    brigade.wait_for("service.ready", |event| event.is("ready", 2));
    let supervisor = brigade.supervisor();
    brigade.stop_and_check();
    assert_eq!(count(&manager, 0, "READY=1"), 1);
    for message in manager.messages() {
        assert_eq!(message.from, supervisor, "{message:?}");
        assert_eq!(message.get("WATCHDOG"), None, "nobody asked for it");
    }
}

#[test]
fn a_share_of_the_workers_is_enough_if_so_configured() {
    let place = Place::new();
    let manager = ServiceManager::at(&place.path);
    // The other slot never serves.
    let program = "test $BRIGADE_SLOT = 0 || exit 5; exec sleep 1000";
    let options = [
        "exec",
        "--workers",
        "2",
        "--ready",
        "100ms",
        "--ready-when",
        "50%",
    ];
    let launch = Launch::new(&options).arguments(["--", "sh", "-c", program]);
    let brigade = place.tell(launch).start();
    let (ready, _) = manager.wait_said(0, "READY=1");
    assert!(ready.status().starts_with("1/2 workers ready"), "{ready:?}");
    brigade.expects("worker.crashed").stop_and_check();
}

#[test]
fn a_reload_is_told_from_its_order_to_its_end() {
    let (brigade, manager, then, _place) = ready(&["serve", "--workers", "2"]);
    let before = now_usec();
    brigade.signal_heard(Signal::SIGHUP);
    let (begun, _) = manager.wait_said(then, "RELOADING=1");
    let stamp: i64 = begun.get("MONOTONIC_USEC").unwrap().parse().unwrap();
    assert!((before..=now_usec()).contains(&stamp), "{stamp}");
    assert!(begun.status().starts_with("reloading"), "{begun:?}");
    assert!(begun.get("EXTEND_TIMEOUT_USEC").is_some(), "{begun:?}");
    let (status, _) = reloaded(&manager, then);
    brigade.wait_for("reload.done", |_| true);
    assert!(status.starts_with("2/2 workers ready"), "{status}");
    assert!(
        status.contains("last reload ") && status.ends_with(" done"),
        "{status}"
    );
    brigade.stop_and_check();
}

#[test]
fn a_refused_reload_is_told_as_one_that_is_over_and_why() {
    let (brigade, manager, then, _place) = ready(&["serve", "--workers", "1"]);
    fs::write(brigade.dir().join("brigade.toml"), "workers = 'many'\n").unwrap();
    brigade.signal_heard(Signal::SIGHUP);
    let (status, then) = reloaded(&manager, then);
    assert!(status.contains(" refused: "), "{status}");
    assert!(status.starts_with("1/1 workers ready"), "{status}");
    brigade.expect("reload.refused");
    // And the next one is as good as any.
    fs::write(brigade.dir().join("brigade.toml"), "").unwrap();
    brigade.signal_heard(Signal::SIGHUP);
    let (status, _) = reloaded(&manager, then);
    assert!(status.ends_with(" done"), "{status}");
    brigade.stop_and_check();
}

#[test]
fn a_reload_that_fails_is_told_with_the_worker_that_ended_it() {
    let place = Place::new();
    let manager = ServiceManager::at(&place.path);
    let program = "test $BRIGADE_GENERATION = 1 || exit 3; exec sleep 1000";
    let options = ["exec", "--workers", "1", "--ready", "100ms", "--"];
    let launch = Launch::new(&options).arguments(["sh", "-c", program]);
    let brigade = place.tell(launch).ready();
    let (_, then) = manager.wait_said(0, "READY=1");
    brigade.expect("worker.crashed");
    brigade.expect("reload.rolled_back");
    brigade.signal_heard(Signal::SIGHUP);
    let (status, _) = reloaded(&manager, then);
    let why = "rolled back: worker 0 ended with exit code 3";
    assert!(status.starts_with("1/1 workers ready"), "{status}");
    assert!(status.ends_with(why), "{status}");
    brigade.stop_and_check();
}

#[test]
fn every_order_to_reload_is_answered_and_readiness_told_after_the_last_reload() {
    let arguments = ["serve", "--workers", "1", "--reload-probation", "1s"];
    let (brigade, manager, then, _place) = ready(&arguments);
    brigade.signal_heard(Signal::SIGHUP);
    let (_, first) = manager.wait_said(then, "RELOADING=1");
    // One that waits, and one that is the same as the one that waits.
    brigade.signal_heard(Signal::SIGHUP);
    let (_, second) = manager.wait_said(first, "RELOADING=1");
    brigade.signal_heard(Signal::SIGHUP);
    let (_, third) = manager.wait_said(second, "RELOADING=1");
    brigade.wait_for("reload.done", |event| event.is("generation", 3));
    brigade.settled();
    let (_, over) = manager.wait_said(third, "READY=1");
    assert_eq!(count(&manager, then, "RELOADING=1"), 3);
    assert_eq!(
        count(&manager, then, "READY=1"),
        1,
        "{:#?}",
        &manager.messages()[then..over]
    );
    brigade.stop_and_check();
}

#[test]
fn a_stop_is_told_at_its_first_moment_with_the_time_that_it_may_take() {
    let (brigade, manager, then, _place) = ready(&["serve", "--workers", "2"]);
    let mut slow = brigade.connect();
    slow.send("GET /sleep?ms=300 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    brigade.signal(Signal::SIGTERM);
    let (stopping, then) = manager.wait_said(then, "STOPPING=1");
    assert!(stopping.status().starts_with("stopping"), "{stopping:?}");
    assert!(
        stopping.get("EXTEND_TIMEOUT_USEC").is_some(),
        "{stopping:?}"
    );
    drop(slow);
    brigade.ended(0);
    let later = &manager.messages()[then..];
    for wrong in ["READY", "RELOADING", "STOPPING", "EXIT_STATUS", "ERRNO"] {
        let found = later.iter().find(|message| message.get(wrong).is_some());
        assert!(found.is_none(), "{found:?}");
    }
}

#[test]
fn giving_up_is_told_as_a_failure_that_the_watchdog_is_to_deal_with() {
    let place = Place::new();
    let manager = ServiceManager::at(&place.path);
    let options = ["exec", "--workers", "1", "--start-attempts", "2", "--"];
    let launch = Launch::new(&options).arguments(["sh", "-c", "exit 3"]);
    let brigade = place.tell(launch).start();
    let (last, _) = manager.wait_said(0, "WATCHDOG=trigger");
    assert!(last.says("EXIT_STATUS=1"), "{last:?}");
    assert!(last.get("ERRNO").is_some(), "{last:?}");
    let status = last.status();
    assert!(status.contains("no worker became ready"), "{status}");
    assert!(
        status.contains("worker 0 ended with exit code 3"),
        "{status}"
    );
    assert_eq!(count(&manager, 0, "READY=1"), 0);
    assert_eq!(count(&manager, 0, "STOPPING=1"), 1);
    brigade
        .expects("worker.crashed")
        .expects("supervisor.giving_up")
        .ended(1);
}

#[test]
fn a_refused_start_is_told_with_its_code_and_its_cause() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let no_user = "no-such-user-anywhere";
    for (arguments, code, errno, words) in [
        (["serve", "--port", &port], 71, Some("98"), "127.0.0.1"),
        (["serve", "--user", no_user], 78, Some("22"), no_user),
        (["serve", "--workers", "many"], 2, Some("22"), "many"),
        (["serve", "--nonsense", "1"], 2, Some("22"), "nonsense"),
    ] {
        let place = Place::new();
        let manager = ServiceManager::at(&place.path);
        let output = place.tell(Launch::new(&arguments)).run();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        let (last, _) = manager.wait_said(0, &format!("EXIT_STATUS={code}"));
        assert_eq!(last.get("ERRNO"), errno, "{last:?}");
        assert!(last.status().starts_with("could not start: "), "{last:?}");
        assert!(last.status().contains(words), "{last:?}");
        assert_eq!(manager.count(), 1, "{:?}", manager.messages());
    }
}

#[test]
fn an_upgrade_is_told_as_a_reload_by_the_same_process_and_the_signs_of_life_go_on() {
    let place = Place::new();
    let manager = ServiceManager::at(&place.path);
    let launch = Launch::new(&["serve", "--workers", "2"]).copied_as("DIR/brigade");
    let launch = launch.variable("WATCHDOG_USEC", "500000");
    let brigade = place.tell(launch).ready();
    let (_, mut then) = manager.wait_said(0, "READY=1");
    for generation in 2..=3 {
        replace(&brigade);
        assert_eq!(upgraded(&brigade), generation);
        let (begun, _) = manager.wait_said(then, "RELOADING=1");
        assert!(begun.status().starts_with("upgrading"), "{begun:?}");
        let (status, over) = reloaded(&manager, then);
        assert!(status.contains("last upgrade "), "{status}");
        (_, then) = manager.wait_said(over, "WATCHDOG=1");
        assert_eq!(count(&manager, 0, "RELOADING=1"), generation as usize - 1);
        assert_eq!(count(&manager, 0, "READY=1"), generation as usize);
    }
    // The new program knows what a reload is, too.
    brigade.signal_heard(Signal::SIGHUP);
    reloaded(&manager, then);
    let supervisor = brigade.supervisor();
    brigade.stop_and_check();
    for message in manager.messages() {
        assert_eq!(message.from, supervisor, "{message:?}");
    }
}

#[test]
fn a_name_of_the_abstract_namespace_is_as_good_as_a_path() {
    let name = format!("brigade-test-manager-{}", std::process::id());
    let manager = ServiceManager::abstract_at(&name);
    let launch = Launch::new(&["serve", "--workers", "1"]);
    let brigade = launch
        .variable("NOTIFY_SOCKET", &format!("@{name}"))
        .ready();
    manager.wait_said(0, "READY=1");
    brigade.stop_and_check();
    manager.wait_said(0, "STOPPING=1");
}

#[test]
fn a_manager_that_is_not_there_is_missed_in_one_line_and_told_everything_when_it_comes() {
    let place = Place::new();
    let launch = Launch::new(&["serve", "--workers", "1"]);
    let brigade = place.tell(launch).ready();
    let missed = brigade.wait_for("manager.unreachable", |_| true);
    assert_eq!(missed.text("socket"), place.path.display().to_string());
    brigade.get("/");
    for generation in 2..=4 {
        brigade.signal_heard(Signal::SIGHUP);
        brigade.wait_for("reload.done", |event| event.is("generation", generation));
    }
    brigade.settled();
    let manager = ServiceManager::at(&place.path);
    let (_, then) = manager.wait_said(0, "READY=1");
    let (last, _) = manager.wait_said(then, "READY=1");
    assert!(last.status().contains("last reload"), "{last:?}");
    // Reloads that began and ended unheard are no news but for the last.
    assert_eq!(
        count(&manager, 0, "RELOADING=1"),
        1,
        "{:?}",
        manager.messages()
    );
    brigade.expect("manager.unreachable");
    assert_eq!(brigade.events("manager.unreachable").len(), 1);
    brigade.stop_and_check();
}

#[test]
fn a_manager_that_does_not_read_holds_up_nobody_and_hears_everything_in_order() {
    let place = Place::new();
    let manager = ServiceManager::deaf_at(&place.path);
    let launch = Launch::new(&["serve", "--workers", "1"]);
    let brigade = place
        .tell(launch.variable("WATCHDOG_USEC", "20000"))
        .ready();
    // The socket holds so many messages, and then no more.
    let load = Load::connections(&brigade, 2).start();
    load.flow(200);
    for generation in 2..=4 {
        brigade.signal_heard(Signal::SIGHUP);
        brigade.wait_for("reload.done", |event| event.is("generation", generation));
    }
    load.flow(100);
    load.stop().assert_lost_none();
    manager.begin_to_read();
    let (_, then) = manager.wait_said(0, "READY=1");
    let (last, _) = manager.wait_from(then, "the end", |message| {
        message.says("READY=1") && message.status().contains("last reload")
    });
    assert!(last.status().ends_with(" done"), "{last:?}");
    manager.wait_from(then, "the last status", |message| {
        message.says("WATCHDOG=1")
    });
    let phases: Vec<_> = manager
        .messages()
        .iter()
        .filter_map(|message| {
            let reloading = message.says("RELOADING=1").then_some('R');
            message.says("READY=1").then_some('r').or(reloading)
        })
        .collect();
    let phases: String = phases.into_iter().collect();
    assert!(phases.starts_with('r') && phases.ends_with('r'), "{phases}");
    assert!(!phases.contains("rr"), "{phases}");
    brigade.stop_and_check();
}

#[test]
fn what_was_not_heard_before_an_upgrade_is_told_after_it() {
    let place = Place::new();
    let launch = Launch::new(&["serve", "--workers", "1"]).copied_as("DIR/brigade");
    let brigade = place.tell(launch).ready();
    brigade.expect("manager.unreachable");
    replace(&brigade);
    assert_eq!(upgraded(&brigade), 2);
    brigade.settled();
    let manager = ServiceManager::at(&place.path);
    let (_, then) = manager.wait_said(0, "READY=1");
    let (begun, then) = manager.wait_said(then, "RELOADING=1");
    assert!(begun.status().starts_with("upgrading"), "{begun:?}");
    let (ended, _) = manager.wait_said(then, "READY=1");
    assert!(ended.status().contains("last upgrade"), "{ended:?}");
    // Each of them is one line to whoever reads the log.
    assert_eq!(brigade.events("manager.unreachable").len(), 1);
    brigade.stop_and_check();
}

#[test]
fn what_can_not_be_spoken_to_is_left_alone() {
    for name in ["vsock:2:1234", "nonsense"] {
        let launch = Launch::new(&["serve", "--workers", "1"]);
        let brigade = launch.variable("NOTIFY_SOCKET", name).ready();
        let told = brigade.wait_for("manager.unsupported", |_| true);
        assert_eq!(told.text("socket"), name);
        assert_eq!(brigade.get("/").status, 200);
        brigade.stop_and_check();
    }
}

#[test]
fn programs_do_not_see_what_the_manager_says_to_the_supervisor() {
    if lacks(Need::Python) {
        return;
    }
    let place = Place::new();
    let manager = ServiceManager::at(&place.path);
    let launch = Launch::new(&["exec", "--workers", "1", "--timeout-worker", "20s", "--"]);
    let launch = launch.arguments([python().display().to_string(), app("plain.py")]);
    let secrets = [
        ("FDSTORE", "17"),
        ("MAINPID", "17"),
        ("WATCHDOG_USEC", "17000000"),
        ("LISTEN_PIDFDID", "17"),
    ];
    let public = [
        ("INVOCATION_ID", "17"),
        ("JOURNAL_STREAM", "8:17"),
        ("MANAGERPID", "17"),
    ];
    let launch = secrets
        .iter()
        .chain(&public)
        .fold(launch, |launch, (name, value)| launch.variable(name, value));
    let brigade = place.tell(launch).ready();
    manager.wait_said(0, "READY=1");
    let seen: Value = serde_json::from_str(&brigade.get("/env").text()).unwrap();
    for (name, secret) in secrets {
        assert_ne!(seen[name], secret, "{name}: {seen}");
    }
    assert!(
        seen["FDSTORE"].is_null() && seen["MAINPID"].is_null(),
        "{seen}"
    );
    assert_eq!(seen["WATCHDOG_USEC"], "20000000", "its own: {seen}");
    assert_ne!(seen["NOTIFY_SOCKET"], place.path.display().to_string());
    for (name, value) in public {
        assert_eq!(seen[name], value, "{name}: {seen}");
    }
    brigade.stop_and_check();
}

#[test]
fn the_status_tells_how_many_requests_are_answered_while_somebody_looks() {
    let (brigade, manager, then, _place) = ready(&["serve", "--workers", "1"]);
    let load = Load::connections(&brigade, 2).start();
    let rate = |message: &Message| {
        let status = message.status().to_owned();
        let rate = status
            .split(", ")
            .find_map(|part| part.strip_suffix(" req/s"));
        rate.map(str::to_owned)
    };
    let (_, then) = manager.wait_from(then, "a rate", |message| {
        rate(message).is_some_and(|rate| rate != "0")
    });
    load.stop().assert_lost_none();
    manager.wait_from(then, "the end of it", |message| {
        rate(message).as_deref() == Some("0")
    });
    brigade.stop_and_check();
}
