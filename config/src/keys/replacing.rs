//! Keys: how workers are replaced that are well: by a reload, or because they are worn.

use std::time::Duration;

use super::key::{Form, Heading, Key, Kind, Meaning, OnReload, TIME, TIME_OR_OFF, put};
use crate::types::MAX_WORKERS;
use crate::words::{
    MOST_BYTES, OFF_WORDS, duration, limit, limit_of_time, memory, share, show_duration,
    show_limit, show_limit_of_time, show_memory, show_share, whole,
};

/// Requests are counted up to here; beyond it one means "never".
const MOST_REQUESTS: u32 = 1_000_000_000;
/// A worker that lives shorter hardly serves.
const LEAST_LIFETIME: Duration = Duration::from_secs(1);

/// A number of workers, or a percentage of them.
const SHARE: Kind = Kind::NumberOr {
    words: &[],
    form: Some(Form {
        like: "25%",
        pattern: r"^(\d{1,2}|100) ?%$",
    }),
    least: 0,
    most: MAX_WORKERS as u64,
};

pub(super) static KEYS: &[Key] = &[
    Key {
        name: "reload-surge",
        environment: &["BRIGADE_RELOAD_SURGE"],
        default: Some("100%"),
        value_name: "N|P%",
        help: "Extra workers that a reload may use at a time",
        details: "With 100% all new workers start beside the old ones, which leave together. With \
                  fewer, workers are replaced in waves, which takes longer and less memory. A \
                  percentage is rounded up.",
        heading: Heading::Replacing,
        on_reload: OnReload::Applied,
        kind: SHARE,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.reload_surge, share(text)),
            show: |config| Some(show_share(config.supervisor.reload_surge)),
        },
    },
    Key {
        name: "reload-max-unavailable",
        environment: &["BRIGADE_RELOAD_MAX_UNAVAILABLE"],
        default: Some("0"),
        value_name: "N|P%",
        help: "Workers that may be missing while a reload runs",
        details: "With `reload-surge` 0 so many old workers leave before their successors start: \
                  for services that cannot run twice. A percentage is rounded up.",
        heading: Heading::Replacing,
        on_reload: OnReload::Applied,
        kind: SHARE,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.reload_max_unavailable, share(text)),
            show: |config| Some(show_share(config.supervisor.reload_max_unavailable)),
        },
    },
    Key {
        name: "reload-probation",
        environment: &["BRIGADE_RELOAD_PROBATION"],
        default: Some("2s"),
        value_name: "TIME",
        help: "How long the first new worker is on probation",
        details: "It serves beside the old ones meanwhile, and the rest waits. If it ends or stands \
                  still, the reload \
                  is taken back. With 0 it need only become ready.",
        heading: Heading::Replacing,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.reload_probation, duration(text)),
            show: |config| Some(show_duration(config.supervisor.reload_probation)),
        },
    },
    Key {
        name: "reload-max-lingering",
        environment: &["BRIGADE_RELOAD_MAX_LINGERING"],
        default: Some("3"),
        value_name: "N",
        help: "Old generations that may linger; the oldest is cut",
        details: "What lingers are workers with long downloads and open websockets. With 0 a reload cuts \
                  whoever has not left since the one before.",
        heading: Heading::Replacing,
        on_reload: OnReload::Applied,
        kind: Kind::Number {
            least: 0,
            most: 100,
        },
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.supervisor.reload_max_lingering,
                    whole(text, 0, 100, "generations"),
                )
            },
            show: |config| Some(config.supervisor.reload_max_lingering.to_string()),
        },
    },
    Key {
        name: "limit-max-requests",
        environment: &["BRIGADE_LIMIT_MAX_REQUESTS", "UVICORN_LIMIT_MAX_REQUESTS"],
        default: Some("off"),
        value_name: "N",
        help: "Replace a worker after so many requests",
        details: "Its successor is ready before it leaves. `off` (or 0): never. Programs of \
                  `brigade exec` do not tell how many they served, so this passes them by.",
        heading: Heading::Replacing,
        on_reload: OnReload::Applied,
        kind: Kind::NumberOr {
            words: OFF_WORDS,
            form: None,
            least: 0,
            most: MOST_REQUESTS as u64,
        },
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.supervisor.recycle.max_requests,
                    limit(text, MOST_REQUESTS, "requests"),
                )
            },
            show: |config| Some(show_limit(config.supervisor.recycle.max_requests)),
        },
    },
    Key {
        name: "limit-max-requests-jitter",
        environment: &[
            "BRIGADE_LIMIT_MAX_REQUESTS_JITTER",
            "UVICORN_LIMIT_MAX_REQUESTS_JITTER",
        ],
        default: Some("0"),
        value_name: "N",
        help: "And up to so many requests more, by chance",
        details: "So that workers that started together are not worn together. Not more than \
                  limit-max-requests.",
        heading: Heading::Replacing,
        on_reload: OnReload::Applied,
        kind: Kind::Number {
            least: 0,
            most: MOST_REQUESTS,
        },
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.supervisor.recycle.max_requests_jitter,
                    whole::<u32>(text, 0, MOST_REQUESTS, "requests").map(u64::from),
                )
            },
            show: |config| Some(config.supervisor.recycle.max_requests_jitter.to_string()),
        },
    },
    Key {
        name: "limit-worker-lifetime",
        environment: &["BRIGADE_LIMIT_WORKER_LIFETIME"],
        default: Some("off"),
        value_name: "TIME",
        help: "Replace a worker after so much time",
        details: "At least 1s; `off` (or 0): never.",
        heading: Heading::Replacing,
        on_reload: OnReload::Applied,
        kind: TIME_OR_OFF,
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.supervisor.recycle.lifetime,
                    limit_of_time(text, LEAST_LIFETIME),
                )
            },
            show: |config| Some(show_limit_of_time(config.supervisor.recycle.lifetime)),
        },
    },
    Key {
        name: "limit-worker-memory",
        environment: &["BRIGADE_LIMIT_WORKER_MEMORY"],
        default: Some("off"),
        value_name: "SIZE|P%",
        help: "Replace a worker that uses so much memory",
        details: "What it shares with others counts in part (PSS), and only what several \
                  measurements show. `512MiB`, `1GB`, or a plain number of bytes; at least 1MiB; \
                  `25%`: of the limit of its cgroup, or else of the machine; `off` (or 0): \
                  never. Of a program of `brigade exec` all its processes count.",
        heading: Heading::Replacing,
        on_reload: OnReload::Applied,
        kind: Kind::NumberOr {
            words: OFF_WORDS,
            form: Some(Form {
                like: "512MiB",
                pattern: r"^\d+(\.\d+)? ?([kKmMgGtT][iI]?)?[bB]$|^([1-9]\d?|100) ?%$",
            }),
            least: 0,
            most: MOST_BYTES,
        },
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.recycle.memory, memory(text)),
            show: |config| Some(show_memory(config.supervisor.recycle.memory)),
        },
    },
    Key {
        name: "recycle-at-most",
        environment: &["BRIGADE_RECYCLE_AT_MOST"],
        default: Some("1"),
        value_name: "N",
        help: "Workers replaced at a time because of a limit",
        details: "Of the whole pool. A reload comes first.",
        heading: Heading::Replacing,
        on_reload: OnReload::Applied,
        kind: Kind::Number {
            least: 1,
            most: MAX_WORKERS as u32,
        },
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.supervisor.recycle.at_most,
                    whole(text, 1, MAX_WORKERS.into(), "workers"),
                )
            },
            show: |config| Some(config.supervisor.recycle.at_most.to_string()),
        },
    },
];
