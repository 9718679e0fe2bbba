//! As process 1 of a container: every orphan is reaped, signals and exit codes pass.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Brigade, Launch, Load, Need, Process, lacks};

/// Starts as process 1 of a pid namespace with a /proc of its own.
fn first_process(arguments: &[&str]) -> Brigade {
    let unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
    let brigade = Launch::new(arguments).under(&unshare).ready();
    assert!(
        brigade
            .wait_for("supervisor.starting", |_| true)
            .is("pid", 1)
    );
    brigade
}

/// The supervisor as seen from outside of its namespace.
fn outside(brigade: &Brigade) -> Process {
    brigade.supervisor().children()[0]
}

fn tell(process: Process, signal: Signal) {
    kill(Pid::from_raw(process.0), signal).unwrap();
}

#[test]
fn process_1_serves_and_stops_like_any_other() {
    if lacks(Need::Root) {
        return;
    }
    let brigade = first_process(&["serve", "--workers", "2"]);
    let load = Load::connections(&brigade, 4).start();
    tell(outside(&brigade), Signal::SIGHUP);
    brigade.wait_for("reload.done", |_| true);
    load.flow(50);
    load.stop().assert_lost_none();
    tell(outside(&brigade), Signal::SIGTERM);
    brigade.ended(0);
}

#[test]
fn process_1_reaps_orphans_and_does_not_take_them_for_workers() {
    if lacks(Need::Root) {
        return;
    }
    // Each worker leaves twenty grandchildren behind, whose parent does not wait for them.
    let program = "i=0; while [ $i -lt 20 ]; do (true &); i=$((i+1)); done; exec sleep 1000";
    let arguments = [
        "exec",
        "--workers",
        "2",
        "--ready",
        "100ms",
        "--",
        "sh",
        "-c",
        program,
    ];
    let brigade = first_process(&arguments);
    brigade.until("forty orphans are reaped", || {
        brigade.events("orphan.reaped").len() >= 40
    });
    let supervisor = outside(&brigade);
    brigade.until("no dead child is left", || {
        !supervisor.children().iter().any(|child| child.is_zombie())
    });
    assert_eq!(brigade.events("worker.crashed").len(), 0);
    assert_eq!(supervisor.children().len(), 2);
    tell(supervisor, Signal::SIGTERM);
    brigade.ended(0);
}

#[test]
fn process_1_gives_up_with_its_code() {
    if lacks(Need::Root) {
        return;
    }
    let unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
    let launch = Launch::new(&["exec", "--workers", "1", "--", "false"]);
    let brigade = launch.under(&unshare).start();
    brigade.wait_for("supervisor.giving_up", |_| true);
    brigade
        .expects("worker.crashed")
        .expects("supervisor.giving_up")
        .ended(1);
}

#[test]
fn a_worker_of_process_1_is_replaced() {
    if lacks(Need::Root) {
        return;
    }
    let brigade = first_process(&["serve", "--workers", "1"]).expects("worker.crashed");
    let victim = outside(&brigade).children()[0];
    tell(victim, Signal::SIGKILL);
    brigade.wait_for("worker.crashed", |event| event.is("signal", 9));
    assert_eq!(brigade.get("/").status, 200);
    tell(outside(&brigade), Signal::SIGTERM);
    brigade.ended(0);
}
