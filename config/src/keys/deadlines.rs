//! Keys: how long anything may take.

use super::key::{Heading, Key, Meaning, OnReload, TIME, put};
use crate::words::{deadline, duration, show_duration};

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
];
