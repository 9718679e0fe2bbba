//! Keys: how long anything may take.

use std::time::Duration;

use super::key::{Heading, Key, Meaning, OnReload, TIME, TIME_OR_OFF, put};
use crate::words::{deadline, duration, limit_of_time, show_duration, show_limit_of_time};

/// Shorter stalls are told from a crowded machine by nobody.
const LEAST_STALL: Duration = Duration::from_millis(20);
const LEAST_LIMIT: Duration = Duration::from_millis(1);

pub(super) static KEYS: &[Key] = &[
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
        name: "stall-warn",
        environment: &["BRIGADE_STALL_WARN"],
        default: Some("250ms"),
        value_name: "TIME",
        help: "How long a worker may stand still before others serve for it",
        details: "New connections then pass it by, others serve what waits for it, and the log \
                  tells its request and its stack, until it goes on. At least 20ms; `off` (or \
                  0): nobody watches. A program of `brigade exec` takes part once it says \
                  WATCHDOG=1.",
        heading: Heading::Deadlines,
        on_reload: OnReload::Applied,
        kind: TIME_OR_OFF,
        meaning: Meaning::Value {
            set: |config, text| {
                let time = limit_of_time(text, LEAST_STALL).map(Option::unwrap_or_default);
                put(&mut config.supervisor.stall_warn, time)
            },
            show: |config| {
                let time = config.supervisor.stall_warn;
                Some(show_limit_of_time((!time.is_zero()).then_some(time)))
            },
        },
    },
    Key {
        name: "timeout-worker",
        environment: &["BRIGADE_TIMEOUT_WORKER"],
        default: Some("30s"),
        value_name: "TIME",
        help: "How long a worker may stand still before it is ended",
        details: "It gets SIGABRT, after timeout-kill SIGKILL, and is replaced. `off` (or 0): \
                  never. Not shorter than stall-warn. Programs of `brigade exec` find it in \
                  WATCHDOG_USEC.",
        heading: Heading::Deadlines,
        on_reload: OnReload::Applied,
        kind: TIME_OR_OFF,
        meaning: Meaning::Value {
            set: |config, text| {
                let limit = limit_of_time(text, LEAST_LIMIT);
                put(&mut config.supervisor.timeout_worker, limit)
            },
            show: |config| Some(show_limit_of_time(config.supervisor.timeout_worker)),
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
        name: "timeout-hooks",
        environment: &["BRIGADE_TIMEOUT_HOOKS"],
        default: Some("2s"),
        value_name: "TIME",
        help: "How long the app's own last acts may take when a worker leaves",
        details: "What the app has asked to run at the end (`Context::at_stop`), all of it together, after the \
                  last connection. No longer than timeout-kill; the default is at most half of that.",
        heading: Heading::Deadlines,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.timeout_hooks, duration(text)),
            show: |config| Some(show_duration(config.worker.timeout_hooks)),
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
];
