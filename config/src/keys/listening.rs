//! Keys: where to listen.

use super::key::{Heading, Key, Kind, Meaning, OnReload, Spelling, put};
use crate::types::Balance;
use crate::words::{admin, choice, name_of, names, whole};

pub(super) static KEYS: &[Key] = &[
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
        on_reload: OnReload::Applied,
        kind: Kind::Text { like: "0.0.0.0" },
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
        on_reload: OnReload::Applied,
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
        on_reload: OnReload::Applied,
        kind: Kind::Text {
            like: "/run/brigade.sock",
        },
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
        on_reload: OnReload::Applied,
        kind: Kind::Descriptor,
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
        on_reload: OnReload::Applied,
        kind: Kind::List {
            like: &["127.0.0.1:8000", "unix:/run/brigade.sock"],
        },
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
        on_reload: OnReload::Applied,
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
        name: "balance",
        environment: &["BRIGADE_BALANCE"],
        default: Some("slots"),
        value_name: "MODE",
        help: "How workers share new connections: `slots` or `shared`",
        details: "`slots`: each worker has a queue of its own at every TCP address, and the \
                  kernel is told which of them can serve. `shared`: one queue per address, from \
                  which workers take by turns; Unix and inherited sockets always work like that.",
        heading: Heading::Listening,
        on_reload: OnReload::NeedsRestart,
        kind: Kind::Choice(names::<Balance>),
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.balance, choice(text)),
            show: |config| Some(name_of(config.supervisor.balance).to_owned()),
        },
    },
    Key {
        name: "admin",
        environment: &["BRIGADE_ADMIN"],
        default: None,
        value_name: "ADDRESS",
        help: "Place to answer /startupz, /livez, /readyz and /metrics at",
        details: "`HOST:PORT`, `[V6]:PORT`, `unix:PATH` or `unix:@NAME`. A small process of its \
                  own answers there, also while every worker is stuck. It asks nobody who they \
                  are: do not let the world reach it.",
        heading: Heading::Listening,
        on_reload: OnReload::NeedsRestart,
        kind: Kind::Text {
            like: "127.0.0.1:9090",
        },
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.supervisor.admin, admin(text).map(Some)),
            show: |config| config.supervisor.admin.as_ref().map(ToString::to_string),
        },
    },
];
