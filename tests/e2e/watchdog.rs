//! The service manager's watchdog: a sign of life only from a supervisor that turns, and that has a
//! worker that is well.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::{Launch, Message, Place, ServiceManager};

#[test]
fn a_sign_of_life_is_given_in_time_and_not_while_every_worker_is_blocked() {
    let place = Place::new();
    let manager = ServiceManager::at(&place.path);
    let launch = Launch::new(&["serve", "--workers", "1"]).variable("WATCHDOG_USEC", "600000");
    let brigade = place.tell(launch).ready();
    let (_, mut then) = manager.wait_said(0, "READY=1");
    for _ in 0..3 {
        (_, then) = manager.wait_said(then, "WATCHDOG=1");
    }
    assert!(!brigade.has_after(brigade.mark(), "manager.watchdog_withheld"));
    let blocker = brigade.block(brigade.worker(0), 3_000);
    let withheld = brigade.wait_for("manager.watchdog_withheld", |_| true);
    let reason = "the only worker that is ready makes no progress";
    assert_eq!(withheld.text("reason"), reason);
    // The message before may still be on its way.
    let (told, then) = manager.wait_from(then, "a status that says so", |message| {
        message.status().contains("no sign of life")
    });
    assert!(told.status().contains("1 blocked"), "{told:?}");
    brigade.wait_for("manager.watchdog_resumed", |_| true);
    let recovered = brigade.wait_for("worker.recovered", |_| true);
    assert!(recovered.at > withheld.at);
    let (_, again) = manager.wait_said(then, "WATCHDOG=1");
    let meanwhile = &manager.messages()[then..again - 1];
    assert!(
        meanwhile
            .iter()
            .all(|message| message.get("WATCHDOG").is_none()),
        "{meanwhile:?}"
    );
    assert_eq!(brigade.events("manager.watchdog_withheld").len(), 1);
    brigade.expect("manager.watchdog_withheld");
    drop(blocker);
    brigade.stop_and_check();
}

#[test]
fn a_supervisor_that_is_frozen_gives_no_sign_of_life() {
    let place = Place::new();
    let manager = ServiceManager::at(&place.path);
    let launch = Launch::new(&["serve", "--workers", "1"]).variable("WATCHDOG_USEC", "200000");
    let brigade = place.tell(launch).ready();
    manager.wait_said(0, "WATCHDOG=1");
    brigade.signal(Signal::SIGSTOP);
    brigade.until("it is frozen", || {
        brigade.supervisor().status("State").starts_with('T')
    });
    // What was sent before is heard first.
    brigade.watch_for(Duration::from_millis(200));
    let then = manager.count();
    brigade.watch_for(Duration::from_millis(600));
    assert_eq!(manager.count(), then, "{:?}", manager.messages());
    brigade.signal(Signal::SIGCONT);
    manager.wait_said(then, "WATCHDOG=1");
    brigade.stop_and_check();
}

#[test]
fn a_watchdog_that_waits_for_another_process_is_not_ours() {
    let place = Place::new();
    let manager = ServiceManager::at(&place.path);
    let launch = Launch::new(&["serve", "--workers", "1"]);
    let launch = launch
        .variable("WATCHDOG_USEC", "20000")
        .variable("WATCHDOG_PID", "1");
    let brigade = place.tell(launch).ready();
    let (_, then) = manager.wait_said(0, "READY=1");
    brigade.signal_heard(Signal::SIGHUP);
    let (_, begun) = manager.wait_said(then, "RELOADING=1");
    manager.wait_said(begun, "READY=1");
    brigade.stop_and_check();
    let beats = |message: &Message| message.get("WATCHDOG").is_some();
    assert!(!manager.messages().iter().any(beats));
}
