//! Keys: the headers of answers, and proxies in front. The first continue the heading of the table
//! before.

use super::key::{Heading, Key, Kind, Meaning, OnReload, put};
use crate::types::{ForwardedFamily, Trusted};
use crate::words::{choice, header, name_of, names, root_path, trust};

pub(super) static KEYS: &[Key] = &[
    Key {
        name: "server-header",
        environment: &["BRIGADE_SERVER_HEADER", "UVICORN_SERVER_HEADER"],
        default: Some("false"),
        value_name: "BOOL",
        help: "Add `server: brigade` to answers",
        details: "Not where the app names a server itself.",
        heading: Heading::Http,
        on_reload: OnReload::Applied,
        kind: Kind::Switch,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.proxy.answers.server, choice(text)),
            show: |config| Some(name_of(config.worker.proxy.answers.server).to_owned()),
        },
    },
    Key {
        name: "date-header",
        environment: &["BRIGADE_DATE_HEADER", "UVICORN_DATE_HEADER"],
        default: Some("true"),
        value_name: "BOOL",
        help: "Add the date to answers",
        details: "",
        heading: Heading::Http,
        on_reload: OnReload::Applied,
        kind: Kind::Switch,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.proxy.answers.date, choice(text)),
            show: |config| Some(name_of(config.worker.proxy.answers.date).to_owned()),
        },
    },
    Key {
        name: "header",
        environment: &["BRIGADE_HEADER"],
        default: None,
        value_name: "HEADER",
        help: "Add this header to answers; may be given several times",
        details: "`NAME: VALUE`. Not where the app says something under this name itself. In the \
                  environment several are separated by commas.",
        heading: Heading::Http,
        on_reload: OnReload::Applied,
        kind: Kind::List {
            like: &["x-frame-options: DENY"],
        },
        meaning: Meaning::Values {
            clear: |config| config.worker.proxy.answers.more.clear(),
            add: |config, text| {
                config.worker.proxy.answers.more.push(header(text)?);
                Ok(())
            },
            all: |config| {
                let more = &config.worker.proxy.answers.more;
                more.iter()
                    .map(|(name, value)| format!("{name}: {value}"))
                    .collect()
            },
        },
    },
    Key {
        name: "proxy-headers",
        environment: &["BRIGADE_PROXY_HEADERS", "UVICORN_PROXY_HEADERS"],
        default: Some("true"),
        value_name: "BOOL",
        help: "Believe what trusted proxies say of the client",
        details: "Client, scheme and host are taken from `X-Forwarded-For`, `-Proto`, `-Host`, \
                  `-Port` and `-Prefix` or from `Forwarded`, if the peer is one of \
                  `forwarded-allow-ips`. See docs/proxy.md.",
        heading: Heading::Proxy,
        on_reload: OnReload::Applied,
        kind: Kind::Switch,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.proxy.headers, choice(text)),
            show: |config| Some(name_of(config.worker.proxy.headers).to_owned()),
        },
    },
    Key {
        name: "forwarded-allow-ips",
        environment: &[
            "BRIGADE_FORWARDED_ALLOW_IPS",
            "UVICORN_FORWARDED_ALLOW_IPS",
            "FORWARDED_ALLOW_IPS",
        ],
        default: Some("127.0.0.1, ::1, unix"),
        value_name: "PEERS",
        help: "Whose forwarded headers are believed",
        details: "Addresses, networks (`10.0.0.0/8`), `unix` (whoever connects to a Unix \
                  socket), or `*` for everybody. Every proxy on the way must be among them: the \
                  walk from the nearest to the farthest ends at the first that is not. May be \
                  given several times; several may also be separated by commas.",
        heading: Heading::Proxy,
        on_reload: OnReload::Applied,
        kind: Kind::List {
            like: &["10.0.0.0/8", "unix"],
        },
        meaning: Meaning::Values {
            clear: |config| config.worker.proxy.trusted = Trusted::default(),
            add: |config, text| trust(&mut config.worker.proxy.trusted, text),
            all: |config| config.worker.proxy.trusted.words(),
        },
    },
    Key {
        name: "forwarded-header",
        environment: &["BRIGADE_FORWARDED_HEADER"],
        default: Some("auto"),
        value_name: "FAMILY",
        help: "Which headers a proxy writes: `x-forwarded` or `forwarded`",
        details: "`auto`: `X-Forwarded-*` if a request has any of them, otherwise `Forwarded`. \
                  Name the family if the proxy passes on what clients write into the other one.",
        heading: Heading::Proxy,
        on_reload: OnReload::Applied,
        kind: Kind::Choice(names::<ForwardedFamily>),
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.proxy.family, choice(text)),
            show: |config| Some(name_of(config.worker.proxy.family).to_owned()),
        },
    },
    Key {
        name: "root-path",
        environment: &["BRIGADE_ROOT_PATH", "UVICORN_ROOT_PATH"],
        default: None,
        value_name: "PATH",
        help: "The path under which a proxy shows this service",
        details: "The app is told of it, for the links that it makes; the paths of requests stay \
                  as they come. A trusted peer's `X-Forwarded-Prefix` replaces it.",
        heading: Heading::Proxy,
        on_reload: OnReload::Applied,
        kind: Kind::Text { like: "/api" },
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.proxy.root_path, root_path(text)),
            show: |config| {
                Some(config.worker.proxy.root_path.clone()).filter(|path| !path.is_empty())
            },
        },
    },
    Key {
        name: "request-id",
        environment: &["BRIGADE_REQUEST_ID"],
        default: Some("false"),
        value_name: "BOOL",
        help: "Give every request an id, in `x-request-id`",
        details: "That of a trusted peer is kept, otherwise one is made. The app finds it among \
                  the headers of the request, the client among those of the answer.",
        heading: Heading::Proxy,
        on_reload: OnReload::Applied,
        kind: Kind::Switch,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.proxy.request_id, choice(text)),
            show: |config| Some(name_of(config.worker.proxy.request_id).to_owned()),
        },
    },
];
