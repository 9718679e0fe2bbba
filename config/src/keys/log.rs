//! Keys: the log.

use super::key::{Heading, Key, Kind, Meaning, OnReload, put};
use crate::types::{LogFormat, LogLevel};
use crate::words::{choice, name_of, names};

pub(super) static KEYS: &[Key] = &[
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
