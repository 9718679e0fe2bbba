//! Which layer wins, and what a reload can change.

#[path = "common/said.rs"]
mod common;

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use brigade_config::{
    Balance, Bind, Config, Http, HttpVersions, Limits, LogConfig, LogFormat, LogLevel, Pace,
    Readiness, Recycle, RestartIntensity, Share, SupervisorConfig, WorkerConfig, WorkerCount,
    WorkerMemory, arguments, load, needs_restart,
};
use clap::Command;
use common::{Said, binds, effective, matches, read, read_in, row, said, variables};

const NOTHING: [(&str, &str); 0] = [];

fn pace(seconds: u64, rate: Option<u64>) -> Pace {
    let within = Duration::from_secs(seconds);
    Pace { within, rate }
}

/// What proxies say is in `proxies.rs`.
fn http(versions: HttpVersions, ping: Option<Duration>) -> Http {
    Http {
        versions,
        ping,
        ..Config::default().worker.http
    }
}

fn default_limits() -> Limits {
    Limits {
        handshake: Duration::from_secs(10),
        first_byte: Duration::from_secs(10),
        body_pace: pace(20, Some(250)),
        write_pace: pace(20, Some(250)),
        request: None,
        request_line: 8 << 10,
        header_size: 32 << 10,
        headers: 100,
        body: Some(64 << 20),
        connections: Some(65_536),
        worker_connections: Some(16_384),
        peer_connections: Some(1024),
        concurrency: Some(8192),
        h2_streams: 128,
        h2_resets: 20,
        h2_cancels: 500,
        h2_frames: 10_000,
        ws_message: Some(16 << 20),
    }
}

fn given_limits() -> Limits {
    Limits {
        handshake: Duration::from_secs(18),
        first_byte: Duration::from_secs(19),
        body_pace: pace(20, Some(21)),
        write_pace: pace(22, None),
        request: Some(Duration::from_secs(23)),
        request_line: 2400,
        header_size: 25 << 10,
        headers: 26,
        body: None,
        connections: Some(27),
        worker_connections: Some(28),
        peer_connections: None,
        concurrency: Some(29),
        h2_streams: 30,
        h2_resets: 31,
        h2_cancels: 32,
        h2_frames: 33,
        ws_message: Some(32 << 10),
    }
}

#[test]
fn with_nothing_said_the_defaults_hold() {
    let loaded = read(Said::default()).unwrap();
    let seconds = Duration::from_secs;
    let expected = Config {
        supervisor: SupervisorConfig {
            binds: vec![Bind::Tcp(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000)],
            insecure_binds: Vec::new(),
            admin: None,
            backlog: 2048,
            workers: WorkerCount::Auto,
            balance: Balance::Slots,
            stall_warn: Duration::from_millis(250),
            timeout_worker: Some(seconds(30)),
            reload_surge: Share::Percent(100),
            reload_max_unavailable: Share::Count(0),
            reload_probation: seconds(2),
            reload_max_lingering: 3,
            ready_when: Share::Percent(100),
            recycle: Recycle {
                max_requests: None,
                max_requests_jitter: 0,
                lifetime: None,
                memory: None,
                at_most: 1,
            },
            timeout_start: seconds(30),
            timeout_graceful_shutdown: seconds(30),
            timeout_kill: seconds(5),
            start_attempts: 3,
            restart_delay: Duration::from_millis(100),
            restart_delay_max: seconds(30),
            restart_calm: seconds(10),
            restart_intensity: None,
            user: None,
            group: None,
            cpu_affinity: false,
            pid_file: None,
            umask: None,
            ready: Readiness::Auto,
        },
        worker: WorkerConfig {
            timeout_header: seconds(10),
            timeout_keep_alive: seconds(5),
            timeout_lame_duck: Duration::from_millis(500),
            timeout_hooks: seconds(2),
            limits: default_limits(),
            http: http(HttpVersions::Both, Some(seconds(20))),
            // The keys of the other parts have tests of their own.
            ..loaded.config.worker.clone()
        },
        log: LogConfig {
            level: LogLevel::Info,
            format: LogFormat::Auto,
        },
    };
    assert_eq!(loaded.config, expected);
    assert_eq!(Config::default(), expected);
    assert_eq!(loaded.file, None);
    assert!(
        loaded
            .effective
            .iter()
            .all(|row| row.origin.to_string() == "default")
    );
}

/// A file with every key, none of them as by default.
const EVERY_KEY: &str = "
    bind = ['fd:3', 'unix:@a']\nbacklog = 1\nworkers = 2\nready = 'notify'\ncpu-affinity = true
    user = 1000\ngroup = 'staff'\numask = 0o27\npid-file = 'a.pid'\ntimeout-start = 1.5
    timeout-header = '2s'\ntimeout-keep-alive = 3\ntimeout-graceful-shutdown = 4
    timeout-lame-duck = 0\ntimeout-kill = 5\nstart-attempts = 6\nrestart-delay = '7ms'
    restart-delay-max = 8\nrestart-calm = 9\nrestart-intensity = '10/1m'
    log-level = 'critical'\nlog-format = 'json'\nbalance = 'shared'\nstall-warn = '20ms'
    timeout-worker = 11\nreload-surge = 0\nreload-max-unavailable = '25%'\nreload-probation = 0
    reload-max-lingering = 12\nlimit-max-requests = 1300\nlimit-max-requests-jitter = 140
    limit-worker-lifetime = '15h'\nlimit-worker-memory = '16MiB'\nrecycle-at-most = 17\nready-when = '50%'
    admin = 'unix:adm'\ntimeout-handshake = 18\ntimeout-first-byte = 19\ntimeout-body = 20
    min-rate-body = 21\ntimeout-write = 22\nmin-rate-write = 0\ntimeout-request = 23
    limit-request-line = 2400\nlimit-header-size = '25KiB'\nlimit-headers = 26\nlimit-body = 'off'
    limit-connections = 27\nlimit-worker-connections = 28\nlimit-peer-connections = 'off'
    limit-concurrency = 29\nlimit-h2-streams = 30\nlimit-h2-resets = 31\nlimit-h2-cancels = 32\nlimit-h2-frames = 33\nws-max-size = '32KiB'\nhttp = '2'\nhttp2-ping = 'off'\n";

#[test]
fn every_key_reaches_its_place() {
    let seconds = Duration::from_secs;
    let expected = Config {
        supervisor: SupervisorConfig {
            binds: vec![Bind::Fd(3), Bind::Abstract("a".into())],
            insecure_binds: Vec::new(),
            admin: Some(Bind::Unix(PathBuf::from("adm"))),
            backlog: 1,
            workers: WorkerCount::Fixed(2),
            balance: Balance::Shared,
            stall_warn: Duration::from_millis(20),
            timeout_worker: Some(seconds(11)),
            reload_surge: Share::Count(0),
            reload_max_unavailable: Share::Percent(25),
            reload_probation: Duration::ZERO,
            reload_max_lingering: 12,
            ready_when: Share::Percent(50),
            recycle: Recycle {
                max_requests: Some(1300),
                max_requests_jitter: 140,
                lifetime: Some(seconds(15 * 3600)),
                memory: Some(WorkerMemory::Bytes(16 << 20)),
                at_most: 17,
            },
            timeout_start: Duration::from_millis(1500),
            timeout_graceful_shutdown: seconds(4),
            timeout_kill: seconds(5),
            start_attempts: 6,
            restart_delay: Duration::from_millis(7),
            restart_delay_max: seconds(8),
            restart_calm: seconds(9),
            restart_intensity: Some(RestartIntensity {
                crashes: 10,
                period: seconds(60),
            }),
            user: Some("1000".into()),
            group: Some("staff".into()),
            cpu_affinity: true,
            pid_file: Some(PathBuf::from("a.pid")),
            umask: Some(0o27),
            ready: Readiness::Notify,
        },
        worker: WorkerConfig {
            timeout_header: seconds(2),
            timeout_keep_alive: seconds(3),
            timeout_lame_duck: Duration::ZERO,
            timeout_hooks: seconds(2),
            limits: given_limits(),
            http: http(HttpVersions::Http2, None),
            ..Config::default().worker
        },
        log: LogConfig {
            level: LogLevel::Error,
            format: LogFormat::Json,
        },
    };
    let loaded = read(said(&[], &[], EVERY_KEY)).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(loaded.config, expected);
}

#[test]
fn flags_beat_the_environment_which_beats_the_file_which_beats_the_default() {
    let (flag, own, uvicorn, platform) = (
        ["--workers", "5"],
        ("BRIGADE_WORKERS", "4"),
        ("UVICORN_WORKERS", "3"),
        ("WEB_CONCURRENCY", "2"),
    );
    let file = "\n\nworkers = 1\n";
    let get = |flags: &[&str], environment: &[(&str, &str)], file: &str| {
        effective(said(flags, environment, file), "workers")
    };
    assert_eq!(
        get(&flag, &[own, uvicorn, platform], file),
        row("5", "flag --workers")
    );
    assert_eq!(
        get(&[], &[platform, uvicorn, own], file),
        row("4", "environment BRIGADE_WORKERS")
    );
    assert_eq!(
        get(&[], &[platform, uvicorn], file),
        row("3", "environment UVICORN_WORKERS")
    );
    assert_eq!(
        get(&[], &[platform], file),
        row("2", "environment WEB_CONCURRENCY")
    );
    assert_eq!(get(&[], &[], file), row("1", "brigade.toml:3"));
    assert_eq!(get(&[], &[], ""), row("auto", "default"));
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let environment = [
        ("BRIGADE_WORKERS", ""),
        ("WEB_CONCURRENCY", "2"),
        ("BRIGADE_NOSUCH", ""),
    ];
    let got = effective(said(&[], &environment, ""), "workers");
    assert_eq!(got, row("2", "environment WEB_CONCURRENCY"));
}

#[test]
fn a_bad_value_is_told_even_where_a_stronger_one_replaces_it() {
    let problems = read(said(&["--workers", "2"], &NOTHING, "workers = 0")).unwrap_err();
    assert_eq!(problems.iter().len(), 1);
}

#[test]
fn variables_of_others_are_looked_at_only_if_they_count() {
    let foreign = [
        ("PORT", "/dev/ttyS0"),
        ("UVICORN_WORKERS", "many"),
        ("UVICORN_RELOAD", "1"),
    ];
    let own = ["--port", "80", "--workers", "2"];
    assert_eq!(binds(said(&own, &foreign, "")), "127.0.0.1:80");
    assert_eq!(read(said(&[], &foreign, "")).unwrap_err().iter().len(), 2);
    // A contradiction among them, too.
    let foreign = [("UVICORN_UDS", "/a"), ("UVICORN_FD", "3")];
    assert_eq!(binds(said(&["--bind", "fd:4"], &foreign, "")), "fd:4");
}

#[test]
fn what_brigade_and_kubernetes_put_into_the_environment_is_no_configuration() {
    let environment = [
        ("BRIGADE_SLOT", "3"),
        ("BRIGADE_GENERATION", "1"),
        ("BRIGADE_WORKER", "7"),
        ("BRIGADE_PORT", "tcp://10.0.0.1:80"),
        ("BRIGADE_SERVICE_HOST", "10.0.0.1"),
        ("BRIGADE_PORT_80_TCP_PROTO", "tcp"),
    ];
    assert_eq!(
        read(said(&[], &environment, "")).unwrap().config,
        Config::default()
    );
}

#[test]
fn limits_can_be_turned_off_by_a_stronger_layer() {
    let file = "limit-max-requests = 1000\nlimit-max-requests-jitter = 10\nstall-warn = 1\n\
                timeout-worker = 9\nlimit-worker-memory = '1GiB'\nlimit-worker-lifetime = '1h'\n";
    for (key, value) in [
        ("limit-max-requests", "1000"),
        ("stall-warn", "1s"),
        ("timeout-worker", "9s"),
        ("limit-worker-memory", "1GiB"),
        ("limit-worker-lifetime", "1h"),
    ] {
        assert_eq!(effective(said(&[], &[], file), key).0, value);
        let flag = format!("--{key}");
        for off in ["off", "0"] {
            let got = effective(said(&[&flag, off], &[], file), key);
            assert_eq!(got, row("off", &format!("flag {flag}")));
        }
    }
    let uvicorn = [("UVICORN_LIMIT_MAX_REQUESTS", "0")];
    let loaded = read(said(&[], &uvicorn, "")).unwrap();
    assert_eq!(loaded.config.supervisor.recycle.max_requests, None);
}

#[test]
fn stalls_are_ended_unwarned_if_one_asks_for_it() {
    let loaded = read(said(
        &["--stall-warn", "0", "--timeout-worker", "5ms"],
        &[],
        "",
    ))
    .unwrap();
    assert_eq!(loaded.config.supervisor.stall_warn, Duration::ZERO);
    assert_eq!(
        loaded.config.supervisor.timeout_worker,
        Some(Duration::from_millis(5))
    );
}

#[test]
fn workers_may_be_a_range_in_every_layer() {
    let get = |flags: &[&str], environment: &[(&str, &str)], file: &str| {
        effective(said(flags, environment, file), "workers").0
    };
    assert_eq!(get(&["--workers", "2..8"], &[], ""), "2..8");
    assert_eq!(get(&[], &[("WEB_CONCURRENCY", "1..2")], ""), "1..2");
    assert_eq!(get(&[], &[], "workers = '4..4'"), "4..4");
}

#[test]
fn switches_can_be_turned_off_again() {
    let file = "cpu-affinity = true";
    let get = |flags: &[&str]| effective(said(flags, &[], file), "cpu-affinity");
    assert_eq!(get(&[]), row("true", "brigade.toml:1"));
    assert_eq!(
        get(&["--no-cpu-affinity"]),
        row("false", "flag --no-cpu-affinity")
    );
    assert_eq!(
        get(&["--no-cpu-affinity", "--cpu-affinity"]),
        row("true", "flag --cpu-affinity")
    );
}

#[test]
fn the_default_lame_duck_shrinks_with_the_shutdown() {
    let short = said(&["--timeout-graceful-shutdown", "0"], &[], "");
    assert_eq!(effective(short, "timeout-lame-duck"), row("0s", "default"));
}

#[test]
fn the_file_is_named_by_the_flag_or_the_environment_or_is_the_usual_one() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    for (name, port) in [("a.toml", 1), ("b.toml", 2), ("brigade.toml", 3)] {
        fs::write(here.join(name), format!("port = {port}\n")).unwrap();
    }
    let file = |flags: &[&str], environment: &[(&str, &str)]| {
        let loaded = read_in(
            here,
            Said {
                flags,
                environment,
                file: None,
            },
        )
        .unwrap();
        let port = loaded
            .effective
            .into_iter()
            .find(|row| row.name == "port")
            .unwrap();
        assert!(loaded.file.is_none_or(|path| path.is_absolute()));
        port.origin.to_string()
    };
    let b = ("BRIGADE_CONFIG", "b.toml");
    assert_eq!(file(&["--config", "a.toml"], &[b]), "a.toml:1");
    assert_eq!(file(&[], &[b]), "b.toml:1");
    assert_eq!(file(&[], &[]), "brigade.toml:1");
    assert_eq!(file(&["--config", "/dev/null"], &[]), "default");
    assert_eq!(file(&["-c", "a.toml"], &[]), "a.toml:1");
}

#[test]
fn the_same_words_can_be_read_again_after_the_file_changed() {
    let directory = tempfile::tempdir().unwrap();
    let (matches, path) = (
        matches(&["--port", "80"]),
        directory.path().join("brigade.toml"),
    );
    let read = || load(&matches, variables(&[]), directory.path());
    fs::write(&path, "workers = 1").unwrap();
    let before = read().unwrap().config;
    fs::write(&path, "workers = 2\nuser = 'a'\n").unwrap();
    let after = read().unwrap().config;
    assert_eq!(after.supervisor.workers, WorkerCount::Fixed(2));
    assert_eq!(needs_restart(&before, &after), ["user"]);
    fs::write(&path, "workers = ").unwrap();
    assert!(read().is_err());
}

#[test]
fn a_reload_applies_all_but_accounts_and_what_is_written_once() {
    let old = read(Said::default()).unwrap().config;
    let new = |file| read(said(&[], &[], file)).unwrap().config;
    let applied = new("workers = 3\ntimeout-kill = 1\nlog-level = 'debug'\nready = 'notify'\n");
    assert!(needs_restart(&old, &applied).is_empty());
    let applied = new("workers = '2..8'\nstall-warn = 1\nreload-surge = 1\nrecycle-at-most = 2\n");
    assert!(needs_restart(&old, &applied).is_empty());
    let shared = new("balance = 'shared'");
    assert_eq!(needs_restart(&old, &shared), ["balance"]);
    let elsewhere = new("bind = ['[::1]:1', 'unix:a']\nbacklog = 1\n");
    assert!(needs_restart(&old, &elsewhere).is_empty());
    let refused = new("port = 1\nuser = 'a'\ngroup = 'b'\numask = '0'\npid-file = 'p'\n");
    assert_eq!(
        needs_restart(&old, &refused),
        ["user", "group", "umask", "pid-file"]
    );
    assert_eq!(
        needs_restart(&old, &new("log-format = 'json'")),
        ["log-format"]
    );
}

#[test]
fn a_command_without_the_arguments_gives_no_flags() {
    let directory = tempfile::tempdir().unwrap();
    let bare = Command::new("brigade").get_matches_from(["brigade"]);
    let loaded = load(&bare, variables(&[]), directory.path()).unwrap();
    assert_eq!(loaded.config, Config::default());
}

#[test]
fn the_arguments_make_a_valid_command() {
    Command::new("brigade").args(arguments()).debug_assert();
}

#[test]
fn the_table_has_three_columns() {
    let table = read(said(&["--workers", "4"], &[], "user = 'www-data'"))
        .unwrap()
        .table();
    let line = |name: &str| {
        table
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned()
    };
    // The longest name and the longest value decide where a column begins.
    let rows = [
        ["workers", "4", "flag --workers"],
        ["user", "www-data", "brigade.toml:1"],
        ["group", "unset", "default"],
    ];
    let begins = rows.map(|[name, value, origin]| {
        let line = line(&format!("{name} "));
        assert_eq!(line.split("  ").filter(|cell| !cell.is_empty()).count(), 3);
        let value = line.find(&format!("  {value} ")).unwrap();
        let origin = line.rfind(&format!("  {origin}")).unwrap();
        (value, origin)
    });
    assert_eq!(begins, [begins[0]; 3]);
}
