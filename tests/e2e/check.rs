//! `brigade check`: every effective value and where it came from, and nothing is bound.

use std::net::TcpListener;
use std::process::Output;

use crate::support::{Brigade, Launch};

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The line of the table that begins with this key.
fn line(table: &str, key: &str) -> String {
    let found = table
        .lines()
        .find(|line| line.split_whitespace().next() == Some(key));
    found
        .unwrap_or_else(|| panic!("no line of {key} in:\n{table}"))
        .to_owned()
}

#[test]
fn each_value_is_shown_with_its_origin() {
    let output = Launch::new(&["check", "--workers", "3"])
        .file(
            "brigade.toml",
            "workers = 2\nbacklog = 77\ntimeout-start = \"7s\"\n",
        )
        .variable("BRIGADE_BACKLOG", "99")
        .variable("WEB_CONCURRENCY", "9")
        .variable("PORT", "8123")
        .run();
    let table = text(&output);
    assert_eq!(output.status.code(), Some(0), "{table}");
    for (key, value, origin) in [
        ("workers", "3", "--workers"),
        ("backlog", "99", "BRIGADE_BACKLOG"),
        ("timeout-start", "7s", "brigade.toml"),
        ("timeout-kill", "5s", "default"),
        ("port", "8123", "PORT"),
    ] {
        let line = line(&table, key);
        assert!(
            line.contains(value) && line.contains(origin),
            "{key} = {value} ({origin}): {line}"
        );
    }
}

#[test]
fn nothing_is_bound() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    // `run` looks for files that were left: a socket would be one.
    let output = Launch::new(&["check", "--bind", &address, "--bind", "unix:a.sock"]).run();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn problems_are_told_and_are_code_78() {
    let launch = Launch::new(&["check"]).file("brigade.toml", "workerz = 2\nport = 70000\n");
    let output = launch.run();
    let said = text(&output) + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{said}");
    for word in [
        "workerz",
        "`workers`",
        "70000",
        "brigade.toml:1",
        "brigade.toml:2",
    ] {
        assert!(said.contains(word), "{word:?} in {said}");
    }
}

#[test]
fn flags_outweigh_the_environment_and_that_the_file() {
    for (arguments, variable, workers) in [
        (&["--workers", "1"][..], Some("2"), 1),
        (&[], Some("2"), 2),
        (&[], None, 3),
    ] {
        let launch = Launch::new(&[&["serve"], arguments].concat());
        let mut launch = launch.file("brigade.toml", "workers = 3\n");
        if let Some(value) = variable {
            launch = launch.variable("WEB_CONCURRENCY", value);
        }
        let brigade: Brigade = launch.ready();
        let starting = brigade.wait_for("supervisor.starting", |_| true);
        assert!(starting.is("workers", workers), "{}", starting.value);
        assert!(
            starting.text("config").ends_with("brigade.toml"),
            "{}",
            starting.value
        );
        brigade.stop_and_check();
    }
}
