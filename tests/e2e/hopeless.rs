//! A first start that can never succeed ends soon, with code 1 and the reason.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{Brigade, Launch, app, run};

/// Starts `brigade exec` with this program and waits until it gives up.
fn gives_up(options: &[&str], program: &[&str]) -> (String, String) {
    let begin = Instant::now();
    let arguments = [&["exec", "--workers", "2"], options, &["--"], program].concat();
    let brigade: Brigade = Launch::new(&arguments).start();
    let event = brigade.wait_for("supervisor.giving_up", |_| true);
    let told = (
        event.text("reason").to_owned(),
        event.text("output").to_owned(),
    );
    assert!(!told.0.is_empty());
    for name in ["worker.crashed", "worker.overdue", "supervisor.giving_up"] {
        brigade.expect(name);
    }
    brigade.ended(1);
    // Seconds, not the half minute of the longest pause.
    assert!(
        begin.elapsed() < Duration::from_secs(20),
        "{:?}",
        begin.elapsed()
    );
    told
}

#[test]
fn a_program_that_fails_at_once_is_tried_some_times_and_its_last_words_are_told() {
    let program = "echo 'no database' >&2; exit 3";
    let (reason, output) = gives_up(&["--start-attempts", "2"], &["sh", "-c", program]);
    assert!(reason.contains('2'), "how often it was tried: {reason:?}");
    assert!(output.contains("no database"), "{output:?}");
}

#[test]
fn a_program_that_does_not_exist_is_wrong_usage() {
    for name in ["no-such-program-anywhere", "./no-such-program-here"] {
        let output = run(&["exec", "--", name]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(name), "{said}");
    }
}

#[test]
fn a_program_that_the_kernel_can_not_run_is_named() {
    let (_, output) = gives_up(&[], &[&app("garbage")]);
    assert!(output.contains("garbage"), "{output:?}");
}

#[test]
fn a_program_that_never_becomes_ready_is_ended_and_given_up() {
    let options = [
        "--ready",
        "notify",
        "--timeout-start",
        "300ms",
        "--start-attempts",
        "2",
    ];
    gives_up(&options, &["sleep", "1000"]);
}

#[test]
fn a_program_that_refuses_to_be_respawned_is_not_tried_again() {
    let arguments = [
        "exec",
        "--workers",
        "2",
        "--",
        "sh",
        "-c",
        "echo 'bad license' >&2; exit 78",
    ];
    let brigade = Launch::new(&arguments).start();
    brigade.wait_for("supervisor.giving_up", |_| true);
    assert_eq!(
        brigade.events("worker.spawned").len(),
        2,
        "each slot was tried once"
    );
    brigade
        .expects("worker.crashed")
        .expects("supervisor.giving_up")
        .ended(1);
}

#[test]
fn one_slot_that_works_is_enough_to_go_on() {
    // Only the first slot ever serves; the other may fail as often as it likes.
    let program = "test $BRIGADE_SLOT = 0 || exit 5; exec sleep 1000";
    let options = [
        "exec",
        "--workers",
        "2",
        "--ready",
        "100ms",
        "--start-attempts",
        "2",
    ];
    let launch = Launch::new(&[&options[..], &["--restart-delay", "10ms"]].concat());
    let brigade = launch.arguments(["--", "sh", "-c", program]).start();
    brigade.until("it has failed more often than is allowed at first", || {
        brigade.events("worker.crashed").len() > 4
    });
    brigade.wait_for("worker.ready", |event| event.is("slot", 0));
    assert!(brigade.events("supervisor.giving_up").is_empty());
    brigade.expects("worker.crashed").stop_and_check();
}

#[test]
fn a_stop_comes_before_the_last_attempt() {
    let arguments = [
        "exec",
        "--workers",
        "1",
        "--restart-delay",
        "20s",
        "--start-attempts",
        "100",
    ];
    let launch = Launch::new(&arguments).arguments(["--", "false"]);
    let brigade = launch.start().expects("worker.crashed");
    brigade.wait_for("worker.crashed", |event| event.text("next") == "after");
    brigade.signal(Signal::SIGTERM);
    brigade.ended(0);
}
