//! Keys: what follows a crash.

use super::key::{Heading, Key, Kind, Meaning, OnReload, TIME, put};
use crate::words::{deadline, intensity, show_duration, show_intensity, whole};

pub(super) static KEYS: &[Key] = &[
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
        kind: Kind::Text { like: "5/10s" },
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.restart_intensity, intensity(text)),
            show: |config| Some(show_intensity(config.supervisor.restart_intensity)),
        },
    },
];
