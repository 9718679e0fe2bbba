//! Keys: which protocols are spoken, and how.

use std::time::Duration;

use super::key::{Heading, Key, Kind, Meaning, OnReload, TIME_OR_OFF, put};
use crate::types::HttpVersions;
use crate::words::{choice, limit_of_time, name_of, names, show_limit_of_time};

/// More often it would be a load, not a question.
const LEAST_PING: Duration = Duration::from_secs(1);

pub(super) static KEYS: &[Key] = &[
    Key {
        name: "http",
        environment: &["BRIGADE_HTTP"],
        default: Some("both"),
        value_name: "VERSIONS",
        help: "Which versions of HTTP are spoken",
        details: "`both`: over TLS the client chooses (ALPN); without TLS, HTTP/2 is spoken with \
                  those that begin with its preface (prior knowledge), HTTP/1.1 with all others. \
                  `1` or `2`: only that one.",
        heading: Heading::Http,
        on_reload: OnReload::Applied,
        kind: Kind::Choice(names::<HttpVersions>),
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.http.versions, choice(text)),
            show: |config| Some(name_of(config.worker.http.versions).to_owned()),
        },
    },
    Key {
        name: "http2-ping",
        environment: &["BRIGADE_HTTP2_PING"],
        default: Some("20s"),
        value_name: "TIME",
        help: "How long a client of HTTP/2 may be silent before it is pinged",
        details: "It has as long again to answer, then the connection is closed. This finds \
                  clients that are gone without a word while an answer is still to come. `off` \
                  (or 0): never.",
        heading: Heading::Http,
        on_reload: OnReload::Applied,
        kind: TIME_OR_OFF,
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.http.ping,
                    limit_of_time(text, LEAST_PING),
                )
            },
            show: |config| Some(show_limit_of_time(config.worker.http.ping)),
        },
    },
];
