//! Keys: proxies that pass on bytes. They continue the heading of the table before.

use super::key::{Heading, Key, Kind, Meaning, OnReload, put};
use crate::types::Trusted;
use crate::words::{choice, name_of, trust};

pub(super) static KEYS: &[Key] = &[
    Key {
        name: "proxy-protocol",
        environment: &["BRIGADE_PROXY_PROTOCOL"],
        default: Some("false"),
        value_name: "BOOL",
        help: "Take the client's address from the PROXY protocol",
        details: "Versions 1 and 2. Peers of `proxy-protocol-from` must begin each connection \
                  with its header, before TLS; a connection without it is closed. See \
                  docs/http.md.",
        heading: Heading::Proxy,
        on_reload: OnReload::Applied,
        kind: Kind::Switch,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.http.proxy_protocol, choice(text)),
            show: |config| Some(name_of(config.worker.http.proxy_protocol).to_owned()),
        },
    },
    Key {
        name: "proxy-protocol-from",
        environment: &["BRIGADE_PROXY_PROTOCOL_FROM"],
        default: Some("127.0.0.1, ::1, unix"),
        value_name: "PEERS",
        help: "Who speaks the PROXY protocol",
        details: "Addresses, networks (`10.0.0.0/8`), `unix` (whoever connects to a Unix \
                  socket), or `*` for everybody. Others are taken for clients, and may not speak \
                  it. May be given several times; several may also be separated by commas.",
        heading: Heading::Proxy,
        on_reload: OnReload::Applied,
        kind: Kind::List {
            like: &["10.0.0.0/8", "unix"],
        },
        meaning: Meaning::Values {
            clear: |config| config.worker.http.proxy_protocol_from = Trusted::default(),
            add: |config, text| trust(&mut config.worker.http.proxy_protocol_from, text),
            all: |config| config.worker.http.proxy_protocol_from.words(),
        },
    },
];
