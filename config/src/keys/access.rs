//! Keys: the access log.

use std::time::Duration;

use super::key::{Heading, Key, Kind, Meaning, OnReload, put};
use crate::types::AccessLogTo;
use crate::words::{
    OFF, OFF_WORDS, access_format, is_off, limit_of_time, path, show_limit_of_time, whole,
};

/// The supervisor's standard output.
const OUTPUT: &str = "-";
/// Of more requests than this none would ever be written.
const MOST_SAMPLED: u32 = 1_000_000_000;

pub(super) static KEYS: &[Key] = &[
    Key {
        name: "access-log",
        environment: &["BRIGADE_ACCESS_LOG", "UVICORN_ACCESS_LOG"],
        default: Some("off"),
        value_name: "FILE",
        help: "Write a line for every request: to a file, or `-`",
        details: "`-`, or the flag alone: to standard output. `off`: no access log. A file is \
                  appended to, opened by the supervisor, and opened again on USR1. See \
                  docs/access-log.md.",
        heading: Heading::AccessLog,
        on_reload: OnReload::Applied,
        kind: Kind::PathOrSwitch {
            like: "/var/log/brigade/access.log",
        },
        meaning: Meaning::Value {
            set: |config, text| {
                config.worker.access_log.to = match text.trim() {
                    "false" | "no" => None,
                    word if is_off(word) => None,
                    OUTPUT | "true" | "yes" | "on" | "1" => Some(AccessLogTo::Output),
                    _ => Some(AccessLogTo::File(path(text)?)),
                };
                Ok(())
            },
            show: |config| {
                Some(match &config.worker.access_log.to {
                    None => OFF.to_owned(),
                    Some(AccessLogTo::Output) => OUTPUT.to_owned(),
                    Some(AccessLogTo::File(path)) => path.display().to_string(),
                })
            },
        },
    },
    Key {
        name: "access-log-format",
        environment: &["BRIGADE_ACCESS_LOG_FORMAT"],
        default: Some("combined"),
        value_name: "FORMAT",
        help: "`common`, `combined`, `json`, or text with fields in braces",
        details: "Such as `{remote} {method} {path} {status} {duration}`; `json:FIELD,FIELD` \
                  chooses those of the object. docs/access-log.md lists the fields.",
        heading: Heading::AccessLog,
        on_reload: OnReload::Applied,
        kind: Kind::Text {
            like: "{remote} {method} {path} {status} {duration}",
        },
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.access_log.format, access_format(text)),
            show: |config| Some(config.worker.access_log.format.words.clone()),
        },
    },
    Key {
        name: "access-log-sample",
        environment: &["BRIGADE_ACCESS_LOG_SAMPLE"],
        default: Some("off"),
        value_name: "N",
        help: "Write one of so many requests, by chance",
        details: "",
        heading: Heading::AccessLog,
        on_reload: OnReload::Applied,
        kind: Kind::NumberOr {
            words: OFF_WORDS,
            form: None,
            least: 0,
            most: MOST_SAMPLED as u64,
        },
        meaning: Meaning::Value {
            set: |config, text| {
                config.worker.access_log.sample = match text.trim() {
                    word if is_off(word) => None,
                    word => Some(whole(word, 0, MOST_SAMPLED, "a number of requests")?),
                };
                Ok(())
            },
            show: |config| {
                let sample = config.worker.access_log.sample;
                Some(sample.map_or_else(|| OFF.to_owned(), |number| number.to_string()))
            },
        },
    },
    Key {
        name: "access-log-slower-than",
        environment: &["BRIGADE_ACCESS_LOG_SLOWER_THAN"],
        default: Some("off"),
        value_name: "TIME",
        help: "Write only requests that took longer",
        details: "Together with `access-log-sample`: all that took longer, and one of so many of \
                  the others.",
        heading: Heading::AccessLog,
        on_reload: OnReload::Applied,
        kind: Kind::Time { words: OFF_WORDS },
        meaning: Meaning::Value {
            set: |config, text| {
                let limit = limit_of_time(text, Duration::from_millis(1));
                put(&mut config.worker.access_log.slower_than, limit)
            },
            show: |config| Some(show_limit_of_time(config.worker.access_log.slower_than)),
        },
    },
];
