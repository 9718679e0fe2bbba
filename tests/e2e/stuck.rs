//! A worker that blocks or freezes is found, left out and told; nobody waits for it but who was
//! already there. Nobody else is ever taken for stuck.

use std::env;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{
    Account, Brigade, Event, Kill, Launch, Load, Need, Process, Running, Timing, Worker, app, full,
    lacks, python, say,
};

/// The longest wait of a new connection while a worker is stuck: `--stall-warn` and 100 ms, or
/// what a machine full of other tests may make of it. Less than the two seconds of the block.
fn bound() -> Duration {
    Duration::from_millis(if full() { 350 } else { 1500 })
}

fn newcomers(brigade: &Brigade) -> Running {
    let pace = Duration::from_millis(20);
    Load::connections(brigade, 8).think(pace).path("/").start()
}

/// Nobody was lost, nor had to wait for the stuck worker who came after `since`.
fn assert_lost_none_and_nobody_waited(
    what: &str,
    account: &Account,
    stuck: Process,
    since: Instant,
) {
    account.assert_lost_none();
    assert_nobody_waited(what, account, stuck, since);
}

/// Nobody who came after `since` had to wait for the stuck worker.
fn assert_nobody_waited(what: &str, account: &Account, stuck: Process, since: Instant) {
    let (mut caught, mut newcomers) = (Vec::new(), Vec::new());
    for first in &account.first_bytes {
        // Who was accepted in the breath in which it got stuck is on board.
        let near = first.begin < since + Duration::from_millis(50);
        let with_it = first.process == Some(stuck) && first.took > bound();
        if near && with_it {
            caught.push(first);
        } else {
            newcomers.push(first.took);
        }
    }
    let timing = Timing::of(newcomers);
    say(&format!("{what}: first byte of new connections {timing}"));
    assert!(timing.worst() < bound(), "{what}: {timing}");
    assert!(caught.len() <= 2, "{what}: {caught:?}");
}

/// The worker came back, once, and was told of once.
fn recovered(brigade: &Brigade, worker: Worker) -> Event {
    let his = |event: &Event| event.pid() == worker.process.0;
    let recovered = brigade.wait_for("worker.recovered", his);
    assert_eq!(brigade.events("worker.blocked").len(), 1);
    recovered
}

/// The stack shows where it sleeps, unless the machine was too busy to let it stop in time.
fn assert_shows_sleep(told: &Event, whose: &str) {
    let stack = told.text("stack");
    let is_shown = stack.contains("sleep") && stack.contains(whose);
    let was_late = stack.contains("did not stop in time");
    assert!(is_shown || was_late && !full(), "the stack: {}", told.value);
}

#[test]
fn a_blocked_worker_is_left_out_and_told_with_its_request_and_its_stack() {
    for mode in ["slots", "shared"] {
        let arguments = ["serve", "--workers", "4", "--balance", mode];
        let brigade = Brigade::start(&arguments);
        let load = newcomers(&brigade);
        let kept = Load::keep_alive(&brigade, 8).start();
        let (worker, mut blocker) = brigade.block_any(2000);
        let since = Instant::now();
        let told = brigade.wait_for("worker.blocked", |_| true);
        assert_eq!(told.pid(), worker.process.0, "{}", told.value);
        assert!(told.is("slot", worker.slot), "{}", told.value);
        assert_eq!(told.text("method"), "GET", "{}", told.value);
        assert!(told.text("path").starts_with("/blocking"), "{}", told.value);
        let near = told.number("age_ms").expect("the age of the request");
        assert!((200..1500).contains(&near), "{}", told.value);
        assert_shows_sleep(&told, "demo");
        assert_eq!(blocker.receive().unwrap().status, 200, "it was not cut");
        let recovered = recovered(&brigade, worker);
        let lasted = recovered.number("lasted_ms").unwrap();
        assert!((1800..4000).contains(&lasted), "{}", recovered.value);
        load.flow(200);
        let account = load.stop();
        let what = format!("blocked, {mode}");
        assert_lost_none_and_nobody_waited(&what, &account, worker.process, since);
        kept.stop().assert_lost_none();
        // It is in the set again.
        let load = newcomers(&brigade);
        load.flow(200);
        assert!(load.stop().by_process.contains_key(&worker.process));
        brigade.stop_and_check();
    }
}

#[test]
fn a_worker_that_is_frozen_while_it_waits_is_treated_alike_when_somebody_comes() {
    for mode in ["slots", "shared"] {
        let arguments = ["serve", "--workers", "4", "--balance", mode];
        let brigade = Brigade::start(&arguments).expects("worker.blocked");
        let load = newcomers(&brigade);
        let worker = brigade.worker(1);
        let since = Instant::now();
        worker.process.signal(Signal::SIGSTOP);
        if mode == "slots" {
            brigade.wait_for("worker.blocked", |event| event.pid() == worker.process.0);
        }
        brigade.watch_for(Duration::from_secs(2));
        worker.process.signal(Signal::SIGCONT);
        if mode == "slots" {
            recovered(&brigade, worker);
        }
        load.flow(200);
        let what = format!("frozen, {mode}");
        assert_lost_none_and_nobody_waited(&what, &load.stop(), worker.process, since);
        brigade.stop_and_check();
    }
}

#[test]
fn a_blocked_worker_of_a_unix_socket_keeps_nobody_waiting() {
    let arguments = ["serve", "--workers", "4", "--bind", "unix:a.sock"];
    let brigade = Launch::new(&arguments).ready().expects("worker.blocked");
    let address = brigade.addresses().remove(0);
    let pace = Duration::from_millis(20);
    let kind = Load::keep_alive_at(address.clone(), 8);
    let load = kind.anew().think(pace).path("/").start();
    let mut blocker = crate::support::Connection::open(&address).unwrap();
    let pid = blocker.get("/").unwrap().number("pid").unwrap();
    blocker
        .send("GET /blocking?ms=2000 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    let since = Instant::now();
    let told = brigade.wait_for("worker.blocked", |_| true);
    assert!(told.is("pid", pid), "{}", told.value);
    assert_eq!(blocker.receive().unwrap().status, 200);
    load.flow(200);
    let blocked = Process(pid.try_into().unwrap());
    assert_lost_none_and_nobody_waited("blocked, Unix", &load.stop(), blocked, since);
    brigade.stop_and_check();
}

#[test]
fn a_worker_that_is_frozen_while_nobody_comes_is_left_alone() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let worker = brigade.worker(0);
    brigade.calm();
    worker.process.signal(Signal::SIGSTOP);
    brigade.watch_for(Duration::from_secs(2));
    worker.process.signal(Signal::SIGCONT);
    brigade.watch_for(Duration::from_millis(500));
    assert_eq!(brigade.get("/").status, 200);
    brigade.stop_and_check();
}

#[test]
fn nobody_is_stuck_after_everybody_was_suspended() {
    let brigade = Brigade::start(&["serve", "--workers", "4"]);
    let load = newcomers(&brigade);
    let kept = Load::keep_alive(&brigade, 4).start();
    let mut slow = brigade.connect();
    slow.send("GET /sleep?ms=1000 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    let workers: Vec<_> = brigade
        .workers()
        .iter()
        .map(|worker| worker.process)
        .collect();
    let first = [brigade.supervisor()].into_iter().chain(workers.clone());
    let last = workers.into_iter().chain([brigade.supervisor()]);
    // Whoever goes on first sees that the others have stood still for long.
    for order in [first.collect::<Vec<_>>(), last.collect()] {
        for process in &order {
            process.signal(Signal::SIGSTOP);
        }
        brigade.watch_for(Duration::from_secs(3));
        for process in &order {
            process.signal(Signal::SIGCONT);
        }
        load.flow(200);
        brigade.watch_for(Duration::from_secs(1));
    }
    assert_eq!(slow.receive().unwrap().status, 200);
    load.stop().assert_lost_none();
    kept.stop().assert_lost_none();
    brigade.stop_and_check();
}

#[test]
fn nobody_is_taken_for_stuck_at_full_load() {
    let seconds = env::var("BRIGADE_TESTS_SOAK").unwrap_or_else(|_| "15".to_owned());
    let time = Duration::from_secs(seconds.parse().expect("BRIGADE_TESTS_SOAK in seconds"));
    let brigade = Brigade::start(&["serve", "--workers", "4"]);
    let loads = [
        Load::connections(&brigade, 8).full_speed(),
        Load::keep_alive(&brigade, 8).full_speed(),
        Load::uploads(&brigade, 4),
        Load::downloads(&brigade, 4),
    ];
    let loads = loads.map(Load::start);
    let begin = Instant::now();
    while begin.elapsed() < time {
        loads.iter().for_each(|load| load.flow(4));
    }
    let blocked = brigade.events("worker.blocked").len();
    let mut answered = 0;
    for load in loads {
        let account = load.stop();
        account.assert_lost_none();
        answered += account.answered;
    }
    say(&format!(
        "full load for {time:?}: {answered} answered, {blocked} taken for stuck"
    ));
    brigade.stop_and_check();
}

#[test]
fn a_loop_that_is_busy_but_turns_is_not_stuck() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    for _ in 0..4 {
        assert_eq!(brigade.get("/busy?ms=3000").status, 200);
    }
    let load = newcomers(&brigade);
    brigade.watch_for(Duration::from_secs(2));
    load.stop().assert_lost_none();
    // Without a request, too.
    brigade.watch_for(Duration::from_secs(1));
    brigade.stop_and_check();
}

/// An aborted worker told of its stack and was replaced; only what was on it may be lost.
fn aborted(brigade: &Brigade, worker: Worker) {
    let his = |event: &Event| event.pid() == worker.process.0;
    let overdue = brigade.wait_for("worker.overdue", his);
    assert_eq!(overdue.text("deadline"), "stall", "{}", overdue.value);
    let crash = brigade.wait_for("worker.crashed", his);
    assert!(crash.is("signal", 6), "{}", crash.value);
    brigade.wait_for("worker.ready", |event| {
        event.is("slot", worker.slot) && event.pid() != worker.process.0
    });
    for name in ["worker.overdue", "worker.crashed"] {
        brigade.expect(name);
    }
}

#[test]
fn a_worker_that_does_not_come_back_is_aborted_with_a_last_stack_and_replaced() {
    let arguments = ["serve", "--workers", "2", "--timeout-worker", "2s"];
    let brigade = Brigade::start(&arguments);
    let load = newcomers(&brigade);
    let (worker, mut blocker) = brigade.block_any(60_000);
    let since = Instant::now();
    aborted(&brigade, worker);
    assert!(blocker.receive().is_err(), "it was on the aborted worker");
    let overdue = brigade.wait_for("worker.overdue", |_| true);
    assert_shows_sleep(&overdue, "sleep");
    load.flow(100);
    let account = load.stop();
    // Who was accepted in the breath in which it got stuck went with it.
    account.assert_lost_only(&[gone(worker, since)]);
    assert_nobody_waited("aborted", &account, worker.process, since);
    brigade.stop_and_check();
}

#[test]
fn a_frozen_worker_that_does_not_come_back_is_aborted_too() {
    let arguments = ["serve", "--workers", "2", "--timeout-worker", "2s"];
    let brigade = Brigade::start(&arguments).expects("worker.blocked");
    let load = newcomers(&brigade);
    let (worker, since) = (brigade.worker(0), Instant::now());
    worker.process.signal(Signal::SIGSTOP);
    aborted(&brigade, worker);
    load.flow(100);
    load.stop().assert_lost_only(&[gone(worker, since)]);
    brigade.stop_and_check();
}

/// What was on a worker that was aborted some time after `since` may be lost.
fn gone(worker: Worker, since: Instant) -> Kill {
    Kill {
        process: worker.process,
        begin: since,
        end: Instant::now(),
    }
}

fn plain(words: &[&str]) -> Brigade {
    let arguments = ["exec", "--workers", "2", "--timeout-worker", "2s", "--"];
    let python = python().display().to_string();
    let launch = Launch::new(&arguments).arguments([python, app("plain.py")]);
    launch.arguments(words).ready()
}

/// The worker that answers this slow request, and the connection that waits.
fn silence(brigade: &Brigade, milliseconds: u32) -> crate::support::Connection {
    let mut connection = brigade.connect();
    let path = format!("/slow?ms={milliseconds}");
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n");
    connection.send(request).unwrap();
    connection
}

#[test]
fn a_program_that_was_heard_and_falls_silent_is_warned_of_and_aborted() {
    if lacks(Need::Python) {
        return;
    }
    let brigade = plain(&["--watchdog"]).expects("worker.blocked");
    brigade.until("both have been heard", || {
        let mut heard: Vec<_> = brigade
            .events("worker.watchdog")
            .iter()
            .map(Event::pid)
            .collect();
        heard.sort_unstable();
        heard.dedup();
        heard.len() == 2
    });
    let mut slow = silence(&brigade, 1800);
    let told = brigade.wait_for("worker.blocked", |_| true);
    // New connections go to the other one.
    assert_ne!(brigade.get("/").number("pid"), Some(told.pid().into()));
    assert_eq!(slow.receive().unwrap().status, 200);
    brigade.wait_for("worker.recovered", |event| event.pid() == told.pid());
    let mark = brigade.mark();
    let mut slow = silence(&brigade, 60_000);
    let told = brigade.wait_after(mark, "worker.blocked", |_| true);
    let workers = brigade.workers().into_iter();
    let mut silent = workers.filter(|worker| worker.process.0 == told.pid());
    aborted(&brigade, silent.next().unwrap());
    assert!(slow.receive().is_err());
    brigade.stop_and_check();
}

#[test]
fn a_program_that_was_never_heard_takes_no_part() {
    if lacks(Need::Python) {
        return;
    }
    let brigade = plain(&[]);
    let mut slow = silence(&brigade, 3500);
    assert_eq!(slow.receive().unwrap().status, 200);
    brigade.stop_and_check();
}

#[test]
fn nobody_wakes_up_while_nothing_happens() {
    let brigade = Brigade::start(&["serve", "--workers", "4"]);
    for _ in 0..20 {
        assert_eq!(brigade.get("/").status, 200);
    }
    let mark = brigade.signal_heard(Signal::SIGHUP);
    brigade.wait_after(mark, "reload.done", |_| true);
    brigade.until("the old workers have left", || brigade.workers().len() == 4);
    brigade.calm();
    let all = brigade.processes();
    assert_eq!(all.len(), 5);
    let before: Vec<_> = all.iter().map(|process| process.naps()).collect();
    brigade.watch_for(Duration::from_secs(5));
    let after: Vec<_> = all.iter().map(|process| process.naps()).collect();
    assert_eq!(before, after, "voluntary context switches in five seconds");
    brigade.stop_and_check();
}
