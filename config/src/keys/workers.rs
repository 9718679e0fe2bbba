//! Keys: how many workers, who they are, and when they count as ready.

use super::key::{Form, Heading, Key, Kind, Meaning, OnReload, put};
use crate::types::MAX_WORKERS;
use crate::words::{
    READINESS, account, choice, mask, name_of, path, readiness, show_readiness, show_share,
    show_workers, some_share, workers,
};

pub(super) static KEYS: &[Key] = &[
    Key {
        name: "workers",
        environment: &["BRIGADE_WORKERS", "UVICORN_WORKERS", "WEB_CONCURRENCY"],
        default: Some("auto"),
        value_name: "N",
        help: "How many workers; `auto`: as usable CPUs; `2..8`: by load",
        details: "`auto` counts the CPUs that this process may use, by its affinity and by the \
                  quota of its cgroup, and follows the quota. With a range, as many run as the \
                  load needs. At most 1024.",
        heading: Heading::Workers,
        on_reload: OnReload::Applied,
        kind: Kind::NumberOr {
            words: &["auto"],
            form: Some(Form {
                like: "2..8",
                pattern: r"^\d+ *\.\. *\d+$",
            }),
            least: 1,
            most: MAX_WORKERS as u64,
        },
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.workers, workers(text)),
            show: |config| Some(show_workers(config.supervisor.workers)),
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
        name: "ready-when",
        environment: &["BRIGADE_READY_WHEN"],
        default: Some("100%"),
        value_name: "N|P%",
        help: "How many workers make the service ready",
        details: "When so many serve for the first time, systemd is told READY; when fewer do, the \
                  service does not count as ready. A percentage is rounded up.",
        heading: Heading::Workers,
        on_reload: OnReload::Applied,
        kind: Kind::NumberOr {
            words: &[],
            form: Some(Form {
                like: "50%",
                pattern: r"^([1-9]\d?|100) ?%$",
            }),
            least: 1,
            most: MAX_WORKERS as u64,
        },
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.ready_when, some_share(text)),
            show: |config| Some(show_share(config.supervisor.ready_when)),
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
        kind: Kind::Text {
            like: "/run/brigade.pid",
        },
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
];
