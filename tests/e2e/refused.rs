//! Starts that cannot be: a sentence that says why and what to do, the right code, nothing left.

use std::fs;
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};

use crate::support::{Address, Brigade, Connection, Launch, Need, lacks, run};

/// What the refused start said, after checking its exit code.
fn refused(launch: Launch, code: i32) -> String {
    let output = launch.run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(
            said.to_lowercase().contains(&word.to_lowercase()),
            "no word of {word:?} in: {said}"
        );
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refused(Launch::new(&["serve", "--bind", &address]), 71);
    assert_says(&said, &[&address, "in use"]);
}

#[test]
fn two_brigades_never_share_a_port_by_accident() {
    // Both set SO_REUSEPORT: the kernel alone would let the second one in.
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let bind = format!("127.0.0.1:{}", brigade.address().port());
    let said = refused(Launch::new(&["serve", "--bind", &bind]), 71);
    assert_says(&said, &[&bind, "in use"]);
    assert_eq!(brigade.get("/").status, 200);
    brigade.stop_and_check();
}

#[test]
fn what_was_bound_before_the_failure_is_released() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let launch = Launch::new(&["serve", "--bind", "unix:first.sock", "--bind", &address])
        .arguments(["--pid-file", "brigade.pid"]);
    // `run` holds the directory before against the directory after.
    assert_says(&refused(launch, 71), &[&address]);
}

#[test]
fn a_port_that_needs_rights_is_named() {
    let launch = Launch::new(&["serve", "--bind", "127.0.0.1:80"]);
    let launch = if nix::unistd::geteuid().is_root() {
        let without = "-net_bind_service";
        launch.under(&["setpriv", "--bounding-set", without, "--inh-caps", without])
    } else {
        launch
    };
    assert_says(&refused(launch, 71), &["127.0.0.1:80", "permission denied"]);
}

#[test]
fn a_name_that_nobody_knows_is_named() {
    if lacks(Need::Root) {
        return;
    }
    // In a network of its own, so that the question goes nowhere.
    let launch = Launch::new(&["serve", "--bind", "no-such-host.invalid:8000"]);
    let said = refused(launch.under(&["unshare", "--net"]), 71);
    assert_says(&said, &["no-such-host.invalid"]);
}

#[test]
fn an_address_of_another_machine_is_named() {
    let said = refused(Launch::new(&["serve", "--bind", "192.0.2.1:8000"]), 71);
    assert_says(&said, &["192.0.2.1:8000"]);
}

#[test]
fn a_socket_in_a_missing_directory_is_named() {
    let said = refused(Launch::new(&["serve", "--bind", "unix:nowhere/a.sock"]), 71);
    assert_says(&said, &["nowhere/a.sock"]);
}

#[test]
fn a_descriptor_that_is_no_listening_socket_is_named() {
    let said = refused(Launch::new(&["serve", "--bind", "fd:3"]), 71);
    assert_says(&said, &["fd:3"]);
    let file = tempfile::tempfile().unwrap();
    let said = refused(Launch::new(&["serve", "--bind", "fd:3"]).inherit(file), 71);
    assert_says(&said, &["fd:3", "socket"]);
    let (one, _other) = UnixStream::pair().unwrap();
    let said = refused(Launch::new(&["serve", "--bind", "fd:3"]).inherit(one), 71);
    assert_says(&said, &["fd:3", "listen"]);
}

#[test]
fn sockets_of_systemd_are_missed_by_name() {
    let said = refused(Launch::new(&["serve", "--bind", "systemd:web"]), 71);
    assert_says(&said, &["systemd:web"]);
    // Meant for another process.
    let launch = Launch::new(&["serve", "--bind", "systemd:"])
        .variable("LISTEN_PID", "1")
        .variable("LISTEN_FDS", "1");
    assert_says(&refused(launch, 71), &["systemd"]);
}

#[test]
fn a_stale_socket_is_replaced() {
    let launch = Launch::new(&["serve", "--workers", "1", "--uds", "a.sock"]);
    let path = launch.dir().join("a.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "std leaves the file");
    let brigade = launch.ready();
    let mut connection = Connection::open(&Address::Unix(path)).unwrap();
    assert_eq!(connection.get("/").unwrap().status, 200);
    brigade.stop_and_check();
}

#[test]
fn a_live_socket_is_not_taken_away() {
    let launch = Launch::new(&["serve", "--uds", "a.sock"]);
    let path = launch.dir().join("a.sock");
    let living = UnixListener::bind(&path).unwrap();
    assert_says(&refused(launch, 71), &["a.sock", "listens there"]);
    drop(living);
}

#[test]
fn a_plain_file_is_not_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("precious");
    fs::write(&path, "words").unwrap();
    let bind = format!("unix:{}", path.display());
    assert_says(
        &refused(Launch::new(&["serve", "--bind", &bind]), 71),
        &["precious"],
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "words");
}

#[test]
fn a_successors_socket_is_not_removed_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.sock");
    let brigade = Brigade::start(&["serve", "--workers", "1", "--uds", path.to_str().unwrap()]);
    fs::remove_file(&path).unwrap();
    // Most file systems give it the same inode number.
    let successor = UnixListener::bind(&path).unwrap();
    brigade.expects("other listeners").stop_and_check();
    assert!(UnixStream::connect(&path).is_ok());
    drop(successor);
}

#[test]
fn absurd_numbers_of_workers_are_refused_with_a_sentence() {
    for number in [
        "0",
        "-1",
        "1025",
        "999999",
        "99999999999999999999",
        "two",
        "",
    ] {
        let output = run(&["serve", "--port", "0", "--workers", number]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "--workers {number}: {said}");
        assert_says(&said, &["workers"]);
    }
}

#[test]
fn wrong_usage_is_code_2_and_bad_configuration_78() {
    for arguments in [
        &["serve", "--wrokers", "2"][..],
        &["serv"],
        &["exec"],
        &["exec", "--workers", "2", "--"],
        &["serve", "--bind", "nowhere"],
        &["serve", "--timeout-start", "soon"],
        &["serve", "--log-format", "xml"],
    ] {
        let output = run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    assert_says(
        &refused(
            Launch::new(&["serve"]).variable("BRIGADE_WORKERS", "many"),
            78,
        ),
        &["BRIGADE_WORKERS", "many"],
    );
    let missing = Launch::new(&["serve", "--config", "missing.toml"]);
    assert_says(&refused(missing, 78), &["missing.toml"]);
}

#[test]
fn all_problems_of_a_file_are_told_at_once_with_line_and_nearest_name() {
    let text = "wrokers = 2\ntimeout-start = \"5 lightyears\"\nbacklog = 70000\n";
    let said = refused(Launch::new(&["serve"]).file("brigade.toml", text), 78);
    assert_says(
        &said,
        &[
            "brigade.toml",
            "wrokers",
            "`workers`",
            "5 lightyears",
            "70000",
        ],
    );
    for line in ["brigade.toml:1", "brigade.toml:2", "brigade.toml:3"] {
        assert_says(&said, &[line]);
    }
}

#[test]
fn commands_that_only_print_are_no_failures() {
    for arguments in [
        &["--help"][..],
        &["serve", "--help"],
        &["--version"],
        &["schema"],
        &["completions", "bash"],
        &["man"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(
            !output.stdout.is_empty() && output.stderr.is_empty(),
            "{arguments:?}"
        );
    }
}
