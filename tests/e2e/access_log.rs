//! The access log: whole lines of all workers in one file, through rotation, reload, privileges
//! dropped and disks that are full.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use nix::sys::signal::Signal;

use crate::support::{Address, Authority, Brigade, Launch, Load, Need, lacks};
use crate::tls::launch;

/// The lines of a file; it ends with a whole one.
fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    assert!(text.is_empty() || text.ends_with('\n'), "torn: {text:?}");
    text.lines().map(str::to_owned).collect()
}

/// Waits until a file has so many lines.
fn until_lines(brigade: &Brigade, path: &Path, count: usize) -> Vec<String> {
    brigade.until(&format!("{} has {count} lines", path.display()), || {
        fs::read_to_string(path).is_ok_and(|text| text.matches('\n').count() >= count)
    });
    lines(path)
}

/// Waits until all workers write this file.
fn until_turned(brigade: &Brigade, path: &Path) {
    brigade.until("all workers have turned to the new file", || {
        let mut workers = brigade.workers().into_iter();
        workers.all(|worker| worker.process.has_open(path))
    });
}

#[test]
fn every_request_under_load_has_its_line_through_rotation_and_reload() {
    let format = "{status} {method} {target} {worker} {end}";
    let arguments = [
        "serve",
        "--workers",
        "3",
        "--access-log",
        "a.log",
        "--access-log-format",
        format,
    ];
    let brigade = Brigade::start(&arguments);
    let path = |name: &str| brigade.dir().join(name);
    let load = Load::keep_alive(&brigade, 6).start();
    load.flow(200);
    fs::rename(path("a.log"), path("b.log")).unwrap();
    brigade.settled();
    until_lines(&brigade, &path("a.log"), 1);
    brigade.reload();
    load.flow(200);
    let account = load.stop();
    account.assert_lost_none();
    let answered = account.answered;
    let before = lines(&path("b.log"));
    let rest = answered as usize - before.len();
    let all = [before, until_lines(&brigade, &path("a.log"), rest)].concat();
    let whole = |line: &&String| {
        let asked = ["200 GET / ", "200 POST /echo "]
            .iter()
            .any(|words| line.starts_with(words));
        asked && line.ends_with(" complete")
    };
    assert_eq!(all.iter().filter(whole).count() as u64, answered);
    assert_eq!(all.len() as u64, answered);
    for worker in 0..3 {
        assert!(all.iter().any(|line| line.contains(&format!(" {worker} "))));
    }
    brigade.stop_and_check();
}

#[test]
fn workers_that_may_not_open_it_write_it_and_go_on_in_the_next_file() {
    if lacks(Need::Root) {
        return;
    }
    let arguments = [
        "serve",
        "--workers",
        "2",
        "--user",
        "nobody",
        "--access-log",
        "log/a.log",
    ];
    let launch = Launch::new(&arguments);
    fs::create_dir(launch.dir().join("log")).unwrap();
    let brigade = launch.after("chmod 0700 log").ready();
    let path = |name: &str| brigade.dir().join("log").join(name);
    assert_eq!(brigade.get("/").status, 200);
    until_lines(&brigade, &path("a.log"), 1);
    let file = fs::metadata(path("a.log")).unwrap();
    assert_eq!((file.uid(), file.mode() & 0o777), (0, 0o640));
    fs::rename(path("a.log"), path("b.log")).unwrap();
    brigade.settled();
    until_turned(&brigade, &path("a.log"));
    for _ in 0..20 {
        assert_eq!(brigade.get("/").status, 200);
    }
    assert_eq!(until_lines(&brigade, &path("a.log"), 20).len(), 20);
    assert_eq!(lines(&path("b.log")).len(), 1);
    brigade.stop_and_check();
}

#[test]
fn standard_output_is_the_supervisors_own_and_holds_nothing_but_lines() {
    let (reader, writer) = std::io::pipe().unwrap();
    let arguments = [
        "serve",
        "--workers",
        "2",
        "--access-log",
        "--access-log-format",
        "json",
    ];
    let brigade = Launch::new(&arguments).stdout(writer).ready();
    let (told, hear) = mpsc::channel();
    let reading = thread::spawn(move || {
        BufReader::new(reader)
            .lines()
            .for_each(|line| told.send(line.unwrap()).unwrap());
    });
    let mut connection = brigade.connect();
    connection.get("/burgers?orders=1&ms=1").unwrap();
    let line = hear.recv().unwrap();
    let read: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&read["path"], &read["query"]),
        (&"/burgers".into(), &"orders=1&ms=1".into())
    );
    assert_eq!(
        (&read["status"], &read["remote"]),
        (&200.into(), &"127.0.0.1".into())
    );
    assert!(read["duration"].as_f64().unwrap() > 0.0 && read["pid"].as_i64().unwrap() > 1);
    brigade.stop_and_check();
    // The pipe has no other writer any more.
    reading.join().unwrap();
}

#[test]
fn nothing_that_a_client_sends_forges_a_line() {
    let format = r#"{remote} "{request}" {status} "{agent}" {header:x-evil}"#;
    let brigade = Brigade::start(&[
        "serve",
        "--workers",
        "1",
        "--access-log",
        "a.log",
        "--access-log-format",
        format,
    ]);
    let mut connection = brigade.connect();
    let evil = "GET /\"%0a HTTP/1.1\r\nhost: x\r\nuser-agent: \" 200 \"\x1b[2J\u{202e}\tx\r\nx-evil: 9 \\\r\n\r\n";
    // A control byte is refused; whatever is answered, the log has whole lines of one shape.
    let _ = connection.send(evil);
    let fair = "GET /\"x HTTP/1.1\r\nhost: x\r\nuser-agent: \" 200 \"\tx\r\nx-evil: 9 \\\r\nconnection: close\r\n\r\n";
    let mut second = brigade.connect();
    second.send(fair).unwrap();
    let expected = r#"127.0.0.1 "GET /\"x HTTP/1.1" 404 "\" 200 \"\x09x" 9\x20\\"#;
    brigade.until("the line is there", || {
        lines(&brigade.dir().join("a.log"))
            .iter()
            .any(|line| line == expected)
    });
    brigade.stop_and_check();
}

#[test]
fn a_full_disk_costs_lines_that_are_told_and_no_request() {
    let brigade = Brigade::start(&["serve", "--workers", "1", "--access-log", "/dev/full"]);
    for _ in 0..50 {
        assert_eq!(brigade.get("/").status, 200);
    }
    let told = brigade.wait_for("access_log.lost", |_| true);
    assert!(told.number("lines").unwrap() > 0);
    assert!(told.text("reason").contains("No space left"), "{told:?}");
    brigade.stop_and_check();
}

#[test]
fn a_pipe_that_nobody_reads_stops_nothing_and_ends_no_later() {
    let (reader, writer) = std::io::pipe().unwrap();
    nix::fcntl::fcntl(&writer, nix::fcntl::FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
    let brigade = Launch::new(&["serve", "--workers", "1", "--access-log", "-"])
        .stdout(writer)
        .ready();
    let load = Load::keep_alive(&brigade, 4).start();
    load.flow(1500);
    load.stop().assert_lost_none();
    brigade.signal(Signal::SIGTERM);
    let told = brigade.wait_for("access_log.lost", |_| true);
    assert_eq!(told.text("reason"), "it takes nothing");
    brigade.ended(0);
    drop(reader);
}

#[test]
fn what_cannot_be_opened_is_told_at_the_start_and_refuses_a_reload() {
    let output = Launch::new(&["serve", "--access-log", "no/such/a.log"]).run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(71), "{said}");
    assert!(said.contains("no/such/a.log"), "{said}");
    let brigade = Launch::new(&["serve", "--workers", "1"])
        .file("brigade.toml", "access-log = \"a.log\"\n")
        .ready()
        .expects("reload.refused");
    fs::write(
        brigade.dir().join("brigade.toml"),
        "access-log = \"no/such/a.log\"\n",
    )
    .unwrap();
    let mark = brigade.signal_heard(Signal::SIGHUP);
    let refused = brigade.wait_after(mark, "reload.refused", |_| true);
    assert!(refused.text("problems").contains("no/such/a.log"));
    assert_eq!(brigade.get("/").status, 200);
    until_lines(&brigade, &brigade.dir().join("a.log"), 1);
    brigade.stop_and_check();
}

#[test]
fn a_reload_turns_to_another_file_and_another_format() {
    let brigade = Launch::new(&["serve", "--workers", "1"])
        .file(
            "brigade.toml",
            "access-log = \"a.log\"\naccess-log-format = \"{path}\"\n",
        )
        .ready();
    let path = |name: &str| brigade.dir().join(name);
    brigade.get("/headers");
    let second = "access-log = \"b.log\"\naccess-log-format = \"{status} {path}\"\n";
    fs::write(path("brigade.toml"), second).unwrap();
    brigade.reload();
    brigade.get("/");
    assert_eq!(until_lines(&brigade, &path("b.log"), 1), ["200 /"]);
    assert_eq!(until_lines(&brigade, &path("a.log"), 1), ["/headers"]);
    brigade.stop_and_check();
}

#[test]
fn a_request_that_is_cut_at_the_end_of_a_drain_has_its_line() {
    let arguments = [
        "serve",
        "--workers",
        "1",
        "--access-log",
        "a.log",
        "--access-log-format",
        "{path} {status} {end}",
        "--timeout-graceful-shutdown",
        "300ms",
    ];
    let brigade = Brigade::start(&arguments);
    let mut client = brigade.connect();
    client
        .send("GET /sleep?ms=60000 HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    brigade.until("the request is under way", || {
        brigade.get("/").status == 200
    });
    let file = File::open(brigade.dir().join("a.log")).unwrap();
    brigade.expect("connections.cut");
    brigade.stop_and_check();
    let all: Vec<String> = BufReader::new(file).lines().map(Result::unwrap).collect();
    assert!(all.contains(&"/sleep 499 aborted".to_owned()), "{all:?}");
}

/// What is answered to these bytes, until the end of the connection.
fn answer(brigade: &Brigade, bytes: &[u8]) -> String {
    let mut stream = tcp(brigade);
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    // What was not read resets the connection behind the answer.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

#[test]
fn what_is_refused_before_it_is_a_request_has_its_line_and_is_counted() {
    let format = "\"{request}\" {status} {bytes} {end}";
    let options = [
        "--workers",
        "1",
        "--access-log",
        "a.log",
        "--access-log-format",
        format,
        "--timeout-header",
        "1s",
    ];
    let brigade = Brigade::start(&[&["serve"], &options[..]].concat());
    let large = format!("GET /large HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(200_000));
    for (bytes, status) in [
        ("NONSENSE\r\n\r\n", "400"),
        (
            "POST /two HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
            "400",
        ),
        (&large, "431"),
    ] {
        let answer = answer(&brigade, bytes.as_bytes());
        assert_eq!(answer.split(' ').nth(1), Some(status), "{answer}");
    }
    let mut slow = tcp(&brigade);
    slow.write_all(b"GET /slow HTTP/1.1\r\n").unwrap();
    assert_eq!(slow.read(&mut [0; 64]).unwrap(), 0, "no answer");
    let expected = [
        r#""NONSENSE" 400 0 complete"#,
        r#""POST /two HTTP/1.1" 400 0 complete"#,
        r#""GET /large HTTP/1.1" 431 0 complete"#,
        r#""GET /slow HTTP/1.1" 408 0 aborted"#,
    ];
    assert_eq!(
        until_lines(&brigade, &brigade.dir().join("a.log"), 4),
        expected
    );
    brigade.stop_and_check();

    let brigade = launch(&Authority::new(), &options).ready();
    let answer = answer(&brigade, b"GET /plain HTTP/1.1\r\nhost: x\r\n\r\n");
    assert!(answer.contains("This port speaks TLS"), "{answer}");
    answer_nothing(&brigade, b"\x16\x03\x01\x00\x05garbage\r\n\r\n");
    let lines = until_lines(&brigade, &brigade.dir().join("a.log"), 1);
    assert_eq!(lines, [r#""GET /plain HTTP/1.1" 400 42 complete"#]);
    brigade.stop_and_check();
}

/// Nothing that HTTP would know.
fn answer_nothing(brigade: &Brigade, bytes: &[u8]) {
    let mut stream = tcp(brigade);
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

fn tcp(brigade: &Brigade) -> TcpStream {
    let Address::Tcp(address) = brigade.address() else {
        panic!("no TCP address");
    };
    TcpStream::connect(address).unwrap()
}

#[test]
fn after_a_reload_to_another_file_each_generation_opens_its_own_again() {
    let brigade = Launch::new(&["serve", "--workers", "1"])
        .file(
            "brigade.toml",
            "access-log = \"a.log\"\naccess-log-format = \"old {path}\"\n",
        )
        .ready();
    let path = |name: &str| brigade.dir().join(name);
    // The old worker stays until its request is answered.
    let mut slow = brigade.connect();
    slow.send("GET /sleep?ms=600000 HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    brigade.until("the request is under way", || {
        brigade.get("/").status == 200
    });
    until_lines(&brigade, &path("a.log"), 1);
    let second = "access-log = \"b.log\"\naccess-log-format = \"new {path}\"\ntimeout-graceful-shutdown = 30\n";
    fs::write(path("brigade.toml"), second).unwrap();
    let mark = brigade.signal_heard(Signal::SIGHUP);
    brigade.wait_after(mark, "reload.done", |_| true);
    let (old, new) = (brigade.workers()[0], brigade.worker(0));
    // The old worker may still take one before it hears that it is to leave.
    let mut quick = brigade.connect();
    brigade.until("it is the new worker's", || {
        let answer = quick.get("/").unwrap();
        let is_new = answer.text().contains("generation 2");
        if !is_new {
            quick = brigade.connect();
        }
        is_new
    });
    fs::rename(path("a.log"), path("a.old")).unwrap();
    fs::rename(path("b.log"), path("b.old")).unwrap();
    brigade.settled();
    brigade.until("each has turned to its own", || {
        old.process.has_open(&path("a.log")) && new.process.has_open(&path("b.log"))
    });
    assert_eq!(quick.get("/headers").unwrap().status, 200);
    drop(slow);
    assert_eq!(until_lines(&brigade, &path("a.log"), 1), ["old /sleep"]);
    assert_eq!(until_lines(&brigade, &path("b.log"), 1), ["new /headers"]);
    brigade.stop_and_check();
}
