//! Keys: what clients are allowed.

use std::time::Duration;

use super::key::{Form, Heading, Key, Kind, Meaning, OnReload, TIME, TIME_OR_OFF, put};
use crate::words::{
    OFF_WORDS, bytes, deadline, limit, limit_of_bytes, limit_of_time, show_bytes, show_duration,
    show_limit, show_limit_of_bytes, show_limit_of_time, whole,
};

const LEAST_LIMIT: Duration = Duration::from_millis(1);
/// The largest of the limits that count.
const MOST: u32 = 1_000_000_000;
/// hyper's buffer has no room for a larger head.
const MOST_HEAD: u64 = 256 << 10;
/// Every request of a browser would be refused with less.
const LEAST_HEAD: u64 = 1 << 10;
const LEAST_LINE: u64 = 64;
const MOST_FIELDS: u32 = 1000;
const MOST_STREAMS: u32 = 10_000;
const MOST_FRAMES: u32 = 1_000_000;

/// An amount of bytes.
const fn size(least: u64) -> Kind {
    Kind::NumberOr {
        words: &[],
        form: Some(AMOUNT),
        least,
        most: MOST_HEAD,
    }
}
const SIZE_OR_OFF: Kind = Kind::NumberOr {
    words: OFF_WORDS,
    form: Some(AMOUNT),
    least: 0,
    most: crate::words::MOST_BYTES,
};
const AMOUNT: Form = Form {
    like: "64KiB",
    pattern: r"^\d+(\.\d+)? ?([kKmMgGtT][iI]?)?[bB]$",
};
const COUNT_OR_OFF: Kind = Kind::NumberOr {
    words: OFF_WORDS,
    form: None,
    least: 0,
    most: MOST as u64,
};

pub(super) static KEYS: &[Key] = &[
    Key {
        name: "timeout-handshake",
        environment: &["BRIGADE_TIMEOUT_HANDSHAKE"],
        default: Some("10s"),
        value_name: "TIME",
        help: "How long a TLS handshake may take",
        details: "Counted from the connection. A client that is slower is cut.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.limits.handshake, deadline(text)),
            show: |config| Some(show_duration(config.worker.limits.handshake)),
        },
    },
    Key {
        name: "timeout-first-byte",
        environment: &["BRIGADE_TIMEOUT_FIRST_BYTE"],
        default: Some("10s"),
        value_name: "TIME",
        help: "How long a new connection may say nothing",
        details: "Counted from the connection, or from the end of its TLS handshake. After its \
                  first byte timeout-header holds.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.limits.first_byte, deadline(text)),
            show: |config| Some(show_duration(config.worker.limits.first_byte)),
        },
    },
    Key {
        name: "timeout-body",
        environment: &["BRIGADE_TIMEOUT_BODY"],
        default: Some("20s"),
        value_name: "TIME",
        help: "How long a request's body may come too slowly",
        details: "In each span of this length min-rate-body has to be kept. Only the time \
                  counts that is spent waiting for the client, not what the app needs. The \
                  request is answered with 408 and the connection closed.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.limits.body_pace.within, deadline(text)),
            show: |config| Some(show_duration(config.worker.limits.body_pace.within)),
        },
    },
    Key {
        name: "min-rate-body",
        environment: &["BRIGADE_MIN_RATE_BODY"],
        default: Some("250"),
        value_name: "BYTES",
        help: "Bytes of a body per second that a client has to send",
        details: "Measured over spans of timeout-body. `off` (or 0): one byte in each span is \
                  enough.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: COUNT_OR_OFF,
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.limits.body_pace.rate,
                    limit(text, MOST, "bytes per second"),
                )
            },
            show: |config| Some(show_limit(config.worker.limits.body_pace.rate)),
        },
    },
    Key {
        name: "timeout-write",
        environment: &["BRIGADE_TIMEOUT_WRITE"],
        default: Some("20s"),
        value_name: "TIME",
        help: "How long a client may take an answer too slowly",
        details: "In each span of this length min-rate-write has to be kept; what the client's \
                  kernel has confirmed counts. Only the time counts in which there is more to \
                  write than the network takes. A client that is slower is cut.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.limits.write_pace.within, deadline(text)),
            show: |config| Some(show_duration(config.worker.limits.write_pace.within)),
        },
    },
    Key {
        name: "min-rate-write",
        environment: &["BRIGADE_MIN_RATE_WRITE"],
        default: Some("250"),
        value_name: "BYTES",
        help: "Bytes of an answer per second that a client has to take",
        details: "Measured over spans of timeout-write. `off` (or 0): one byte in each span is \
                  enough.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: COUNT_OR_OFF,
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.limits.write_pace.rate,
                    limit(text, MOST, "bytes per second"),
                )
            },
            show: |config| Some(show_limit(config.worker.limits.write_pace.rate)),
        },
    },
    Key {
        name: "timeout-request",
        environment: &["BRIGADE_TIMEOUT_REQUEST"],
        default: Some("off"),
        value_name: "TIME",
        help: "How long a request may take, from its head to the end of its answer",
        details: "After that the app's work on it is dropped. The client gets a 503, or a 408 \
                  if it was still sending; an answer that has begun is broken off. `off` (or \
                  0): as long as it takes.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: TIME_OR_OFF,
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.limits.request,
                    limit_of_time(text, LEAST_LIMIT),
                )
            },
            show: |config| Some(show_limit_of_time(config.worker.limits.request)),
        },
    },
    Key {
        name: "limit-request-line",
        environment: &["BRIGADE_LIMIT_REQUEST_LINE"],
        default: Some("8KiB"),
        value_name: "SIZE",
        help: "The longest first line of a request",
        details: "A longer one is answered with 414 and the connection closed. 64 bytes to \
                  256KiB.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: size(LEAST_LINE),
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.limits.request_line,
                    bytes(text, LEAST_LINE, MOST_HEAD).map(|n| n as u32),
                )
            },
            show: |config| Some(show_bytes(config.worker.limits.request_line.into())),
        },
    },
    Key {
        name: "limit-header-size",
        environment: &["BRIGADE_LIMIT_HEADER_SIZE"],
        default: Some("32KiB"),
        value_name: "SIZE",
        help: "The largest head of a request, its first line included",
        details: "A larger one is answered with 431 and the connection closed. 1KiB to 256KiB. \
                  For HTTP/2 it is the size after decompression.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: size(LEAST_HEAD),
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.limits.header_size,
                    bytes(text, LEAST_HEAD, MOST_HEAD).map(|n| n as u32),
                )
            },
            show: |config| Some(show_bytes(config.worker.limits.header_size.into())),
        },
    },
    Key {
        name: "limit-headers",
        environment: &["BRIGADE_LIMIT_HEADERS"],
        default: Some("100"),
        value_name: "N",
        help: "The most fields in the head of a request",
        details: "More are answered with 431 and the connection closed.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: Kind::Number {
            least: 1,
            most: MOST_FIELDS,
        },
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.limits.headers,
                    whole(text, 1, MOST_FIELDS, "fields"),
                )
            },
            show: |config| Some(config.worker.limits.headers.to_string()),
        },
    },
    Key {
        name: "limit-body",
        environment: &["BRIGADE_LIMIT_BODY"],
        default: Some("64MiB"),
        value_name: "SIZE",
        help: "The largest body of a request",
        details: "A larger one is answered with 413 and the connection closed: before any of \
                  it is read if its length is announced, otherwise when it grows too large. \
                  `off` (or 0): any size.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: SIZE_OR_OFF,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.limits.body, limit_of_bytes(text, 1)),
            show: |config| Some(show_limit_of_bytes(config.worker.limits.body)),
        },
    },
    Key {
        name: "limit-connections",
        environment: &["BRIGADE_LIMIT_CONNECTIONS"],
        default: Some("65536"),
        value_name: "N",
        help: "The most connections that may be open at all workers",
        details: "A new one beyond it is answered with 503 and closed. Near the limit, idle \
                  connections are closed earlier. `off` (or 0): any number.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: COUNT_OR_OFF,
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.limits.connections,
                    limit(text, MOST, "this limit"),
                )
            },
            show: |config| Some(show_limit(config.worker.limits.connections)),
        },
    },
    Key {
        name: "limit-worker-connections",
        environment: &["BRIGADE_LIMIT_WORKER_CONNECTIONS"],
        default: Some("16384"),
        value_name: "N",
        help: "The most connections that may be open at one worker",
        details: "As limit-connections, for each worker by itself. `off` (or 0): any number.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: COUNT_OR_OFF,
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.limits.worker_connections,
                    limit(text, MOST, "this limit"),
                )
            },
            show: |config| Some(show_limit(config.worker.limits.worker_connections)),
        },
    },
    Key {
        name: "limit-peer-connections",
        environment: &["BRIGADE_LIMIT_PEER_CONNECTIONS"],
        default: Some("1024"),
        value_name: "N",
        help: "The most connections that one address may have open at all workers",
        details: "Of IPv6 the first 64 bits count as one address. Trusted proxies, the machine \
                  itself and Unix sockets are not counted. A new one beyond it is answered \
                  with 503 and closed. `off` (or 0): any number.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: COUNT_OR_OFF,
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.limits.peer_connections,
                    limit(text, MOST, "this limit"),
                )
            },
            show: |config| Some(show_limit(config.worker.limits.peer_connections)),
        },
    },
    Key {
        name: "limit-concurrency",
        environment: &["BRIGADE_LIMIT_CONCURRENCY", "UVICORN_LIMIT_CONCURRENCY"],
        default: Some("8192"),
        value_name: "N",
        help: "The most requests that one worker answers at a time",
        details: "More are answered with 503 and `retry-after`, before the app hears of them. \
                  Near the limit, an HTTP/2 connection with more than its share is refused \
                  first. `off` (or 0): any number.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: COUNT_OR_OFF,
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.limits.concurrency,
                    limit(text, MOST, "this limit"),
                )
            },
            show: |config| Some(show_limit(config.worker.limits.concurrency)),
        },
    },
    Key {
        name: "limit-h2-streams",
        environment: &["BRIGADE_LIMIT_H2_STREAMS"],
        default: Some("128"),
        value_name: "N",
        help: "The most requests of one HTTP/2 connection at a time",
        details: "",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: Kind::Number {
            least: 1,
            most: MOST_STREAMS,
        },
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.limits.h2_streams,
                    whole(text, 1, MOST_STREAMS, "streams"),
                )
            },
            show: |config| Some(config.worker.limits.h2_streams.to_string()),
        },
    },
    Key {
        name: "limit-h2-resets",
        environment: &["BRIGADE_LIMIT_H2_RESETS"],
        default: Some("20"),
        value_name: "N",
        help: "Streams that an HTTP/2 client may open and reset at a time",
        details: "Of those that were not looked at yet. A client with more is told to calm \
                  down, and the connection is closed.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: Kind::Number {
            least: 1,
            most: MOST_STREAMS,
        },
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.limits.h2_resets,
                    whole(text, 1, MOST_STREAMS, "streams"),
                )
            },
            show: |config| Some(config.worker.limits.h2_resets.to_string()),
        },
    },
    Key {
        name: "limit-h2-cancels",
        environment: &["BRIGADE_LIMIT_H2_CANCELS"],
        default: Some("500"),
        value_name: "N",
        help: "Requests that an HTTP/2 client may take back within ten seconds",
        details: "Of those that were begun, on one connection; for every four requests one \
                  more. A client with more is told to calm down, and the connection is closed.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: Kind::Number {
            least: 1,
            most: MOST_FRAMES,
        },
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.limits.h2_cancels,
                    whole(text, 1, MOST_FRAMES, "requests"),
                )
            },
            show: |config| Some(config.worker.limits.h2_cancels.to_string()),
        },
    },
    Key {
        name: "limit-h2-frames",
        environment: &["BRIGADE_LIMIT_H2_FRAMES"],
        default: Some("10000"),
        value_name: "N",
        help: "Frames an HTTP/2 client may send within ten seconds that ask for nothing",
        details: "Settings, pings, priorities, windows and unknown ones, on one connection; \
                  for every request four more, and one for every 64 bytes that it is sent. A \
                  client with more is told to calm down, and the connection is closed.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: Kind::Number {
            least: 1,
            most: MOST_FRAMES,
        },
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.limits.h2_frames,
                    whole(text, 1, MOST_FRAMES, "frames"),
                )
            },
            show: |config| Some(config.worker.limits.h2_frames.to_string()),
        },
    },
    Key {
        name: "ws-max-size",
        environment: &["BRIGADE_WS_MAX_SIZE", "UVICORN_WS_MAX_SIZE"],
        default: Some("16MiB"),
        value_name: "SIZE",
        help: "The largest message that may come over a WebSocket",
        details: "All its frames together, as they are sent. A larger one is closed with 1009 \
                  when it is announced, before it is read. `off` (or 0): any size.",
        heading: Heading::Limits,
        on_reload: OnReload::Applied,
        kind: SIZE_OR_OFF,
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.limits.ws_message,
                    limit_of_bytes(text, 1),
                )
            },
            show: |config| Some(show_limit_of_bytes(config.worker.limits.ws_message)),
        },
    },
];
