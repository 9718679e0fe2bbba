//! Every message that a user can meet, as it is shown. The snapshots read as documents: what was
//! said, then what Brigade answers.

#[path = "common/said.rs"]
mod common;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use brigade_config::keys;
use common::{Said, expect, read, read_in};
use proptest::prelude::*;
use proptest::sample::select;

/// Runs the cases and compares the transcript with a snapshot.
fn transcript(name: &str, cases: &[Said<'_>]) {
    let mut text = String::new();
    for said in cases {
        let variables = said
            .environment
            .iter()
            .map(|(name, value)| format!("{name}={value:?} "));
        let flags = said.flags.iter().map(|word| format!(" {word}"));
        let _ = writeln!(
            text,
            "$ {}brigade check{}",
            variables.collect::<String>(),
            flags.collect::<String>()
        );
        for line in said.file.unwrap_or_default().lines() {
            let _ = writeln!(text, "< {line}");
        }
        let problems = read(*said)
            .map(|loaded| loaded.effective)
            .expect_err("a problem");
        let _ = writeln!(text, "{problems}exit code {}\n", problems.exit_code());
    }
    expect(&snapshot(name), &text);
}

fn snapshot(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(name)
}

fn flags<'a>(flags: &'a [&'a str]) -> Said<'a> {
    Said {
        flags,
        ..Said::default()
    }
}

fn environment<'a>(environment: &'a [(&'a str, &'a str)]) -> Said<'a> {
    Said {
        environment,
        ..Said::default()
    }
}

fn file(text: &str) -> Said<'_> {
    Said {
        file: Some(text),
        ..Said::default()
    }
}

#[test]
fn flags_with_bad_values() {
    let cases: &[&[&str]] = &[
        &["--admin", "systemd:admin"],
        &["--workers", "0"],
        &["--workers", "-1"],
        &["--workers", "5000"],
        &["--workers", "8..2"],
        &["--workers", "0..4"],
        &["--workers", "2..5000"],
        &["--workers", "2-8"],
        &["--workers", "2.."],
        &["--workers", "atuo"],
        &["--workers", "1.5"],
        &["--workers", ""],
        &["--port", "70000"],
        &["--port", "http"],
        &["--host", ""],
        &["--host", "0.0.0.0:80"],
        &["--host", "300.1.2.3"],
        &["--fd", "1"],
        &["--fd", "three"],
        &["--uds", ""],
        &["--uds", "/run/"],
        &["--backlog", "0"],
        &["--timeout-start", "0"],
        &["--timeout-start", "5 lightyears"],
        &["--timeout-kill", "-5"],
        &["--timeout-kill", "48h"],
        &["--timeout-kill", "0.0001"],
        &["--timeout-keep-alive", "inf"],
        &["--ready", "notifi"],
        &["--ready", "0s"],
        &["--restart-intensity", "5"],
        &["--restart-intensity", "5/0s"],
        &["--restart-intensity", "99999999/1s"],
        &["--umask", "999"],
        &["--user", "a b"],
        &["--log-level", "warn"],
        &["--log-format", "xml"],
        &["--start-attempts", "0"],
        &["--pid-file", "/run/"],
        &["--balance", "slot"],
        &["--stall-warn", "5ms"],
        &["--stall-warn", "of"],
        &["--timeout-worker", "never"],
        &["--reload-surge", "150%"],
        &["--reload-surge", "0.25"],
        &["--reload-max-unavailable", "-1"],
        &["--reload-probation", "soon"],
        &["--reload-max-lingering", "101"],
        &["--limit-max-requests", "many"],
        &["--limit-max-requests-jitter", "10%"],
        &["--limit-worker-lifetime", "10ms"],
        &["--limit-worker-memory", "512M"],
        &["--limit-worker-memory", "100kB"],
        &["--limit-worker-memory", "lots"],
        &["--limit-worker-memory", "150%"],
        &["--recycle-at-most", "0"],
        &["--workers", "0", "--port", "-1", "--timeout-header", "0"],
    ];
    let cases: Vec<Said<'_>> = cases.iter().map(|words| flags(words)).collect();
    transcript("flags.txt", &cases);
}

#[test]
fn places_to_listen_that_are_none() {
    let cases: &[&[&str]] = &[
        &["--bind", "8000"],
        &["--bind", ":8000"],
        &["--bind", "10.0.0.1"],
        &["--bind", "::1:8000"],
        &["--bind", "/run/app.sock"],
        &["--bind", "http://10.0.0.1:80/"],
        &["--bind", "unx:/run/app.sock"],
        &["--bind", "unix:"],
        &["--bind", "unix:@"],
        &["--bind", "fd:2"],
        &["--bind", "systemd:a:b"],
        &["--bind", "localhost:http"],
        &["--bind", "nonsense"],
        &["--bind", "fd:3", "--bind", "fd:3"],
        &["--bind", "systemd:", "--bind", "systemd:http"],
        &["--bind", "fd:3", "--port", "80"],
        &["--uds", "/a", "--fd", "3"],
        &["--host", "::", "--uds", "/a"],
    ];
    let cases: Vec<Said<'_>> = cases.iter().map(|words| flags(words)).collect();
    transcript("places.txt", &cases);
}

#[test]
fn variables_that_are_wrong() {
    let cases: &[&[(&str, &str)]] = &[
        &[("WEB_CONCURRENCY", "0")],
        &[("UVICORN_PORT", "eighty")],
        &[("BRIGADE_WORKERZ", "4")],
        &[("BRIGADE_THREADS", "4")],
        &[("BRIGADE_CPU_AFFINITY", "maybe")],
        &[("BRIGADE_BIND", "127.0.0.1:80, 81")],
        &[("BRIGADE_BIND", "fd:3,fd:3")],
        &[("BRIGADE_UDS", "/a"), ("BRIGADE_PORT", "80")],
        &[("UVICORN_UDS", "/a"), ("UVICORN_PORT", "80")],
        &[("BRIGADE_CONFIG", "nowhere.toml")],
        &[("BRIGADE_PORT", "\u{1b}[31m8\n0")],
    ];
    let cases: Vec<Said<'_>> = cases.iter().map(|pairs| environment(pairs)).collect();
    transcript("environment.txt", &cases);
}

#[test]
fn files_with_bad_keys_and_values() {
    let cases = [
        "workerz = 4\n",
        "timeout_keep_alive = 5\n",
        "threads = 2\n",
        "[server]\nport = 80\n",
        "[workers]\ncount = 4\n",
        "workers = \"4\"\n",
        "workers = 2.5\n",
        "workers = 0\n",
        "workers = true\n",
        "workers = \"8..2\"\n",
        "limit-worker-memory = \"1G\"\n",
        "limit-worker-memory = 4096\n",
        "limit-max-requests = \"1000\"\n",
        "reload-surge = \"2\"\n",
        "reload-surge = true\n",
        "port = \"8000\"\n",
        "port = 99999\n",
        "cpu-affinity = \"true\"\n",
        "cpu-affinity = 1\n",
        "log-level = 3\n",
        "log-level = \"verbose\"\n",
        "timeout-start = true\n",
        "timeout-start = 1979-05-27\n",
        "timeout-start = [5]\n",
        "timeout-start = -5\n",
        "timeout-start = inf\n",
        "umask = 22\n",
        "umask = 0o1777\n",
        "user = [\"www-data\"]\n",
        "pid-file = 3\n",
        "pid-file = \"a\\u0000b\"\n",
        "bind = []\n",
        "bind = [\"127.0.0.1:80\", 81, \"/run/a.sock\"]\n",
        "bind = [\"fd:3\", \"[::1]:80\", \"fd:3\"]\n",
        "bind = \"unix:/a\"\nport = 80\n",
    ];
    transcript("file.txt", &cases.map(file));
}

#[test]
fn files_that_are_not_toml() {
    let cases = [
        "workers =\nport = 80\n",
        "workers 4\n",
        "log-level = info\n",
        "timeout-start = 30s\n",
        "pid-file = \"/run/a.pid\nport = 80\n",
        "bind = [\"fd:3\"\nport = 80\n",
        "port = 80\nport = 81\n",
        "port = 0800\n",
        "cpu-affinity = yes\n",
        "[bind\n",
        "= 3\n",
        "port = 80 workers = 2\n",
        "user = \"\\q\"\n",
        "port = 80\r\nlog-level = info\r\n",
        "host = 127.0.0.1 # everywhere\n",
        "umask = 022\n",
        "workers = four\n",
        "workers = 2..8\n",
        "limit-worker-memory = 512MiB\n",
        "reload-surge = 25%\n",
        "stall-warn = off\n",
        "ready = \"auto\nworkerz = 3\nport = 1_\n",
    ];
    transcript("syntax.txt", &cases.map(file));
}

#[test]
fn values_that_do_not_fit_together() {
    let together = |flags, environment, file| Said {
        flags,
        environment,
        file,
    };
    transcript(
        "together.txt",
        &[
            together(
                &[],
                &[],
                Some("restart-delay = \"2m\"\nrestart-delay-max = \"1m\"\n"),
            ),
            together(&["--restart-delay", "1m"], &[], None),
            together(&["--restart-delay-max", "50ms"], &[], None),
            together(
                &["--restart-delay-max", "1s"],
                &[("BRIGADE_RESTART_DELAY", "2s")],
                None,
            ),
            together(
                &["--ready", "40s"],
                &[],
                Some("# slow\ntimeout-start = 20\n"),
            ),
            together(&["--group", "www-data"], &[], None),
            together(&["--stall-warn", "1m"], &[], None),
            together(
                &[],
                &[("BRIGADE_TIMEOUT_WORKER", "1")],
                Some("stall-warn = 2\n"),
            ),
            together(&["--reload-surge", "0"], &[], None),
            together(
                &["--admin", "127.0.0.1:80"],
                &[],
                Some("bind = [\"unix:/a\", \"127.0.0.1:80\"]\n"),
            ),
            together(
                &[],
                &[],
                Some("reload-max-unavailable = \"0%\"\nreload-surge = \"0%\"\n"),
            ),
            together(
                &["--limit-max-requests-jitter", "500"],
                &[("UVICORN_LIMIT_MAX_REQUESTS", "100")],
                None,
            ),
            together(
                &["--timeout-lame-duck", "1m"],
                &[("UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN", "5")],
                None,
            ),
            together(
                &["--log-level", "loud", "--uds", "/a", "--fd", "3"],
                &[("WEB_CONCURRENCY", "many"), ("BRIGADE_PROT", "80")],
                Some("workerz = 2\nlog-format = xml\ntimeout-kill = 0\n"),
            ),
        ],
    );
}

#[test]
fn files_that_cannot_be_read() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    fs::create_dir(here.join("directory")).unwrap();
    fs::write(
        here.join("latin1.toml"),
        b"user = \"root\"\ngroup = \"caf\xe9\"\n",
    )
    .unwrap();
    fs::write(here.join("large.toml"), "# \n".repeat(1 << 20)).unwrap();
    let _socket = UnixListener::bind(here.join("socket")).unwrap();
    let mut text = String::new();
    for path in [
        "missing.toml",
        "directory",
        "latin1.toml",
        "large.toml",
        "socket",
    ] {
        let problems = read_in(here, flags(&["--config", path])).expect_err("a problem");
        let _ = writeln!(text, "$ brigade check --config {path}");
        let _ = writeln!(text, "{problems}exit code {}\n", problems.exit_code());
    }
    fs::create_dir(here.join("brigade.toml")).unwrap();
    let problems = read_in(here, Said::default()).expect_err("a problem");
    let _ = writeln!(
        text,
        "$ brigade check\n{problems}exit code {}",
        problems.exit_code()
    );
    expect(&snapshot("unreadable.txt"), &text);
}

#[test]
fn the_command_line_alone_at_fault_is_wrong_usage() {
    assert_eq!(read(flags(&["--port", "x"])).unwrap_err().exit_code(), 2);
    assert_eq!(read(file("port = 'x'")).unwrap_err().exit_code(), 78);
    let both = Said {
        flags: &["--port", "x"],
        environment: &[("BRIGADE_FD", "x")],
        file: None,
    };
    assert_eq!(read(both).unwrap_err().exit_code(), 78);
}

#[test]
fn one_line_says_where_and_what() {
    let said = Said {
        flags: &["--workers", "0"],
        environment: &[("BRIGADE_PROT", "80")],
        file: Some("# ä\n  workerz = 3\n"),
    };
    let problems = read(said).unwrap_err();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "brigade.toml:2:3: there is no key `workerz`; did you mean `workers`?",
            "environment BRIGADE_PROT: Brigade does not know the variable `BRIGADE_PROT`; did you \
             mean `BRIGADE_PORT`?",
            "flag --workers: with 0 workers nobody would serve",
        ]
    );
}

#[test]
fn what_does_not_fit_is_told_beside_what_cannot_be_read() {
    let said = Said {
        flags: &["--workers", "0", "--timeout-start", "0", "--ready", "1h"],
        environment: &[("BRIGADE_SSL_OCSP", "a.ocsp"), ("BRIGADE_GROUP", "www")],
        file: Some("restart-delay = '1h'\nrestart-delay-max = '1s'\nuser = ''\n"),
    };
    let problems = read(said).unwrap_err();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    // Whether an hour is too long, or nobody the group's user, is known when the other can be read.
    let starts = [
        "brigade.toml:1:17: `restart-delay` (1h) is longer than `restart-delay-max` (1s)",
        "brigade.toml:3:8: ",
        "environment BRIGADE_SSL_OCSP: `ssl-ocsp` without a certificate",
        "flag --workers: with 0 workers",
        "flag --timeout-start: 0 leaves no time",
    ];
    assert_eq!(lines.len(), starts.len(), "{lines:#?}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{start}: {lines:#?}");
    }
}

#[test]
fn colour_is_an_extra() {
    let problems = read(flags(&["--workers", "0"])).unwrap_err();
    assert!(problems.render(true).contains("\u{1b}["));
    assert!(!problems.render(false).contains('\u{1b}'));
    assert_eq!(problems.to_string(), problems.render(false));
}

#[test]
fn a_thousand_problems_are_counted_and_the_first_are_shown() {
    let text: String = (0..1000).map(|n| format!("key-{n} = 1\n")).collect();
    let problems = read(file(&text)).unwrap_err();
    assert_eq!(problems.iter().len(), 1000);
    let report = problems.to_string();
    assert!(report.ends_with("1000 problems in the configuration, the first 25 are shown\n"));
    assert!(report.lines().count() < 300, "{}", report.lines().count());
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(text in r"(\PC|[ \t\r\n])*|([a-z-]{1,9} ?= ?[\PC\n]{0,9}\r?\n){0,9}") {
        if let Err(problems) = read(file(&text)) {
            prop_assert!(!problems.to_string().is_empty());
            prop_assert!(!problems.render(true).is_empty());
            prop_assert!(problems.iter().all(|problem| !problem.to_string().contains('\n')));
        }
    }

    #[test]
    fn no_line_of_a_known_key_makes_it_panic(
        key in select(keys().map(|key| key.name).collect::<Vec<_>>()),
        value in r#""?[\PC"\[\]]{0,12}"?\r?\n?"#,
        flag in r"\PC{0,12}",
    ) {
        let text = format!("{key} = {value}");
        let flag = format!("--user={flag}");
        let said = Said { flags: &[&flag], environment: &[], file: Some(&text) };
        if let Err(problems) = read(said) {
            prop_assert!(!problems.to_string().is_empty());
        }
    }
}
