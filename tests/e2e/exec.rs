//! `brigade exec`: any program, on sockets that it inherits, with the same policies.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{Brigade, Launch, Load, Need, app, lacks, python};

/// Starts the plain Python server with `workers` workers.
fn plain(options: &[&str], words: &[&str]) -> Launch {
    let launch = Launch::new(&[&["exec"], options].concat());
    let program = [
        "--".to_owned(),
        python().display().to_string(),
        app("plain.py"),
    ];
    launch.arguments(program).arguments(words)
}

/// A program in shell, which needs nothing but a shell.
fn shell(options: &[&str], program: &str) -> Launch {
    Launch::new(&[&["exec"], options, &["--", "sh", "-c", program]].concat())
}

fn lines(brigade: &Brigade, stream: &str) -> Vec<String> {
    let output = brigade.events("worker.output");
    let of = output.iter().filter(|event| event.text("stream") == stream);
    of.map(|event| event.text("line").to_owned()).collect()
}

#[test]
fn a_program_serves_on_the_socket_that_it_inherits() {
    if lacks(Need::Python) {
        return;
    }
    let brigade = plain(&["--workers", "2"], &[]).ready();
    let environment: Value = serde_json::from_str(&brigade.get("/env").text()).unwrap();
    let slot: i64 = environment["BRIGADE_SLOT"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let worker = brigade.worker(slot);
    assert_eq!(environment["LISTEN_FDS"], "1");
    assert_eq!(environment["LISTEN_PID"], worker.process.0.to_string());
    assert!(environment["LISTEN_FDNAMES"].is_string());
    assert!(environment["NOTIFY_SOCKET"].is_string());
    assert_eq!(environment["BRIGADE_GENERATION"], "1");
    // Input, output, error, the socket, and what Python opened: no descriptor of ours.
    assert_eq!(worker.process.descriptor(0).as_deref(), Some("/dev/null"));
    let pipes = worker
        .process
        .descriptors()
        .iter()
        .filter(|name| *name == "pipe")
        .count();
    assert_eq!(pipes, 2, "{:?}", worker.process.descriptors());
    brigade.stop_and_check();
}

#[test]
fn several_sockets_are_passed_in_the_order_of_the_flags() {
    if lacks(Need::Python) {
        return;
    }
    let binds = [
        "--workers",
        "2",
        "--bind",
        "127.0.0.1:0",
        "--bind",
        "unix:a.sock",
    ];
    let launch = plain(&binds, &[]);
    let path = launch.dir().join("a.sock");
    let brigade = launch.ready();
    for address in [brigade.address(), crate::support::Address::Unix(path)] {
        let load = Load::connections(&brigade, 3).at(address).path("/").start();
        load.flow(50);
        load.stop().assert_lost_none();
    }
    let environment: Value = serde_json::from_str(&brigade.get("/env").text()).unwrap();
    assert_eq!(environment["LISTEN_FDS"], "2");
    brigade.stop_and_check();
}

#[test]
fn a_killed_program_is_replaced_and_only_its_own_requests_are_lost() {
    if lacks(Need::Python) {
        return;
    }
    let brigade = plain(&["--workers", "2"], &[]).ready();
    let load = Load::connections(&brigade, 4).path("/").start();
    let mut kills = Vec::new();
    for slot in [0, 1] {
        let worker = brigade.worker(slot);
        kills.push(brigade.kill(worker, Signal::SIGKILL));
        brigade.wait_for("worker.ready", |event| {
            event.is("slot", slot) && event.pid() != worker.process.0
        });
        load.flow(50);
    }
    load.stop().assert_lost_only(&kills);
    brigade.stop_and_check();
}

#[test]
fn programs_are_reloaded_and_scaled_without_a_loss() {
    if lacks(Need::Python) {
        return;
    }
    let brigade = plain(&["--workers", "2"], &[]).ready();
    let before = brigade.supervisor().descriptors();
    let load = Load::connections(&brigade, 4).path("/").start();
    for generation in [2, 3] {
        brigade.reload();
        assert_eq!(brigade.worker(0).generation, generation);
        load.flow(50);
    }
    for (signal, event) in [
        (Signal::SIGTTIN, "worker.ready"),
        (Signal::SIGTTOU, "worker.left"),
    ] {
        let mark = brigade.signal_heard(signal);
        brigade.wait_after(mark, "fleet.scaled", |_| true);
        brigade.wait_after(mark, event, |event| event.is("slot", 2));
        load.flow(50);
    }
    let account = load.stop();
    account.assert_lost_none();
    assert!(
        account.generations.contains(&3),
        "{:?}",
        account.generations
    );
    brigade.until("descriptors are as before", || {
        brigade.supervisor().descriptors() == before
    });
    brigade.stop_and_check();
}

#[test]
fn a_slow_request_is_finished_before_the_program_leaves() {
    if lacks(Need::Python) {
        return;
    }
    let brigade = plain(&["--workers", "1"], &[]).ready();
    let mut slow = brigade.connect();
    slow.send("GET /slow?ms=1000 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    brigade.until("the program has taken the connection", || {
        let taken = brigade.worker(0).process.descriptors();
        taken.iter().filter(|name| *name == "socket").count() >= 4
    });
    brigade.signal(Signal::SIGTERM);
    assert_eq!(slow.receive().expect("it is finished").status, 200);
    brigade.wait_for("worker.output", |event| event.text("line") == "drained");
    brigade.ended(0);
}

#[test]
fn a_program_is_ready_when_it_says_so() {
    if lacks(Need::Python) {
        return;
    }
    let launch = plain(
        &["--workers", "1", "--ready", "notify"],
        &["--notify-after", "go"],
    );
    let brigade = launch.start();
    brigade.wait_for("worker.spawned", |_| true);
    assert!(brigade.events("worker.ready").is_empty());
    std::fs::write(brigade.dir().join("go"), "").unwrap();
    brigade.wait_for("fleet.ready", |_| true);
    let status = brigade.wait_for("worker.status", |_| true);
    assert_eq!(status.text("status"), "at your service");
    let answer = brigade.get("/notify?words=STATUS=busy%0AWATCHDOG=1");
    assert_eq!(answer.status, 200);
    brigade.wait_for("worker.status", |event| event.text("status") == "busy");
    brigade.stop_and_check();
}

#[test]
fn readiness_without_a_word_is_seen_from_outside() {
    if lacks(Need::Python) {
        return;
    }
    // Python needs its time to start; until then nobody waits for connections.
    let brigade = plain(&["--workers", "2"], &[]).start();
    let ready = brigade.wait_for("worker.ready", |_| true);
    assert!(ready.number("start_ms").is_some(), "{}", ready.value);
    brigade.wait_for("fleet.ready", |_| true);
    assert_eq!(brigade.get("/").status, 200);
    brigade.stop_and_check();
}

#[test]
fn a_program_that_can_not_be_looked_at_is_ready_when_it_has_lived_a_while() {
    if lacks(Need::Root) {
        return;
    }
    // Root without the right to look into the processes of others.
    let without = "-sys_ptrace";
    let wrapper = ["setpriv", "--bounding-set", without, "--inh-caps", without];
    let launch = shell(&["--workers", "1", "--user", "nobody"], "exec sleep 1000");
    let brigade = launch.under(&wrapper).ready();
    brigade.wait_for("worker.hidden", |event| event.is("slot", 0));
    let ready = brigade.wait_for("worker.ready", |_| true);
    assert!(ready.number("start_ms") >= Some(1000), "{}", ready.value);
    brigade.expects("worker.hidden").stop_and_check();
}

#[test]
fn output_comes_in_whole_lines_with_slot_and_stream() {
    let program = r#"i=0; while [ $i -lt 50 ]; do
            printf 'one '; printf 'two '; echo "three $i"; echo "oh $i" >&2; i=$((i+1));
        done; printf 'no line feed'; exec sleep 1000"#;
    let brigade = shell(&["--workers", "2", "--ready", "50ms"], program).ready();
    for slot in [0, 1] {
        let last =
            |event: &crate::support::Event| event.is("slot", slot) && event.text("line") == "oh 49";
        brigade.wait_for("worker.output", last);
    }
    brigade.signal(Signal::SIGTERM);
    brigade.wait_for("supervisor.stopped", |_| true);
    let whole = |number: usize| format!("one two three {number}");
    let (out, err) = (lines(&brigade, "out"), lines(&brigade, "err"));
    for number in 0..50 {
        assert_eq!(
            out.iter().filter(|line| **line == whole(number)).count(),
            2,
            "{out:?}"
        );
        assert_eq!(
            err.iter()
                .filter(|line| **line == format!("oh {number}"))
                .count(),
            2
        );
    }
    assert_eq!(
        out.iter().filter(|line| *line == "no line feed").count(),
        2,
        "the last words"
    );
    assert_eq!(out.len(), 2 * 51);
    brigade.ended(0);
}

#[test]
fn people_see_the_prefix_before_each_line() {
    let program = "echo hello; echo trouble >&2; exec sleep 1000";
    let (mut reader, writer) = std::io::pipe().unwrap();
    let launch = shell(
        &["--workers", "1", "--ready", "50ms", "--log-format", "human"],
        program,
    );
    let brigade = launch.after("exec >&2").stderr(writer).start();
    let mut seen = String::new();
    let mut bytes = [0; 4096];
    while !(seen.contains("[0 out] hello\n") && seen.contains("[0 err] trouble\n")) {
        let count = std::io::Read::read(&mut reader, &mut bytes).unwrap();
        assert!(count > 0, "the end came too early: {seen}");
        seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    brigade.signal(Signal::SIGTERM);
    brigade.ended(0);
}

/// How many workers have said everything.
fn has_flooded(brigade: &Brigade) -> usize {
    let files = std::fs::read_dir(brigade.dir()).unwrap().flatten();
    let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("flooded-")).count()
}

#[test]
fn a_flood_of_output_blocks_neither_program_nor_supervisor() {
    if lacks(Need::Python) {
        return;
    }
    let brigade = plain(&["--workers", "2"], &["--flood", "20000"]).ready();
    let load = Load::connections(&brigade, 2).path("/").start();
    load.flow(50);
    // A line of the log that says so may be lost in the flood.
    brigade.signal(Signal::SIGTTIN);
    let workers = || brigade.supervisor().children().len();
    brigade.until("the signal is followed", || workers() == 3);
    brigade.until("everything is said", || has_flooded(&brigade) == 3);
    load.stop().assert_lost_none();
    // Nobody promises that each line of a flood is kept, only that none is torn.
    brigade.expects("log.dropped").stop_and_check();
}

#[test]
fn a_program_is_not_blocked_by_a_log_that_nobody_reads() {
    if lacks(Need::Python) {
        return;
    }
    let (reader, writer) = std::io::pipe().unwrap();
    let brigade = plain(&["--workers", "1"], &["--flood", "20000"])
        .stderr(writer)
        .start();
    brigade.until("everything is said", || has_flooded(&brigade) == 1);
    brigade.signal(Signal::SIGTERM);
    brigade.ended(0);
    drop(reader);
}

#[test]
fn a_program_that_ignores_term_is_killed_when_its_time_is_over() {
    let program = "trap '' TERM INT; while true; do sleep 0.1; done";
    let options = [
        "--workers",
        "2",
        "--ready",
        "50ms",
        "--timeout-graceful-shutdown",
        "300ms",
    ];
    let launch = shell(
        &[&options[..], &["--timeout-kill", "300ms"]].concat(),
        program,
    );
    let brigade = launch.ready();
    brigade.signal(Signal::SIGTERM);
    brigade.wait_for("worker.overdue", |event| event.text("deadline") == "drain");
    brigade
        .expects("worker.overdue")
        .expects("worker.crashed")
        .ended(0);
}

#[test]
fn a_program_that_ignores_only_term_is_cut_by_the_second_signal() {
    let program = "trap '' TERM; exec sleep 1000";
    let brigade = shell(&["--workers", "2", "--ready", "50ms"], program).ready();
    brigade.signal(Signal::SIGTERM);
    brigade.wait_for("fleet.stopping", |event| event.text("how") == "drain");
    brigade.signal_again(Signal::SIGTERM);
    brigade.wait_for("worker.left", |event| event.is("signal", 2));
    brigade.ended(0);
}

#[test]
fn programs_are_told_to_reopen_their_logs_only_if_they_would_not_die_of_it() {
    // Only the first slot knows what the signal is for.
    let program = r#"test $BRIGADE_SLOT = 1 && exec sleep 1000
        trap 'echo reopened' USR1; while true; do sleep 0.1; done"#;
    let brigade = shell(&["--workers", "2", "--ready", "300ms"], program).ready();
    let workers = brigade.workers();
    brigade.settled();
    let is_first = |event: &crate::support::Event| event.is("slot", 0);
    let told = brigade.wait_for("worker.output", is_first);
    assert_eq!(told.text("line"), "reopened");
    assert_eq!(brigade.workers(), workers);
    brigade.stop_and_check();
}

#[test]
fn what_a_program_has_started_leaves_with_it() {
    let program = "sleep 1000 & sleep 1001 & exec sleep 1002";
    let brigade = shell(&["--workers", "2", "--ready", "50ms"], program).ready();
    brigade.until("everybody is there", || brigade.processes().len() == 7);
    brigade.stop_and_check();
}

#[test]
fn a_crashed_programs_last_words_stand_in_its_crash_line() {
    let program = r#"echo "the database is gone" >&2; read line; exit 4"#;
    let options = [
        "--workers",
        "1",
        "--ready",
        "100ms",
        "--restart-delay",
        "100ms",
    ];
    let brigade = shell(&options, program).start();
    let crash = brigade.wait_for("worker.crashed", |_| true);
    assert!(crash.is("code", 4), "{}", crash.value);
    assert!(
        crash.text("output").contains("the database is gone"),
        "{}",
        crash.value
    );
    let brigade = brigade
        .expects("worker.crashed")
        .expects("supervisor.giving_up");
    brigade.signal(Signal::SIGTERM);
    brigade.wait_for("supervisor.stopped", |_| true);
}

#[test]
fn documented_exit_codes_of_a_program_are_understood() {
    if lacks(Need::Python) {
        return;
    }
    let brigade = plain(&["--workers", "2"], &[])
        .ready()
        .expects("worker.crashed");
    // 78: do not respawn me. The other worker serves on.
    let parked = brigade.get("/env").text();
    let environment: Value = serde_json::from_str(&parked).unwrap();
    assert!(environment["BRIGADE_SLOT"].is_string());
    let mut connection = brigade.connect();
    assert!(connection.get("/exit?code=78").is_err());
    let parked = brigade.wait_for("slot.parked", |_| true);
    brigade.settled();
    let healthy = 1 - parked.number("slot").unwrap();
    for _ in 0..10 {
        assert_eq!(brigade.get("/").number("slot"), Some(healthy));
    }
    // A reload gives the slot another chance.
    let mark = brigade.signal_heard(Signal::SIGHUP);
    brigade.wait_after(mark, "reload.done", |_| true);
    brigade.until("both slots serve", || brigade.workers().len() == 2);
    brigade.stop_and_check();
}

#[test]
fn arguments_and_environment_reach_the_program_unchanged() {
    let program = r#"printf '%s|' "$0" "$@"; echo "$GREETING"; exec sleep 1000"#;
    let words = ["a b", "--workers", "", "$HOME", "ü"];
    let launch = shell(&["--workers", "1", "--ready", "50ms"], program);
    let launch = launch.variable("GREETING", "hello, world");
    let brigade = launch.arguments(["zero"]).arguments(words).ready();
    let wanted = "zero|a b|--workers||$HOME|ü|hello, world";
    brigade.wait_for("worker.output", |event| event.text("line") == wanted);
    brigade.stop_and_check();
}

#[test]
fn keys_that_have_no_effect_on_a_program_are_told_at_the_start_and_by_check() {
    let options = [
        "--workers",
        "1",
        "--access-log",
        "a.log",
        "--limit-body",
        "1MiB",
    ];
    let brigade = shell(&options, "exec sleep 600").start();
    let told = brigade.wait_for("config.unheeded", |_| true);
    brigade.expect("config.unheeded");
    let words = told.text("words");
    assert!(
        words.starts_with("without effect: limit-body, access-log."),
        "{words}"
    );
    // From there on it hears signals.
    brigade.wait_for("worker.spawned", |_| true);
    assert!(!brigade.dir().join("a.log").exists());
    brigade.stop_and_check();
    let check = |words: &[&str]| {
        let checked = Launch::new(&[&["check"], words].concat()).run();
        let err = String::from_utf8(checked.stderr).unwrap();
        assert_eq!(checked.status.code(), Some(0), "{err}");
        err
    };
    let err = check(&["--timeout-header", "3", "--", "sleep", "1"]);
    assert!(err.contains("without effect: timeout-header."), "{err}");
    let err = check(&["--timeout-header", "3"]);
    assert!(!err.contains("without effect"), "{err}");
}
