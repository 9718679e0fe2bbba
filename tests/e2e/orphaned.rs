//! The supervisor is killed: its workers finish what they have and leave.

use std::os::unix::net::UnixListener;

use nix::sys::wait::WaitStatus;

use crate::support::Need;
use crate::support::{
    Brigade, Connection, Launch, Load, PATIENCE, Trouble, app, lacks, python, reap,
};

/// Kills the supervisor and waits until its workers have left by themselves.
fn bereave(brigade: &Brigade) {
    let workers = brigade.workers();
    brigade.bereave();
    for worker in workers {
        // The test process has become their parent (see `Launch::start`).
        match reap(worker.process, PATIENCE) {
            Some(WaitStatus::Exited(_, 0)) => {}
            other => panic!("{worker:?} does not leave as it should: {other:?}"),
        }
    }
}

#[test]
fn workers_of_a_killed_supervisor_finish_their_requests_and_leave() {
    let brigade = Brigade::start(&["serve", "--workers", "3"]);
    let mut slow: Vec<_> = (0..6).map(|_| brigade.connect()).collect();
    for connection in &mut slow {
        connection.get("/").unwrap();
        connection
            .send("GET /sleep?ms=1000 HTTP/1.1\r\nhost: test\r\n\r\n")
            .unwrap();
    }
    bereave(&brigade);
    for connection in &mut slow {
        assert_eq!(connection.receive().expect("it is finished").status, 200);
    }
    brigade.check_nothing_stays();
    assert_eq!(
        Connection::open(&brigade.address()).unwrap_err(),
        Trouble::Refused
    );
}

#[test]
fn a_killed_supervisor_under_load_loses_no_accepted_request() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let load = Load::keep_alive(&brigade, 6).start();
    load.flow(100);
    bereave(&brigade);
    load.flow(12);
    let account = load.stop();
    // Who was still in the kernel's queue when the last socket was closed is reset; who had been
    // answered once on his connection was heard to the end.
    let heard: Vec<_> = account
        .losses
        .iter()
        .filter(|loss| loss.answered_before > 0)
        .collect();
    assert!(heard.is_empty(), "{heard:#?}");
    brigade.check_nothing_stays();
}

#[test]
fn the_socket_file_that_a_killed_supervisor_leaves_is_in_nobodys_way() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.sock");
    let bind = format!("unix:{}", path.display());
    let first = Brigade::start(&["serve", "--workers", "2", "--bind", &bind]);
    bereave(&first);
    first.check_nothing_stays();
    assert!(path.exists());
    let second = Brigade::start(&["serve", "--workers", "2", "--bind", &bind]);
    assert_eq!(second.get("/").status, 200);
    second.stop_and_check();
    assert!(!path.exists());
    drop(UnixListener::bind(&path).unwrap());
}

#[test]
fn the_pid_file_that_a_killed_supervisor_leaves_is_in_nobodys_way() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("brigade.pid");
    let arguments = [
        "serve",
        "--workers",
        "1",
        "--pid-file",
        path.to_str().unwrap(),
    ];
    let first = Brigade::start(&arguments);
    bereave(&first);
    assert!(path.exists());
    let second = Brigade::start(&arguments);
    let written = std::fs::read_to_string(&path).unwrap();
    assert_eq!(written.trim(), second.supervisor().0.to_string());
    second.stop_and_check();
    assert!(!path.exists());
}

#[test]
fn a_blocked_worker_of_a_killed_supervisor_leaves_too() {
    let brigade = Brigade::start(&["serve", "--workers", "1"]);
    let _blocker = brigade.block(brigade.worker(0), 1500);
    bereave(&brigade);
    brigade.check_nothing_stays();
}

#[test]
fn programs_of_a_killed_supervisor_are_told_to_leave() {
    if lacks(Need::Python) {
        return;
    }
    let launch = Launch::new(&["exec", "--workers", "2", "--"]);
    let words = [python().display().to_string(), app("plain.py")];
    let brigade = launch.arguments(words).ready();
    let workers = brigade.workers();
    brigade.bereave();
    for worker in workers {
        let end = reap(worker.process, PATIENCE);
        assert!(end.is_some(), "{worker:?} is still there");
    }
    brigade.check_nothing_stays();
}
