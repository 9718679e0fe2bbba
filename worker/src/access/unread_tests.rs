//! Lines of what was refused before there was a request.

use super::tests::config;
use crate::rig::{HEADER, Handler, Rig};
use brigade_config::WorkerConfig;
use brigade_shared::board::Counter;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const FIELDS: &str = "{remote} \"{request}\" {method} {path} {query} {protocol} {status} {bytes} {ttfb} {end} {agent}";

/// What is answered to these bytes, and what the log says of them.
fn told(keys: &[(&str, &str)], bytes: &[u8]) -> (String, String) {
    let (folder, config) = config(keys);
    let mut both = (String::new(), String::new());
    Rig::paused(async |rig| {
        let rig = rig.with(config);
        let mut client = rig.connect(Handler::hello());
        let (mut reader, mut writer) = tokio::io::split(&mut client);
        let say = async {
            // It may be refused before all of it is said.
            let _ = writer.write_all(bytes).await;
            let _ = writer.shutdown().await;
        };
        let (_, read) = tokio::join!(say, reader.read_to_string(&mut both.0));
        drop(client);
        rig.station.meter.all_gone().await;
        read.unwrap();
        rig.station
            .access
            .finish(&rig.station, Duration::from_secs(30));
        let file = folder.path().join("a.log");
        both.1 = std::fs::read_to_string(file).unwrap();
        let counts = rig.row().counts;
        let lines = both.1.lines().count() as u64;
        let answers = counts.get(Counter::Success) + counts.get(Counter::ClientError);
        assert_eq!(
            answers, lines,
            "what is answered is counted, and written once"
        );
    });
    both
}

#[test]
fn what_is_no_request_has_a_line_with_its_status_and_as_much_as_is_known() {
    let long = [
        b"GET /".as_slice(),
        &[b'a'; 70_000],
        b" HTTP/1.1\r\nhost: x\r\n\r\n",
    ]
    .concat();
    let many = format!(
        "GET /many HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
        "y".repeat(90_000)
    );
    let fields = format!("GET /fields HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(400));
    for (bytes, status, expected) in [
        // A request line that is none.
        (b"GARBAGE\r\n\r\n".as_slice(), "400", "unix \"GARBAGE\" - - - - 400 0 0.000000 complete -"),
        (
            b"GET /a?b=c HTTP/3.0\r\nhost: x\r\n\r\n",
            "400",
            "unix \"GET /a?b=c HTTP/3.0\" GET /a b=c HTTP/3.0 400 0 0.000000 complete -",
        ),
        // Two readings of where it ends.
        (
            b"POST /two HTTP/1.1\r\nhost: x\r\nuser-agent: evil\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
            "400",
            "unix \"POST /two HTTP/1.1\" POST /two - HTTP/1.1 400 0 0.000000 complete -",
        ),
        // What only hyper finds: a field's name.
        (
            b"GET /name HTTP/1.1\r\nhost: x\r\na b: c\r\n\r\n",
            "400",
            "unix \"GET /name HTTP/1.1\" GET /name - HTTP/1.1 400 0 0.000000 complete -",
        ),
        // Ends of lines and quotation marks can't forge another line.
        (
            b"GET /\" 200 5 \"x\nHTTP/1.1\r\n\r\n",
            "400",
            r#"unix "GET /\" 200 5 \"x" GET /\"\x20200\x205\x20\"x - - 400 0 0.000000 complete -"#,
        ),
        // Another protocol.
        (
            b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
            "400",
            r#"unix "\x16\x03\x01\x02" - - - - 400 0 0.000000 complete -"#,
        ),
        (
            many.as_bytes(),
            "431",
            "unix \"GET /many HTTP/1.1\" GET /many - HTTP/1.1 431 0 0.000000 complete -",
        ),
        (
            fields.as_bytes(),
            "431",
            "unix \"GET /fields HTTP/1.1\" GET /fields - HTTP/1.1 431 0 0.000000 complete -",
        ),
    ] {
        let (answer, lines) = told(&[("access-log-format", FIELDS)], bytes);
        assert_eq!(answer.split(' ').nth(1), Some(status), "{answer}");
        assert_eq!(lines, format!("{expected}\n"));
    }
    // Longer than hyper's own bound, and than what a line tells.
    let keys = [
        ("access-log-format", FIELDS),
        ("limit-header-size", "100KiB"),
    ];
    let (answer, lines) = told(&keys, &long);
    assert_eq!(answer.split(' ').nth(1), Some("414"), "{answer}");
    assert!(
        lines.contains("aaa...\" GET /aaa") && lines.contains("... - HTTP/1.1 414 0 "),
        "{lines}"
    );
    assert!(lines.len() < 4200 && lines.matches('\n').count() == 1);
}

#[test]
fn all_formats_have_a_line_for_it() {
    let twisted = b"GET /a HTTP/1.1\r\nhost: x\r\ncontent-length: +1\r\n\r\n";
    let (_, common) = told(&[("access-log-format", "common")], twisted);
    assert!(common.starts_with("unix - - ["), "{common}");
    assert!(
        common.ends_with("] \"GET /a HTTP/1.1\" 400 0\n"),
        "{common}"
    );
    let (_, combined) = told(&[], twisted);
    assert!(
        combined.ends_with("] \"GET /a HTTP/1.1\" 400 0 \"-\" \"-\"\n"),
        "{combined}"
    );
    let (_, json) = told(&[("access-log-format", "json")], twisted);
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&read["method"], &read["path"]),
        (&"GET".into(), &"/a".into())
    );
    assert_eq!((&read["status"], &read["bytes"]), (&400.into(), &0.into()));
    assert!(read["queue"].is_null() && read["host"].is_null(), "{json}");
    let (_, json) = told(&[("access-log-format", "json")], b"\xff\xfe\r\n\r\n");
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(read["method"].is_null() && read["path"].is_null(), "{json}");
}

#[test]
fn a_good_request_before_a_bad_one_keeps_its_line() {
    let (_, lines) = told(
        &[("access-log-format", "{request} {status}")],
        b"GET /good HTTP/1.1\r\nhost: x\r\n\r\nGET /bad HTTP/1.1\r\nhost : x\r\n\r\n",
    );
    let expected = "GET\\x20/good\\x20HTTP/1.1 200\nGET\\x20/bad\\x20HTTP/1.1 400\n";
    assert_eq!(lines, expected);
}

#[test]
fn a_head_that_does_not_come_in_time_is_told_as_408_and_who_says_nothing_is_not() {
    let (folder, config) = config(&[(
        "access-log-format",
        "{target} {status} {ttfb} {duration} {end}",
    )]);
    let config = WorkerConfig {
        timeout_header: HEADER,
        ..config
    };
    Rig::paused(async |rig| {
        let rig = rig.with(config);
        tokio::task::spawn_local(crate::sweep::sweep(rig.station.clone()));
        let mut silent = rig.connect(Handler::hello());
        let mut slow = rig.connect(Handler::hello());
        let mut gone = rig.connect(Handler::hello());
        slow.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n")
            .await
            .unwrap();
        gone.write_all(b"GET /gone HTTP/1.1\r\nhost: x\r\n")
            .await
            .unwrap();
        drop(gone);
        for client in [&mut slow, &mut silent] {
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert_eq!(answer, "");
        }
        rig.station
            .access
            .finish(&rig.station, Duration::from_secs(30));
        let lines = std::fs::read_to_string(folder.path().join("a.log")).unwrap();
        assert!(lines.starts_with("/slow 408 - 10.0"), "{lines}");
        assert!(
            lines.ends_with(" aborted\n") && lines.lines().count() == 1,
            "{lines}"
        );
    });
}

#[test]
fn who_finds_no_room_has_a_line_and_who_resets_the_connection_keeps_it() {
    let (folder, config) = config(&[
        ("access-log-format", "\"{request}\" {status} {bytes}"),
        ("limit-connections", "1"),
    ]);
    Rig::paused(async |rig| {
        let rig = rig.with(config);
        let _first = rig.connect(Handler::hello());
        tokio::task::yield_now().await;
        let mut second = rig.connect(Handler::hello());
        second
            .write_all(b"GET /crowd HTTP/1.1\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        second.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        rig.station
            .access
            .finish(&rig.station, Duration::from_secs(30));
        let lines = std::fs::read_to_string(folder.path().join("a.log")).unwrap();
        assert_eq!(lines, "\"GET /crowd HTTP/1.1\" 503 21\n");
    });
}

#[test]
fn a_line_has_the_status_that_was_answered_however_long_the_target_is() {
    let keys = [
        ("access-log-format", "{status}"),
        ("limit-header-size", "100KiB"),
        ("limit-request-line", "64KiB"),
    ];
    // Shorter ones are requests: `admit` refuses them.
    for length in 65_535..=65_537 {
        let target = "a".repeat(length - 1);
        let head = format!("GET /{target} HTTP/1.1\r\nhost: x\r\n\r\n");
        let (answer, lines) = told(&keys, head.as_bytes());
        assert_eq!(lines, format!("{}\n", &answer[9..12]), "{length}");
        assert_eq!(lines, "414\n", "{length}");
    }
    // Nobody has seen its end.
    let endless = format!("GET /{}", "a".repeat(110 << 10));
    let (answer, lines) = told(&keys, endless.as_bytes());
    assert_eq!((&answer[9..12], &*lines), ("431", "431\n"));
}
