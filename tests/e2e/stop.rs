//! Stopping: what is open is finished, what is stuck is bounded, who asks twice is heard.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Brigade, Connection, Launch, Load, Trouble};

fn slow_request(brigade: &Brigade, milliseconds: u32) -> Connection {
    let mut connection = brigade.connect();
    let request = format!("GET /sleep?ms={milliseconds} HTTP/1.1\r\nhost: test\r\n\r\n");
    // The first answer proves that a worker has the connection, not only the kernel's queue.
    connection.get("/").unwrap();
    connection.send(request).unwrap();
    connection
}

#[test]
fn slow_requests_in_flight_are_finished() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let brigade = Brigade::start(&["serve", "--workers", "2"]);
        let mut slow: Vec<_> = (0..8).map(|_| slow_request(&brigade, 1000)).collect();
        let begin = Instant::now();
        brigade.signal_heard(signal);
        for connection in &mut slow {
            let answer = connection
                .receive()
                .expect("a request in flight is finished");
            assert_eq!(answer.status, 200);
            assert!(
                answer.is_last(),
                "its connection is closed after it: {answer:?}"
            );
        }
        brigade.ended(0);
        // Not the whole grace of thirty seconds: it leaves as soon as nothing is open.
        assert!(
            begin.elapsed() < Duration::from_secs(15),
            "{:?}",
            begin.elapsed()
        );
    }
}

#[test]
fn a_fleet_without_work_leaves_at_once_and_with_code_0() {
    let brigade = Brigade::start(&["serve", "--workers", "4"]);
    let _idle: Vec<_> = (0..4).map(|_| brigade.connect()).collect();
    let begin = Instant::now();
    brigade.stop_and_check();
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn stopping_under_load_loses_nothing_that_was_accepted() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let load = Load::keep_alive(&brigade, 8).start();
    load.flow(100);
    brigade.signal_heard(Signal::SIGTERM);
    brigade.ended(0);
    let account = load.stop();
    // Later requests find nobody; each that found somebody was answered.
    let refused = |trouble: &Trouble| matches!(trouble, Trouble::Refused);
    let lost: Vec<_> = account
        .losses
        .iter()
        .filter(|loss| !refused(&loss.trouble))
        .collect();
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn new_connections_are_refused_while_it_drains() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let mut slow = slow_request(&brigade, 3000);
    brigade.signal_heard(Signal::SIGTERM);
    brigade.refuses();
    assert_eq!(slow.receive().unwrap().status, 200);
    brigade.ended(0);
}

#[test]
fn a_stuck_worker_delays_the_stop_no_longer_than_configured() {
    let launch = Launch::new(&[
        "serve",
        "--workers",
        "1",
        "--timeout-graceful-shutdown",
        "300ms",
    ]);
    let brigade = launch.arguments(["--timeout-kill", "300ms"]).ready();
    let worker = brigade.worker(0);
    let mut blocker = brigade.block(worker, 60_000);
    let begin = Instant::now();
    brigade.signal(Signal::SIGTERM);
    brigade.wait_for("worker.overdue", |event| event.text("deadline") == "drain");
    assert!(matches!(
        blocker.receive(),
        Err(Trouble::Reset | Trouble::Closed)
    ));
    brigade
        .expects("worker.overdue")
        .expects("worker.crashed")
        .ended(0);
    assert!(
        begin.elapsed() < Duration::from_secs(15),
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn a_request_longer_than_the_grace_is_cut() {
    let arguments = [
        "serve",
        "--workers",
        "1",
        "--timeout-graceful-shutdown",
        "300ms",
    ];
    let brigade = Brigade::start(&arguments);
    let mut endless = slow_request(&brigade, 30_000);
    let begin = Instant::now();
    brigade.signal(Signal::SIGTERM);
    assert!(endless.receive().is_err(), "it was cut");
    // The worker cuts by itself: the supervisor need not lend a hand, though it may.
    brigade.expects("worker.overdue").ended(0);
    assert!(
        begin.elapsed() < Duration::from_secs(15),
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn the_second_signal_cuts_what_the_first_lets_finish() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let brigade = Brigade::start(&["serve", "--workers", "2"]);
        let mut slow = slow_request(&brigade, 60_000);
        brigade.signal(signal);
        brigade.wait_for("fleet.stopping", |event| event.text("how") == "drain");
        brigade.signal_again(signal);
        brigade.wait_for("fleet.stopping", |event| event.text("how") == "cut");
        assert!(slow.receive().is_err(), "it was cut");
        brigade.ended(0);
    }
}

#[test]
fn the_third_signal_kills_who_does_not_listen() {
    let brigade = Brigade::start(&["serve", "--workers", "1"]);
    let worker = brigade.worker(0);
    let _blocker = brigade.block(worker, 60_000);
    for how in ["drain", "cut", "kill"] {
        brigade.signal_again(Signal::SIGTERM);
        brigade.wait_for("fleet.stopping", |event| event.text("how") == how);
    }
    brigade
        .expects("worker.overdue")
        .expects("worker.crashed")
        .ended(0);
}

#[test]
fn a_signal_that_comes_twice_by_way_of_the_group_is_one_order() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let mut slow = slow_request(&brigade, 1000);
    brigade.signal_heard(Signal::SIGTERM);
    let mark = brigade.signal_heard(Signal::SIGINT);
    let echo = brigade.wait_after(mark, "signal.received", |_| true);
    if echo.value["echo"].eq(&true) {
        assert_eq!(slow.receive().unwrap().status, 200, "nothing was cut");
    }
    brigade.ended(0);
}

#[test]
fn quit_cuts_at_once() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let mut slow = slow_request(&brigade, 60_000);
    brigade.signal(Signal::SIGQUIT);
    brigade.wait_for("fleet.stopping", |event| event.text("how") == "cut");
    assert!(slow.receive().is_err(), "it was cut");
    brigade.ended(0);
}

#[test]
fn workers_leave_the_terminal_to_the_supervisor() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let mut slow = slow_request(&brigade, 1000);
    // Ctrl-C goes to every process of the foreground group.
    for worker in brigade.workers() {
        kill(Pid::from_raw(worker.process.0), Signal::SIGINT).unwrap();
    }
    brigade.signal(Signal::SIGINT);
    assert_eq!(
        slow.receive().unwrap().status,
        200,
        "the request in flight is finished"
    );
    brigade.ended(0);
}

#[test]
fn a_worker_told_to_leave_by_somebody_else_drains_and_is_replaced() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let load = Load::keep_alive(&brigade, 6).start();
    let worker = brigade.worker(0);
    kill(Pid::from_raw(worker.process.0), Signal::SIGTERM).unwrap();
    brigade.wait_for("worker.ready", |event| {
        event.is("slot", 0) && event.pid() != worker.process.0
    });
    load.flow(100);
    load.stop().assert_lost_none();
    // Whether that counts as leaving or as a crash is not for this test to say.
    brigade.expects("worker.crashed").stop_and_check();
}

#[test]
fn a_stop_during_the_start_is_heard() {
    let brigade = Launch::new(&["serve", "--workers", "8"]).start();
    brigade.wait_for("supervisor.starting", |_| true);
    brigade.signal(Signal::SIGTERM);
    brigade.ended(0);
}

#[test]
fn signals_without_a_meaning_end_nothing() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let workers = brigade.workers();
    for signal in [Signal::SIGWINCH, Signal::SIGPIPE] {
        brigade.signal(signal);
        for worker in &workers {
            kill(Pid::from_raw(worker.process.0), signal).unwrap();
        }
    }
    assert_eq!(brigade.get("/").status, 200);
    assert_eq!(brigade.workers(), workers);
    brigade.stop_and_check();
}

#[test]
fn logs_are_reopened_on_usr1() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    brigade.signal(Signal::SIGUSR1);
    brigade.wait_for("logs.reopened", |_| true);
    assert_eq!(brigade.get("/").status, 200);
    brigade.stop_and_check();
}

#[test]
fn bodies_on_their_way_arrive_whole() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let mut download = brigade.connect();
    download
        .send("GET /stream?chunks=20&ms=50 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    let mut upload = brigade.connect();
    let head = "POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\n";
    upload.send(format!("{head}hello")).unwrap();
    // The first part of each answer proves that both are under way.
    let heads = (
        download.receive_head().unwrap(),
        upload.receive_head().unwrap(),
    );
    brigade.signal_heard(Signal::SIGTERM);
    upload.send("world").unwrap();
    assert_eq!(upload.receive_body(&heads.1), Ok(b"helloworld".to_vec()));
    let body = download
        .receive_body(&heads.0)
        .expect("it is streamed to its end");
    assert!(!body.is_empty());
    brigade.ended(0);
}

#[test]
fn an_idle_connection_is_closed_with_a_clean_end() {
    let brigade = Brigade::start(&["serve", "--workers", "1"]);
    let mut idle = brigade.connect();
    idle.get("/").unwrap();
    brigade.signal_heard(Signal::SIGTERM);
    assert!(idle.closes(), "an end, not a reset");
    brigade.ended(0);
}

#[test]
fn a_request_that_comes_while_it_drains_is_answered_as_the_last_of_its_connection() {
    let brigade = Brigade::start(&["serve", "--workers", "1", "--timeout-lame-duck", "20s"]);
    let mut slow = slow_request(&brigade, 800);
    let mut early = brigade.connect();
    early.get("/").unwrap();
    brigade.signal_heard(Signal::SIGTERM);
    brigade.wait_for("worker.draining", |_| true);
    // The one that is in flight tells how time passes: it ends when the drain has begun long ago.
    assert_eq!(slow.receive().expect("it is finished").status, 200);
    let answer = early.get("/").expect("a lame duck still answers");
    assert!(answer.is_last(), "{answer:?}");
    brigade.ended(0);
}
