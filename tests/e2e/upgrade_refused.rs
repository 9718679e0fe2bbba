//! USR2, and the new program is none: everything stays as it was, and the operator is told why.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::support::{Brigade, Connection, Load, copy_program};
use crate::upgrade::{held, outcome, replace, replace_by, runs, start, upgrade};
use crate::upgrade_rolled_back::expect_roll_back;

/// Whatever the file is by now, the upgrade is refused with these words, and nothing has changed.
fn refused(brigade: &Brigade, words: &str) {
    brigade.expect("upgrade.refused");
    let (program, workers) = (runs(brigade.supervisor()), brigade.workers());
    let load = Load::connections(brigade, 2).start();
    let (mark, event) = upgrade(brigade);
    assert_eq!(event.name(), "upgrade.refused", "{}", event.value);
    assert_eq!(event.text("because"), "sentinel", "{}", event.value);
    assert!(
        event.text("reason").contains(words),
        "{words:?} in {}",
        event.value
    );
    load.flow(20);
    load.stop().assert_lost_none();
    assert_eq!(runs(brigade.supervisor()), program);
    assert_eq!(brigade.workers(), workers);
    assert!(!brigade.has_after(mark, "upgrade.resumed"));
    brigade.check_children();
}

/// After all refusals: the right program is welcome, and nothing of the others has stayed.
fn then_works(brigade: Brigade, before: &[String]) {
    let file = replace(&brigade);
    let (_, event) = upgrade(&brigade);
    assert_eq!(event.name(), "upgrade.done", "{}", event.value);
    brigade.only(event.number("generation").unwrap());
    assert_eq!(runs(brigade.supervisor()), file);
    brigade.until("descriptors are as before", || {
        held(brigade.supervisor()) == before
    });
    brigade.stop_and_check();
}

fn put(brigade: &Brigade, text: &[u8], mode: u32) {
    let next = brigade.dir().join("next");
    fs::write(brigade.dir().join("text"), text).unwrap();
    copy_program(&brigade.dir().join("text"), &next);
    fs::set_permissions(&next, fs::Permissions::from_mode(mode)).unwrap();
    fs::rename(&next, brigade.dir().join("brigade")).unwrap();
}

#[test]
fn what_is_no_program_is_refused() {
    let brigade = start(&[]);
    let before = held(brigade.supervisor());
    put(&brigade, b"#!/bin/sh\nsleep 1000\n", 0o755);
    refused(&brigade, "it is a script");
    put(&brigade, b"\x7fELF and then nothing of the kind", 0o755);
    refused(&brigade, "can't be executed");
    put(&brigade, b"words", 0o644);
    refused(&brigade, "not an executable file");
    fs::remove_file(brigade.dir().join("brigade")).unwrap();
    refused(&brigade, "can't be opened");
    then_works(brigade, &before);
}

#[test]
fn a_program_that_is_not_brigade_is_refused() {
    let brigade = start(&["--timeout-start", "1s"]);
    let before = held(brigade.supervisor());
    replace_by(&brigade, Path::new("/bin/true"));
    refused(&brigade, "gave no answer: exit code 0");
    replace_by(&brigade, Path::new("/bin/cat"));
    refused(&brigade, "it said: ");
    // A shell, which finds a script where Brigade finds a command: it floods its output and never
    // ends.
    let flood = "while :; do echo nonsense; done";
    fs::write(brigade.dir().join("serve"), flood).unwrap();
    replace_by(&brigade, Path::new("/bin/sh"));
    refused(&brigade, "no answer in time");
    then_works(brigade, &before);
}

/// A copy of Brigade that knows other formats of the state.
fn of_formats(brigade: &Brigade, formats: &str) {
    let mut bytes = fs::read(env!("CARGO_BIN_EXE_brigade")).unwrap();
    let word = b"brigade handover formats: ";
    let places: Vec<usize> = bytes
        .windows(word.len())
        .enumerate()
        .filter_map(|(at, found)| (found == word).then_some(at + word.len()))
        .collect();
    assert!(!places.is_empty(), "the word stands in the binary");
    for at in places {
        let room = &mut bytes[at..at + 14];
        room.fill(b' ');
        room[..formats.len()].copy_from_slice(formats.as_bytes());
    }
    put(brigade, &bytes, 0o755);
}

#[test]
fn a_state_of_another_format_is_understood_or_refused() {
    let brigade = start(&[]);
    let before = held(brigade.supervisor());
    // With the commit, if it is known.
    let starting = brigade.wait_for("supervisor.starting", |_| true);
    let version = starting.text("version");
    of_formats(&brigade, "2");
    let why = format!("has format 1, and brigade {version} understands 2");
    refused(&brigade, &why);
    // A newer one that still understands the old ...
    of_formats(&brigade, "2 1");
    let (_, event) = upgrade(&brigade);
    assert_eq!(event.name(), "upgrade.done", "{}", event.value);
    brigade.only(2);
    // ... hands its own format on, which an older one does not understand.
    of_formats(&brigade, "1");
    let why = format!("has format 2, and brigade {version} understands 1");
    refused(&brigade, &why);
    of_formats(&brigade, "3 2");
    let (_, event) = upgrade(&brigade);
    assert_eq!(event.name(), "upgrade.done", "{}", event.value);
    brigade.only(3);
    brigade.until("descriptors are as before", || {
        held(brigade.supervisor()) == before
    });
    brigade.stop_and_check();
}

#[test]
fn a_newer_program_goes_back_in_the_format_of_the_older() {
    let brigade = start(&[]);
    expect_roll_back(&brigade);
    fs::write(brigade.dir().join("brigade-demo.conf"), "boot=fail").unwrap();
    of_formats(&brigade, "2 1");
    let workers = brigade.workers();
    let (_, event) = upgrade(&brigade);
    assert_eq!(event.name(), "upgrade.rolled_back", "{}", event.value);
    brigade.until("only the old workers are left", || {
        brigade.workers() == workers
    });
    brigade.stop_and_check();
}

#[test]
fn a_configuration_that_can_not_be_used_is_refused() {
    let launch = crate::support::Launch::new(&["serve"]).copied_as("DIR/brigade");
    let brigade = launch.file("brigade.toml", "workers = 2\n").ready();
    let before = held(brigade.supervisor());
    let write = |text: &str| fs::write(brigade.dir().join("brigade.toml"), text).unwrap();
    write("workers = [\n");
    refused(&brigade, "brigade.toml");
    write("workers = 2\numask = \"077\"\n");
    refused(&brigade, "can't change umask");
    write("workers = 2\n");
    then_works(brigade, &before);
}

#[test]
fn addresses_that_can_not_be_had_are_refused_and_nothing_is_bound() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let launch = crate::support::Launch::anywhere(&["serve", "--workers", "2"]);
    let launch = launch.copied_as("DIR/brigade");
    let brigade = launch
        .file("brigade.toml", "bind = ['unix:a.sock', '127.0.0.1:0']\n")
        .ready();
    let before = held(brigade.supervisor());
    let address = brigade.addresses()[1].clone();
    let text =
        format!("bind = ['unix:a.sock', '127.0.0.1:0', 'unix:b.sock', '127.0.0.1:{port}']\n");
    fs::write(brigade.dir().join("brigade.toml"), text).unwrap();
    brigade.expect("upgrade.refused");
    let (_, event) = upgrade(&brigade);
    assert_eq!(event.name(), "upgrade.refused", "{}", event.value);
    assert!(
        event
            .text("reason")
            .contains("another process listens there"),
        "{}",
        event.value
    );
    assert!(
        !brigade.dir().join("b.sock").exists(),
        "nothing is left behind"
    );
    assert!(brigade.dir().join("a.sock").exists());
    assert!(Connection::open(&address).is_ok());
    drop(taken);
    let (_, event) = upgrade(&brigade);
    assert_eq!(event.name(), "upgrade.done", "{}", event.value);
    assert!(brigade.dir().join("b.sock").exists());
    assert!(held(brigade.supervisor()).len() > before.len());
    brigade.stop_and_check();
}

#[test]
fn two_at_once_are_one_and_a_refusal() {
    let brigade = start(&["--reload-probation", "300ms"]);
    brigade.expect("upgrade.refused");
    let mark = brigade.signal_heard(Signal::SIGUSR2);
    brigade.wait_after(mark, "upgrade.resumed", |_| true);
    let second = brigade.signal_heard(Signal::SIGUSR2);
    let refused = brigade.wait_after(second, "upgrade.refused", |_| true);
    assert_eq!(refused.text("because"), "busy");
    brigade.wait_after(mark, "upgrade.done", |_| true);
    brigade.only(2);
    // And while a reload runs.
    let mark = brigade.signal_heard(Signal::SIGHUP);
    brigade.wait_after(mark, "reload.started", |_| true);
    brigade.signal_heard(Signal::SIGUSR2);
    assert_eq!(outcome(&brigade, mark).text("because"), "busy");
    brigade.wait_after(mark, "reload.done", |_| true);
    brigade.stop_and_check();
}
