//! A store that holds what can't be used, too little, or nothing; and starts that fail with a full
//! one.

use std::fs::{self, File};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;

use nix::sys::signal::Signal;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use crate::store::{Waiting, both, kill, stop, the_end};
use crate::support::{Address, Brigade, Connection, Keeper, Launch, Load, Need, Trouble, lacks};

/// Down to one worker and up again, under load: whoever were steered by a wrong index would lose
/// connections.
fn is_steered_rightly(brigade: &Brigade) {
    let workers = i64::try_from(brigade.workers().len()).unwrap();
    let load = Load::connections(brigade, 4).full_speed().start();
    for slot in (1..workers).rev() {
        let mark = brigade.signal_heard(Signal::SIGTTOU);
        brigade.wait_after(mark, "worker.left", |event| event.is("slot", slot));
        load.flow(100);
    }
    for slot in 1..workers {
        let mark = brigade.signal_heard(Signal::SIGTTIN);
        brigade.wait_after(mark, "worker.ready", |event| event.is("slot", slot));
        load.flow(100);
    }
    load.stop().assert_lost_none();
}

fn stale(brigade: &Brigade) -> Vec<String> {
    let events = brigade.events("store.stale");
    let mut names: Vec<_> = events
        .iter()
        .map(|event| event.text("name").to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn what_can_t_be_used_is_named_removed_and_in_nobodys_way() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(64);
    let first = both(&keeper, "2");
    let (addresses, names) = (first.addresses(), keeper.names());
    stop(first);
    let null = || File::open("/dev/null").unwrap();
    let flags = SockFlag::SOCK_CLOEXEC;
    let deaf = socket(AddressFamily::Inet, SockType::Stream, flags, None).unwrap();
    let lies: [(&str, OwnedFd); 5] = [
        ("brigade-kept-1-listen.70.0.0000000000000000", null().into()),
        ("brigade-kept-1-listen.71.0.0000000000000000", deaf),
        (
            "brigade-kept-1-listen.72.0.0000000000000000",
            UdpSocket::bind("127.0.0.1:0").unwrap().into(),
        ),
        ("brigade-kept-1-cellar", null().into()),
        ("brigade-kept-2-board", null().into()),
    ];
    for (name, lie) in lies {
        keeper.put(name, lie);
    }
    // A second one of a name that is right, and the same socket under another name.
    keeper.put("brigade-kept-1-board", null());
    keeper.put(
        "brigade-kept-1-listen.99.0.0000000000000000",
        keeper.copy(&names[1]),
    );
    let waiting = Waiting::at(&addresses, 20);
    let second = both(&keeper, "2");
    waiting.are_answered();
    assert_eq!(keeper.names(), names, "only what is right");
    let told = stale(&second);
    for name in ["listen.70", "listen.71", "listen.72", "cellar", "2-board"] {
        assert!(
            told.iter().any(|told| told.contains(name)),
            "{name} of {told:#?}"
        );
    }
    the_end(second, &keeper);
}

#[test]
fn a_socket_that_is_lost_from_the_middle_or_the_beginning_is_made_anew() {
    if lacks(Need::Python) {
        return;
    }
    for lost in ["listen.1.1.", "listen.1.0."] {
        let keeper = Keeper::new(64);
        let mut brigade = keeper.launch(&["serve", "--workers", "4"]).ready();
        let (address, names) = (brigade.address(), keeper.names());
        stop(brigade);
        keeper.lose(|name| name.contains(lost));
        let waiting = Waiting::at(std::slice::from_ref(&address), 20);
        let arguments = [
            "serve",
            "--workers",
            "4",
            "--port",
            &address.port().to_string(),
        ];
        brigade = keeper.launch(&arguments).ready();
        waiting.are_answered();
        is_steered_rightly(&brigade);
        assert_eq!(keeper.names().len(), names.len());
        the_end(brigade, &keeper);
    }
}

#[test]
fn what_another_version_has_kept_refuses_nobody() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(64);
    let first = both(&keeper, "3");
    let addresses = first.addresses();
    stop(first);
    keeper.rename(|name| name.replace("kept-1-", "kept-2-"));
    let waiting = Waiting::at(&addresses, 30);
    let port = addresses[0].port();
    let bind = format!("127.0.0.1:{port}");
    let arguments = [
        "serve",
        "--workers",
        "3",
        "--bind",
        &bind,
        "--bind",
        "unix:a.sock",
    ];
    let second = keeper.launch(&arguments).ready();
    waiting.are_answered();
    is_steered_rightly(&second);
    let names = keeper.names();
    assert_eq!(names.len(), 5);
    assert!(
        names.iter().all(|name| name.contains("kept-1-")),
        "{names:?}"
    );
    the_end(second, &keeper);
}

#[test]
fn a_store_that_is_too_small_is_told_of_and_keeps_every_address() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(3);
    let first = both(&keeper, "4");
    let full = first.wait_for("store.full", |_| true);
    assert!(full.is("most", 3) && full.is("wanted", 6), "{}", full.value);
    assert!(full.text("message").contains("FileDescriptorStoreMax=6"));
    assert_eq!(keeper.refused(), 0, "nothing is sent in vain");
    let addresses = first.addresses();
    kill(first);
    for _ in 0..50 {
        for address in &addresses {
            Connection::open(address).expect("it waits");
        }
    }
    let second = both(&keeper, "4");
    assert_eq!(second.addresses(), addresses);
    is_steered_rightly(&second);
    the_end(second, &keeper);
}

#[test]
fn a_start_that_fails_loses_nothing_of_what_is_kept() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(64);
    let first = both(&keeper, "3");
    let (addresses, names) = (first.addresses(), keeper.names());
    stop(first);
    let waiting = Waiting::at(&addresses, 30);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("127.0.0.1:{}", taken.local_addr().unwrap().port());
    let _held = TcpListener::bind(&taken).ok();
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = busy.local_addr().map(|address| (busy, address.to_string()));
    let (_busy, address) = busy.unwrap();
    let ours = ["--bind", "127.0.0.1:0", "--bind", "unix:a.sock"];
    for (more, code) in [
        (vec!["--nonsense"], 2),
        (vec!["--workers", "many"], 2),
        (vec!["--config", "nowhere.toml"], 78),
        (vec!["--user", "nobody-of-this-name"], 78),
        (vec!["--bind", &address], 71),
        (vec!["--pid-file", "nowhere/brigade.pid"], 71),
    ] {
        let arguments = [&["serve"], &ours[..], &more[..]].concat();
        let output = keeper.launch(&arguments).run();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{more:?}: {said}");
        assert_eq!(keeper.names(), names, "{more:?}");
        assert!(keeper.dir().join("a.sock").exists(), "{more:?}");
    }
    let second = both(&keeper, "3");
    waiting.are_answered();
    the_end(second, &keeper);
}

#[test]
fn a_socket_whose_file_was_taken_away_is_made_anew() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(64);
    let first = both(&keeper, "2");
    let addresses = first.addresses();
    stop(first);
    let waiting = Waiting::at(&addresses[1..], 10);
    fs::remove_file(keeper.dir().join("a.sock")).unwrap();
    let second = both(&keeper, "2");
    waiting.are_answered();
    assert_eq!(stale(&second).len(), 1);
    let mut connection = Connection::open(&addresses[1]).unwrap();
    assert_eq!(connection.get("/").unwrap().status, 200);
    assert_eq!(keeper.names().len(), 4);
    the_end(second, &keeper);
}

#[test]
fn without_a_store_a_stop_leaves_no_file_behind() {
    if lacks(Need::Python) {
        return;
    }
    for said in ["0", ""] {
        let keeper = Keeper::new(64);
        let arguments = ["serve", "--workers", "1", "--bind", "unix:a.sock"];
        let launch: Launch = keeper.launch(&arguments).variable("FDSTORE", said);
        let brigade = launch.ready();
        assert_eq!(
            keeper.names().is_empty(),
            said == "0",
            "it is tried if nobody says"
        );
        let address = Address::Unix(keeper.dir().join("a.sock"));
        brigade.stop_and_check();
        assert_eq!(Connection::open(&address).unwrap_err(), Trouble::NoFile);
    }
}
