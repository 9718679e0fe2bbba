//! Who the workers are, what they may, and how `ps` shows them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use nix::unistd::{Group, User};

use crate::support::{Brigade, Launch, Need, lacks};

#[test]
fn workers_run_as_the_user_and_the_supervisor_stays_who_it_is() {
    if lacks(Need::Root) {
        return;
    }
    let user = User::from_name("nobody")
        .unwrap()
        .expect("every Linux has the user nobody");
    let launch = Launch::new(&["serve", "--workers", "2", "--user", "nobody"]);
    // The supervisor has groups that its workers must not keep.
    let brigade = launch.under(&["setpriv", "--groups", "0,4,5"]).ready();
    assert!(brigade.supervisor().status("Groups").contains("4 5"));
    for worker in brigade.workers() {
        let four = |id: u32| vec![id.to_string(); 4].join(" ");
        assert_eq!(worker.process.status("Uid"), four(user.uid.as_raw()));
        assert_eq!(worker.process.status("Gid"), four(user.gid.as_raw()));
        let groups = worker.process.status("Groups");
        assert!(
            !groups
                .split(' ')
                .any(|group| ["0", "4", "5"].contains(&group)),
            "the supervisor's groups are gone: {groups}"
        );
        assert_eq!(worker.process.status("CapEff"), "0000000000000000");
    }
    assert!(brigade.supervisor().status("Uid").starts_with("0 "));
    assert_eq!(brigade.get("/").status, 200);
    brigade.stop_and_check();
}

#[test]
fn a_group_may_be_chosen_and_numbers_do() {
    if lacks(Need::Root) {
        return;
    }
    let group = Group::from_name("daemon")
        .unwrap()
        .expect("every Linux has the group daemon");
    let arguments = [
        "serve",
        "--workers",
        "1",
        "--user",
        "65534",
        "--group",
        "daemon",
    ];
    let brigade = Brigade::start(&arguments);
    let worker = brigade.worker(0).process;
    assert!(
        worker.status("Uid").starts_with("65534 "),
        "{}",
        worker.status("Uid")
    );
    let gid = group.gid.to_string();
    assert!(
        worker.status("Gid").starts_with(&format!("{gid} ")),
        "{}",
        worker.status("Gid")
    );
    brigade.stop_and_check();
}

#[test]
fn a_user_that_does_not_exist_is_bad_configuration() {
    let output = Launch::new(&["serve", "--user", "no-such-user-here"]).run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert!(said.contains("no-such-user-here"), "{said}");
}

#[test]
fn workers_of_another_user_are_still_ours_to_kill_reload_and_stop() {
    if lacks(Need::Root) {
        return;
    }
    let brigade = Brigade::start(&["serve", "--workers", "2", "--user", "nobody"]);
    brigade.kill(brigade.worker(0), nix::sys::signal::Signal::SIGKILL);
    let mark = brigade.signal_heard(nix::sys::signal::Signal::SIGHUP);
    brigade.wait_after(mark, "reload.done", |_| true);
    assert_eq!(brigade.get("/").status, 200);
    brigade.stop_and_check();
}

#[test]
fn the_umask_is_that_of_supervisor_and_workers_and_of_the_socket() {
    let launch = Launch::new(&[
        "serve",
        "--workers",
        "1",
        "--umask",
        "027",
        "--uds",
        "a.sock",
    ]);
    let path = launch.dir().join("a.sock");
    let brigade = launch.ready();
    assert_eq!(brigade.worker(0).process.status("Umask"), "0027");
    assert_eq!(brigade.supervisor().status("Umask"), "0027");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );
    brigade.stop_and_check();
}

#[test]
fn each_worker_has_its_processor() {
    let brigade = Brigade::start(&["serve", "--workers", "4", "--cpu-affinity"]);
    let cpus: Vec<_> = brigade
        .workers()
        .iter()
        .map(|w| w.process.status("Cpus_allowed_list"))
        .collect();
    let allowed = brigade.supervisor().status("Cpus_allowed_list");
    assert!(
        cpus.iter().all(|cpu| cpu.parse::<usize>().is_ok()),
        "one each: {cpus:?}"
    );
    if allowed.contains(['-', ',']) {
        assert_ne!(cpus[0], cpus[1], "of {allowed}");
    }
    brigade.stop_and_check();
    let free = Brigade::start(&["serve", "--workers", "1"]);
    let worker = free.worker(0).process.status("Cpus_allowed_list");
    assert_eq!(worker, free.supervisor().status("Cpus_allowed_list"));
    free.stop_and_check();
}

#[test]
fn titles_tell_who_is_who() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    assert_eq!(brigade.supervisor().title(), "brigade: supervisor");
    assert_eq!(
        brigade.worker(1).process.title(),
        "brigade: worker 1 (generation 1)"
    );
    let mark = brigade.signal_heard(nix::sys::signal::Signal::SIGHUP);
    brigade.wait_after(mark, "reload.done", |_| true);
    assert_eq!(
        brigade.worker(1).process.title(),
        "brigade: worker 1 (generation 2)"
    );
    brigade.stop_and_check();
}

#[test]
fn the_pid_file_names_the_supervisor_and_goes_with_it() {
    let launch = Launch::new(&["serve", "--workers", "1", "--pid-file", "brigade.pid"]);
    let path = launch.dir().join("brigade.pid");
    let brigade = launch.ready();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.trim(), brigade.supervisor().0.to_string());
    brigade.stop_and_check();
    assert!(!path.exists());
}

#[test]
fn a_pid_file_that_can_not_be_written_stops_the_start() {
    let output = Launch::new(&["serve", "--pid-file", "nowhere/brigade.pid"]).run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(71), "{said}");
    assert!(said.contains("nowhere/brigade.pid"), "{said}");
}

#[test]
fn every_process_of_the_supervisor_has_one_thread() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    assert_eq!(brigade.supervisor().status("Threads"), "1");
    brigade.stop_and_check();
}

#[test]
fn a_user_that_may_not_be_assumed_is_told() {
    let arguments = ["serve", "--workers", "1", "--user", "nobody"];
    let launch = Launch::new(&arguments);
    let launch = if nix::unistd::geteuid().is_root() {
        let without = "-setuid,-setgid";
        launch.under(&["setpriv", "--bounding-set", without, "--inh-caps", without])
    } else {
        launch
    };
    let brigade = launch.start();
    let event = brigade.wait_for("supervisor.giving_up", |_| true);
    let output = event.text("output");
    assert!(output.contains("user"), "{}", event.value);
    brigade
        .expects("worker.crashed")
        .expects("supervisor.giving_up")
        .ended(1);
}
