//! The admin address when things go wrong: everybody stands still, an upgrade comes to nothing, the
//! place is taken, a configuration wants another.

use std::fs;
use std::net::TcpListener;

use nix::sys::signal::Signal;

use crate::admin::{answers, ask, metric, start, status, until_status};
use crate::support::{Launch, Need, lacks};
use crate::upgrade::{replace, runs, upgrade};

#[test]
fn who_stands_still_with_everybody_is_neither_alive_nor_ready_until_somebody_goes_on() {
    let brigade = start(&["--stall-warn", "100ms"]);
    let (first, mut one) = brigade.block_any(6000);
    brigade.wait_for("worker.blocked", |event| event.pid() == first.process.0);
    // New connections meet the other one.
    assert_eq!(
        status(&brigade, "/livez"),
        200,
        "one of two is enough to live"
    );
    assert_eq!(
        status(&brigade, "/readyz"),
        503,
        "and all are needed to be ready"
    );
    let (second, mut other) = brigade.block_any(4000);
    assert_ne!(first.process, second.process);
    brigade.wait_for("worker.blocked", |event| event.pid() == second.process.0);
    let (live, words) = ask(&brigade, "/livez");
    assert_eq!(live, 503, "{words}");
    assert!(words.contains("2 of them stand still"), "{words}");
    assert_eq!(status(&brigade, "/startupz"), 200, "it has started once");
    assert_eq!(metric(&brigade, "brigade_workers{state=\"blocked\"}"), 2.0);
    assert_eq!(metric(&brigade, "brigade_worker_stalls_total"), 2.0);
    assert!(metric(&brigade, "brigade_requests_in_flight{slot=\"0\"}") >= 1.0);
    for connection in [&mut one, &mut other] {
        assert_eq!(connection.receive().unwrap().status, 200);
    }
    until_status(&brigade, "/readyz", 200);
    assert_eq!(status(&brigade, "/livez"), 200);
    assert!(metric(&brigade, "brigade_stall_seconds_count") >= 2.0);
    brigade.stop_and_check();
}

#[test]
fn half_of_the_workers_are_enough_if_that_was_said() {
    let brigade = start(&["--stall-warn", "100ms", "--ready-when", "50%"]);
    let (worker, mut line) = brigade.block_any(1000);
    brigade.wait_for("worker.blocked", |event| event.pid() == worker.process.0);
    let (ready, words) = ask(&brigade, "/readyz");
    assert_eq!(ready, 200, "{words}");
    assert_eq!(line.receive().unwrap().status, 200);
    brigade.stop_and_check();
}

#[test]
fn who_is_ended_for_standing_still_is_counted_as_such() {
    let brigade = start(&["--stall-warn", "50ms", "--timeout-worker", "300ms"]);
    brigade.expect("worker.crashed");
    brigade.expect("worker.overdue");
    let (worker, _line) = brigade.block_any(60_000);
    brigade.wait_for("worker.crashed", |event| event.pid() == worker.process.0);
    until_status(&brigade, "/readyz", 200);
    let of = |cause| {
        metric(
            &brigade,
            &format!("brigade_worker_restarts_total{{cause=\"{cause}\"}}"),
        )
    };
    assert_eq!((of("stall"), of("crash"), of("start")), (1.0, 0.0, 0.0));
    brigade.stop_and_check();
}

#[test]
fn an_upgrade_that_comes_to_nothing_leaves_the_process_where_it_is() {
    let launch = crate::admin::launch(&["--timeout-start", "2s"]);
    let brigade = launch.copied_as("DIR/brigade").ready();
    for trouble in [
        "upgrade.rolled_back",
        "reload.rolled_back",
        "app.failed",
        "worker.crashed",
    ] {
        brigade.expect(trouble);
    }
    let process = answers(&brigade);
    let program = runs(process);
    let order = brigade.dir().join("brigade-demo.conf");
    fs::write(&order, "boot=fail").unwrap();
    replace(&brigade);
    let (_, outcome) = upgrade(&brigade);
    assert_eq!(outcome.name(), "upgrade.rolled_back", "{}", outcome.value);
    fs::remove_file(&order).unwrap();
    for path in ["/livez", "/readyz", "/startupz"] {
        assert_eq!(status(&brigade, path), 200, "{path}");
    }
    assert_eq!(process.parent(), Some(brigade.supervisor().0));
    assert_eq!(runs(process), program, "it never was another's");
    assert_eq!(brigade.events("admin.ready").len(), 1);
    let outcome = "brigade_upgrades_total{outcome=\"rolled_back\"}";
    assert_eq!(metric(&brigade, outcome), 1.0);
    brigade.stop_and_check();
}

#[test]
fn a_place_that_is_taken_is_named_and_nothing_is_left() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = taken.local_addr().unwrap().to_string();
    let launch = Launch::new(&["serve", "--bind", "unix:a.sock", "--admin", &place]);
    // `run` holds the directory before against the directory after.
    let output = launch.run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(71), "{said}");
    assert!(
        said.contains("the admin address: cannot listen on"),
        "{said}"
    );
    assert!(said.contains(&place), "{said}");
}

#[test]
fn a_reload_can_not_move_it() {
    let file = "admin = \"127.0.0.1:0\"\nworkers = 2\n";
    let launch = Launch::new(&["serve", "--config", "brigade.toml"]);
    let brigade = launch.file("brigade.toml", file).ready();
    brigade.expect("reload.refused");
    answers(&brigade);
    let other = file.replace("127.0.0.1:0", "unix:admin.sock");
    fs::write(brigade.dir().join("brigade.toml"), other).unwrap();
    let mark = brigade.signal_heard(Signal::SIGHUP);
    let refused = brigade.wait_after(mark, "reload.refused", |_| true);
    assert!(refused.text("problems").contains("restart to change it"));
    assert_eq!(
        metric(&brigade, "brigade_reloads_total{outcome=\"refused\"}"),
        1.0
    );
    brigade.stop_and_check();
}

#[test]
fn it_runs_as_the_workers_do_and_still_sees_their_memory() {
    if lacks(Need::Root) {
        return;
    }
    let brigade = start(&["--user", "65534"]);
    let process = answers(&brigade);
    assert!(process.status("Uid").starts_with("65534 "));
    assert_eq!(process.status("CapEff"), "0000000000000000");
    let memory = metric(&brigade, "brigade_worker_resident_memory_bytes{slot=\"0\"}");
    assert!(memory > 0.0);
    assert!(metric(&brigade, "brigade_supervisor_resident_memory_bytes") > 0.0);
    brigade.stop_and_check();
}

#[test]
fn if_the_service_can_not_listen_nothing_of_it_is_left() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = taken.local_addr().unwrap().to_string();
    let launch = Launch::new(&["serve", "--bind", &place, "--admin", "unix:admin.sock"]);
    // `run` holds the directory before against the directory after.
    assert_eq!(launch.run().status.code(), Some(71));
}
