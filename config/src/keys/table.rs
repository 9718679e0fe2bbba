//! The table: every key of Brigade, each with all that is known of it. Adding a key means adding
//! a row here, its field in `types.rs`, and running the tests with `UPDATE=1`.

use super::key::{Heading, Key, Kind, Meaning, OnReload, Spelling};
use crate::types::{LogFormat, LogLevel, MAX_WORKERS, WorkerCount};
use crate::words::{
    Fault, READINESS, account, choice, deadline, duration, intensity, mask, name_of, names, path,
    readiness, show_duration, show_intensity, show_readiness, whole, workers,
};

const TIME: Kind = Kind::Time { words: &[] };

/// Fills in a field, unless its words are wrong.
fn put<T>(field: &mut T, value: Result<T, Fault>) -> Result<(), Fault> {
    *field = value?;
    Ok(())
}

/// Every key, in the order of help, file and table.
pub fn keys() -> impl ExactSizeIterator<Item = &'static Key> {
    KEYS.iter()
}

/// The key of this name.
pub(crate) fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

static KEYS: &[Key] = &[
    Key {
        name: "host",
        environment: &["BRIGADE_HOST", "UVICORN_HOST", "HOST"],
        default: Some("127.0.0.1"),
        value_name: "HOST",
        help: "Address or name to listen at",
        details: "With `0.0.0.0` or `::` every address of the machine is listened at. If the port \
                  comes from the variable PORT, which hosting platforms set, and nobody names a \
                  host, it is `0.0.0.0`. Not together with `uds`, `fd` or `bind`.",
        heading: Heading::Listening,
        on_reload: OnReload::NeedsRestart,
        kind: Kind::Text,
        meaning: Meaning::Place(Spelling::Host),
    },
    Key {
        name: "port",
        environment: &["BRIGADE_PORT", "UVICORN_PORT", "PORT"],
        default: Some("8000"),
        value_name: "PORT",
        help: "TCP port to listen at; 0 takes a free one",
        details: "Not together with `uds`, `fd` or `bind`.",
        heading: Heading::Listening,
        on_reload: OnReload::NeedsRestart,
        kind: Kind::Number {
            least: 0,
            most: u16::MAX as u32,
        },
        meaning: Meaning::Place(Spelling::Port),
    },
    Key {
        name: "uds",
        environment: &["BRIGADE_UDS", "UVICORN_UDS"],
        default: None,
        value_name: "PATH",
        help: "Listen at a Unix socket instead of a TCP port",
        details: "Short for `bind` with `unix:PATH`.",
        heading: Heading::Listening,
        on_reload: OnReload::NeedsRestart,
        kind: Kind::Text,
        meaning: Meaning::Place(Spelling::Uds),
    },
    Key {
        name: "fd",
        environment: &["BRIGADE_FD", "UVICORN_FD"],
        default: None,
        value_name: "N",
        help: "Listen at a socket that the parent process left open",
        details: "Short for `bind` with `fd:N`.",
        heading: Heading::Listening,
        on_reload: OnReload::NeedsRestart,
        kind: Kind::Number {
            least: 0,
            most: i32::MAX as u32,
        },
        meaning: Meaning::Place(Spelling::Fd),
    },
    Key {
        name: "bind",
        environment: &["BRIGADE_BIND"],
        default: None,
        value_name: "ADDRESS",
        help: "Place to listen at; may be given several times",
        details: "`HOST:PORT`, `[V6]:PORT`, `unix:PATH`, `unix:@NAME` (Linux's abstract \
                  namespace), `fd:N` (a socket that the parent process left open), \
                  `systemd:NAME` (a socket that systemd passes under this name; `systemd:` takes \
                  all that are passed). In the environment several are separated by commas. Not \
                  together with `host`, `port`, `uds` or `fd`.",
        heading: Heading::Listening,
        on_reload: OnReload::NeedsRestart,
        kind: Kind::List,
        meaning: Meaning::Place(Spelling::Bind),
    },
    Key {
        name: "backlog",
        environment: &["BRIGADE_BACKLOG", "UVICORN_BACKLOG"],
        default: Some("2048"),
        value_name: "N",
        help: "Connections that may wait in the kernel for each socket",
        details: "The kernel cuts it to net.core.somaxconn.",
        heading: Heading::Listening,
        on_reload: OnReload::NeedsRestart,
        kind: Kind::Number {
            least: 1,
            most: u16::MAX as u32,
        },
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.supervisor.backlog,
                    whole(text, 1, u16::MAX.into(), "a backlog"),
                )
            },
            show: |config| Some(config.supervisor.backlog.to_string()),
        },
    },
    Key {
        name: "workers",
        environment: &["BRIGADE_WORKERS", "UVICORN_WORKERS", "WEB_CONCURRENCY"],
        default: Some("auto"),
        value_name: "N",
        help: "How many workers; `auto`: one per usable CPU",
        details: "`auto` counts the CPUs that this process may use, by its affinity and by the \
                  quota of its cgroup. At most 1024.",
        heading: Heading::Workers,
        on_reload: OnReload::Applied,
        kind: Kind::NumberOr {
            word: "auto",
            least: 1,
            most: MAX_WORKERS as u32,
        },
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.workers, workers(text)),
            show: |config| match config.supervisor.workers {
                WorkerCount::Auto => Some("auto".to_owned()),
                WorkerCount::Fixed(count) => Some(count.to_string()),
            },
        },
    },
    Key {
        name: "ready",
        environment: &["BRIGADE_READY"],
        default: Some("auto"),
        value_name: "HOW",
        help: "When a program of `brigade exec` counts as ready",
        details: "`auto`: when it says READY=1 to its NOTIFY_SOCKET, or is seen to wait for \
                  connections at one of its sockets. `notify`: only when it says READY=1. A \
                  duration: when it has been alive for so long.",
        heading: Heading::Workers,
        on_reload: OnReload::Applied,
        kind: Kind::Time { words: READINESS },
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.ready, readiness(text)),
            show: |config| Some(show_readiness(config.supervisor.ready)),
        },
    },
    Key {
        name: "cpu-affinity",
        environment: &["BRIGADE_CPU_AFFINITY"],
        default: Some("false"),
        value_name: "BOOL",
        help: "Bind each worker to a CPU of its own",
        details: "Worker n runs on the nth usable CPU only, round and round if there are more \
                  workers than CPUs.",
        heading: Heading::Workers,
        on_reload: OnReload::Applied,
        kind: Kind::Switch,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.cpu_affinity, choice(text)),
            show: |config| Some(name_of(config.supervisor.cpu_affinity).to_owned()),
        },
    },
    Key {
        name: "user",
        environment: &["BRIGADE_USER"],
        default: None,
        value_name: "USER",
        help: "Run workers as this user (name or number)",
        details: "Needs a supervisor that runs as root. Workers also get the user's own group \
                  and supplementary groups.",
        heading: Heading::Workers,
        on_reload: OnReload::NeedsRestart,
        kind: Kind::Account,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.user, account(text).map(Some)),
            show: |config| config.supervisor.user.clone(),
        },
    },
    Key {
        name: "group",
        environment: &["BRIGADE_GROUP"],
        default: None,
        value_name: "GROUP",
        help: "Run workers as this group (name or number); needs `user`",
        details: "Without it, the user's own group.",
        heading: Heading::Workers,
        on_reload: OnReload::NeedsRestart,
        kind: Kind::Account,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.group, account(text).map(Some)),
            show: |config| config.supervisor.group.clone(),
        },
    },
    Key {
        name: "umask",
        environment: &["BRIGADE_UMASK"],
        default: None,
        value_name: "OCTAL",
        help: "File mode creation mask of supervisor and workers",
        details: "Without it, the mask that Brigade was started with. It also decides who may \
                  connect to Unix sockets.",
        heading: Heading::Workers,
        on_reload: OnReload::NeedsRestart,
        kind: Kind::Octal,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.umask, mask(text).map(Some)),
            show: |config| config.supervisor.umask.map(|mask| format!("{mask:03o}")),
        },
    },
    Key {
        name: "pid-file",
        environment: &["BRIGADE_PID_FILE"],
        default: None,
        value_name: "PATH",
        help: "Write the supervisor's process number to this file",
        details: "It is removed when the supervisor stops.",
        heading: Heading::Workers,
        on_reload: OnReload::NeedsRestart,
        kind: Kind::Text,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.pid_file, path(text).map(Some)),
            show: |config| {
                config
                    .supervisor
                    .pid_file
                    .as_ref()
                    .map(|p| p.display().to_string())
            },
        },
    },
    Key {
        name: "timeout-start",
        environment: &["BRIGADE_TIMEOUT_START"],
        default: Some("30s"),
        value_name: "TIME",
        help: "How long a worker may take to become ready",
        details: "After that it is ended, and the end counts as a failure to start.",
        heading: Heading::Deadlines,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.timeout_start, deadline(text)),
            show: |config| Some(show_duration(config.supervisor.timeout_start)),
        },
    },
    Key {
        name: "timeout-header",
        environment: &["BRIGADE_TIMEOUT_HEADER"],
        default: Some("10s"),
        value_name: "TIME",
        help: "How long a request's head may take to arrive",
        details: "Counted from the connection, or from the request's first byte. A client that \
                  is slower is cut.",
        heading: Heading::Deadlines,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.timeout_header, deadline(text)),
            show: |config| Some(show_duration(config.worker.timeout_header)),
        },
    },
    Key {
        name: "timeout-keep-alive",
        environment: &["BRIGADE_TIMEOUT_KEEP_ALIVE", "UVICORN_TIMEOUT_KEEP_ALIVE"],
        default: Some("5s"),
        value_name: "TIME",
        help: "How long a connection may be idle between two requests",
        details: "Behind a proxy, make it longer than the proxy's own, so that the proxy is the \
                  one that closes.",
        heading: Heading::Deadlines,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.timeout_keep_alive, deadline(text)),
            show: |config| Some(show_duration(config.worker.timeout_keep_alive)),
        },
    },
    Key {
        name: "timeout-graceful-shutdown",
        environment: &[
            "BRIGADE_TIMEOUT_GRACEFUL_SHUTDOWN",
            "UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN",
        ],
        default: Some("30s"),
        value_name: "TIME",
        help: "How long a leaving worker may finish open requests",
        details: "What is open after that is cut. With 0 nothing is waited for.",
        heading: Heading::Deadlines,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.supervisor.timeout_graceful_shutdown,
                    duration(text),
                )
            },
            show: |config| Some(show_duration(config.supervisor.timeout_graceful_shutdown)),
        },
    },
    Key {
        name: "timeout-lame-duck",
        environment: &["BRIGADE_TIMEOUT_LAME_DUCK"],
        default: Some("500ms"),
        value_name: "TIME",
        help: "How long a leaving worker still serves idle connections",
        details: "A request that comes meanwhile is answered with `connection: close`, so that \
                  no client is cut while it sends. Not longer than timeout-graceful-shutdown; \
                  the default shrinks with it. With 0 idle connections are closed at once.",
        heading: Heading::Deadlines,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.timeout_lame_duck, duration(text)),
            show: |config| Some(show_duration(config.worker.timeout_lame_duck)),
        },
    },
    Key {
        name: "timeout-kill",
        environment: &["BRIGADE_TIMEOUT_KILL"],
        default: Some("5s"),
        value_name: "TIME",
        help: "How long a worker may take to leave when told to leave at once",
        details: "After that it is ended with SIGKILL.",
        heading: Heading::Deadlines,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.timeout_kill, deadline(text)),
            show: |config| Some(show_duration(config.supervisor.timeout_kill)),
        },
    },
    Key {
        name: "start-attempts",
        environment: &["BRIGADE_START_ATTEMPTS"],
        default: Some("3"),
        value_name: "N",
        help: "Failures to start per worker before the first start is given up",
        details: "If by then no worker at all became ready, the supervisor stops with exit code \
                  1. Once anything was ready, it never gives up for this reason.",
        heading: Heading::Restarts,
        on_reload: OnReload::Applied,
        kind: Kind::Number {
            least: 1,
            most: 1000,
        },
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.supervisor.start_attempts,
                    whole(text, 1, 1000, "attempts"),
                )
            },
            show: |config| Some(config.supervisor.start_attempts.to_string()),
        },
    },
    Key {
        name: "restart-delay",
        environment: &["BRIGADE_RESTART_DELAY"],
        default: Some("100ms"),
        value_name: "TIME",
        help: "The pause after a second crash in a row; it doubles from there",
        details: "The first crash is followed by a replacement at once.",
        heading: Heading::Restarts,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.restart_delay, deadline(text)),
            show: |config| Some(show_duration(config.supervisor.restart_delay)),
        },
    },
    Key {
        name: "restart-delay-max",
        environment: &["BRIGADE_RESTART_DELAY_MAX"],
        default: Some("30s"),
        value_name: "TIME",
        help: "The longest pause between two restarts",
        details: "",
        heading: Heading::Restarts,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.restart_delay_max, deadline(text)),
            show: |config| Some(show_duration(config.supervisor.restart_delay_max)),
        },
    },
    Key {
        name: "restart-calm",
        environment: &["BRIGADE_RESTART_CALM"],
        default: Some("10s"),
        value_name: "TIME",
        help: "Service time after which a crash counts as the first again",
        details: "",
        heading: Heading::Restarts,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.restart_calm, deadline(text)),
            show: |config| Some(show_duration(config.supervisor.restart_calm)),
        },
    },
    Key {
        name: "restart-intensity",
        environment: &["BRIGADE_RESTART_INTENSITY"],
        default: Some("off"),
        value_name: "CRASHES/TIME",
        help: "Give up after more crashes than this; `off`: never",
        details: "`5/10s` allows five crashes of the whole fleet within ten seconds; the sixth \
                  stops the supervisor with exit code 1.",
        heading: Heading::Restarts,
        on_reload: OnReload::Applied,
        kind: Kind::Text,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.restart_intensity, intensity(text)),
            show: |config| Some(show_intensity(config.supervisor.restart_intensity)),
        },
    },
    Key {
        name: "log-level",
        environment: &["BRIGADE_LOG_LEVEL", "UVICORN_LOG_LEVEL"],
        default: Some("info"),
        value_name: "LEVEL",
        help: "The least important lines to write",
        details: "`critical` (the same as `error`), `error`, `warning`, `info`, `debug`, `trace`.",
        heading: Heading::Log,
        on_reload: OnReload::Applied,
        kind: Kind::Choice(names::<LogLevel>),
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.log.level, choice(text)),
            show: |config| Some(name_of(config.log.level).to_owned()),
        },
    },
    Key {
        name: "log-format",
        environment: &["BRIGADE_LOG_FORMAT"],
        default: Some("auto"),
        value_name: "FORMAT",
        help: "The form of the log",
        details: "`human`: lines for people. `json`: one JSON object per line. `journal`: lines \
                  for people, behind systemd's priorities. `auto`: `journal` under systemd, \
                  otherwise `human`.",
        heading: Heading::Log,
        on_reload: OnReload::NeedsRestart,
        kind: Kind::Choice(names::<LogFormat>),
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.log.format, choice(text)),
            show: |config| Some(name_of(config.log.format).to_owned()),
        },
    },
];
