//! The log is in nobody's way: full disk, closed pipe, nobody who reads. Serving goes on.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::thread;

use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::Signal;

use crate::support::{Address, Brigade, Connection, Launch, Load, Need, lacks};

/// A Brigade whose log goes to `stderr`, at a listening socket that we have made ourselves: no
/// line has to tell the address.
fn mute(stderr: impl Into<OwnedFd>) -> (Brigade, Address) {
    let (launch, address) = given(&["serve", "--workers", "2", "--bind", "fd:3"]);
    (launch.stderr(stderr).start(), address)
}

fn given(arguments: &[&str]) -> (Launch, Address) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::Tcp(listener.local_addr().unwrap());
    (Launch::new(arguments).inherit(listener), address)
}

/// Serves, reloads, serves, stops.
fn lives_on(brigade: Brigade, address: Address) {
    let load = Load::keep_alive_at(address.clone(), 4).start();
    load.flow(100);
    brigade.signal(Signal::SIGHUP);
    brigade.until("the second generation answers", || {
        let answer = Connection::open(&address).and_then(|mut one| one.get("/"));
        answer.is_ok_and(|answer| answer.number("generation") == Some(2))
    });
    load.flow(100);
    load.stop().assert_lost_none();
    brigade.signal(Signal::SIGTERM);
    brigade.ended(0);
}

#[test]
fn a_full_disk_under_the_log_stops_nothing() {
    let (brigade, address) = mute(OpenOptions::new().write(true).open("/dev/full").unwrap());
    lives_on(brigade, address);
}

#[test]
fn a_closed_pipe_under_the_log_stops_nothing() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let (brigade, address) = mute(writer);
    lives_on(brigade, address);
}

#[test]
fn a_pipe_that_nobody_reads_stops_nothing_and_the_gap_is_told() {
    let (reader, writer) = std::io::pipe().unwrap();
    fcntl(&writer, FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
    let (brigade, address) = mute(writer);
    let panic = || {
        let answer = Connection::open(&address).and_then(|mut one| one.get("/crash?how=panic"));
        assert_eq!(answer.unwrap().status, 500);
    };
    // Each is worth several lines: far more than the pipe and the queues before it can hold.
    (0..1000).for_each(|_| panic());
    let text = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&text);
    let reading = thread::spawn(move || {
        for line in BufReader::new(reader).lines() {
            *seen.lock().unwrap() += &(line.unwrap() + "\n");
        }
    });
    brigade.until("the gap is told", || {
        panic();
        text.lock().unwrap().contains("log.dropped")
    });
    brigade.signal(Signal::SIGTERM);
    brigade.ended(0);
    reading.join().unwrap();
    let text = text.lock().unwrap().clone();
    let whole = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok();
    let torn: Vec<_> = text.lines().filter(|line| !whole(line)).collect();
    assert!(
        torn.is_empty(),
        "lines are dropped whole or not at all: {torn:#?}"
    );
}

#[test]
fn a_disk_that_was_full_takes_the_log_again() {
    if lacks(Need::Root) {
        return;
    }
    let (launch, address) = given(&["serve", "--workers", "2", "--bind", "fd:3"]);
    let disk = launch.dir().join("disk");
    fs::create_dir(&disk).unwrap();
    // A disk of two pages, seen by this Brigade alone. Inside of it the log is at `disk/log`.
    let mount = "mount -t tmpfs -o size=8k tmpfs disk && exec 2>>disk/log";
    let brigade = launch
        .stderr(File::create("/dev/null").unwrap())
        .under(&["unshare", "--mount"])
        .after(mount)
        .start();
    let inside = |name: &str| {
        let root = format!("/proc/{}/root", brigade.supervisor().0);
        format!("{root}{}", disk.join(name).display())
    };
    let get = || Connection::open(&address).and_then(|mut one| one.get("/"));
    assert_eq!(get().unwrap().status, 200);
    brigade.until("the disk is full", || {
        brigade.signal(Signal::SIGTTIN);
        brigade.signal(Signal::SIGTTOU);
        assert_eq!(get().unwrap().status, 200);
        fs::metadata(inside("log")).is_ok_and(|file| file.len() >= 8192)
    });
    lives_on_here(&brigade, &address);
    File::create(inside("log")).unwrap();
    brigade.until("the log goes on", || {
        brigade.signal(Signal::SIGTTIN);
        brigade.signal(Signal::SIGTTOU);
        fs::metadata(inside("log")).is_ok_and(|file| file.len() > 1000)
    });
    brigade.signal(Signal::SIGTERM);
    brigade.ended(0);
}

fn lives_on_here(brigade: &Brigade, address: &Address) {
    let load = Load::keep_alive_at(address.clone(), 4).start();
    load.flow(50);
    for worker in brigade.supervisor().children() {
        assert!(!worker.is_zombie());
    }
    load.stop().assert_lost_none();
}

#[test]
fn every_line_is_one_json_object_also_when_workers_panic_and_crash() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]).expects("request.panicked");
    assert_eq!(brigade.get("/crash?how=panic").status, 500);
    brigade.kill(brigade.worker(0), Signal::SIGKILL);
    brigade.wait_for("worker.crashed", |_| true);
    brigade.stop_and_check();
}

#[test]
fn people_get_lines_to_read() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let (launch, address) = given(&["serve", "--log-format", "human", "--bind", "fd:3"]);
    let brigade = launch.stderr(writer).start();
    let answer = Connection::open(&address).and_then(|mut one| one.get("/"));
    assert_eq!(answer.unwrap().status, 200);
    brigade.signal(Signal::SIGTERM);
    brigade.ended(0);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert!(
        !text.contains('{') && !text.contains('\x1b'),
        "plain words, no colour: {text}"
    );
    for word in ["brigade", env!("CARGO_PKG_VERSION"), "127.0.0.1", "workers"] {
        assert!(text.contains(word), "{word:?} in {text}");
    }
}

#[test]
fn the_journal_gets_priorities() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let (launch, address) = given(&["serve", "--log-format", "journal", "--bind", "fd:3"]);
    let brigade = launch.stderr(writer).start();
    assert!(
        Connection::open(&address)
            .and_then(|mut one| one.get("/"))
            .is_ok()
    );
    brigade.signal(Signal::SIGTERM);
    brigade.ended(0);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let priority = |line: &str| line.starts_with('<') && line.get(2..3) == Some(">");
    assert!(!text.is_empty() && text.lines().all(priority), "{text}");
}
