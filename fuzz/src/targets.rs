//! The targets.

use brigade_config::fuzz as config;
use brigade_shared::message::{Fact, Order};
use brigade_supervisor::fuzz as supervisor;
use brigade_worker::fuzz as worker;

/// Something that reads bytes of strangers.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// Reads them.
    pub read: fn(&[u8]),
    /// Words that lead somewhere: mutations take them.
    pub words: &'static [&'static str],
}

/// All of them.
pub const TARGETS: [Target; 6] = [
    Target {
        name: "proxy_header",
        read: worker::proxy_header,
        words: &[
            "PROXY ",
            "TCP4 ",
            "TCP6 ",
            "UNKNOWN",
            "\r\n",
            "\r\n\r\n\0\r\nQUIT\n",
            "127.0.0.1 ",
            "::1 ",
            "\x21",
            "\x20",
            "\x11",
            "\x12",
            "\x31",
            "65535",
            "+1",
        ],
    },
    Target {
        name: "forwarded",
        read: worker::forwarded,
        words: &[
            "x-forwarded-for: ",
            "x-forwarded-proto: ",
            "x-forwarded-host: ",
            "x-forwarded-port: ",
            "x-forwarded-prefix: ",
            "forwarded: ",
            "for=",
            "proto=https",
            "host=",
            "by=",
            ";",
            ",",
            "\"",
            "\\",
            "10.0.0.1",
            "[::ffff:10.0.0.1]:80",
            "\"[2001:db8::1]:4711\"",
            "unknown",
            "_hidden",
            "\n",
        ],
    },
    Target {
        name: "access_log",
        read: access_log,
        words: &[
            "common",
            "combined",
            "json",
            "json:",
            "{remote}",
            "{request}",
            "{path}",
            "{query}",
            "{header:",
            "{reply:",
            "{id}",
            "{{",
            "}}",
            "\"",
            "\\",
            "%0a",
            "\u{202e}",
            "\u{80}",
            "user-agent: ",
            "\n",
        ],
    },
    Target {
        name: "config",
        read: configuration,
        words: &[
            "workers = ",
            "bind = ",
            "\"0.0.0.0:80\"",
            "\"unix:@x\"",
            "[",
            "]",
            "\"\"\"",
            "2..8",
            "50%",
            "1h 30m",
            "512MiB",
            "ssl-certfile = ",
            "access-log-format = ",
            "'{path}'",
            "\n",
            "#",
            "=",
            "true",
        ],
    },
    Target {
        name: "control",
        read: control,
        words: &[
            "\"fact\"",
            "\"order\"",
            "\"ready\"",
            "\"drain\"",
            "\"deadline_ms\"",
            ":",
            "{",
            "}",
            "[",
            "]",
            "null",
            "18446744073709551616",
            "-1",
            "READY=1",
            "STATUS=",
            "WATCHDOG=1",
            "brigade-kept-1-listen.",
            ".0.",
            "\n",
        ],
    },
    Target {
        name: "http1",
        read: http1,
        words: &[
            "GET ",
            " HTTP/1.1",
            "\r\n",
            "content-length: ",
            "transfer-encoding: chunked",
            "0\r\n\r\n",
            "host: x",
            ":",
            "\t",
            "chunked, ",
            "5;a=b",
        ],
    },
];

/// The first line is a format, the rest a request.
fn access_log(bytes: &[u8]) {
    let (format, request) = halves(bytes);
    let Some(format) = config::access_format(&String::from_utf8_lossy(format)) else {
        return;
    };
    let line = worker::access_line(&format, request);
    if format.words.trim() == "json" || format.words.trim().starts_with("json:") {
        let value = serde_json::from_str::<serde_json::Value>(&line).expect("JSON");
        assert!(value.is_object(), "{line}");
    }
}

/// What is refused is told in words, and what is taken is taken by itself again.
fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match config::file(text) {
        Ok(read) => assert_eq!(config::file(text).ok(), Some(read)),
        Err(problems) => {
            let words = problems.to_string();
            assert!(words.contains("error"), "{words}");
            let is_odd = |c: char| c.is_control() && c != '\n';
            assert!(!words.contains(is_odd), "{words:?}");
        }
    }
}

/// Messages between supervisor and workers, of programs, and the names of kept sockets. What is
/// understood is understood again when it is said again.
fn control(bytes: &[u8]) {
    if let Ok(fact) = serde_json::from_slice::<Fact>(bytes) {
        let again = serde_json::to_vec(&fact).expect("words");
        assert_eq!(serde_json::from_slice::<Fact>(&again).ok(), Some(fact));
    }
    if let Ok(order) = serde_json::from_slice::<Order>(bytes) {
        let again = serde_json::to_vec(&order).expect("words");
        assert_eq!(serde_json::from_slice::<Order>(&again).ok(), Some(order));
    }
    supervisor::notification(bytes);
    if let Ok(name) = std::str::from_utf8(bytes) {
        supervisor::kept_name(name);
    }
}

/// The reader of HTTP/1 beneath hyper decides alike however its bytes are cut.
fn http1(bytes: &[u8]) {
    worker::head(bytes);
}

fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let end = end.unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}
