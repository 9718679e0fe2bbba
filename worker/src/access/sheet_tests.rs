//! Lines of one request each, field by field.

use super::ink::Ink;
use super::plan::Plan;
use super::sheet::{Scene, Sheet};
use super::stamp::Stamps;
use crate::forwarded::Forwarded;
use crate::peer::Peer;
use crate::rig::Rig;
use brigade_config::{AccessFormat, Config};
use http::{HeaderMap, Request};
use std::sync::Arc;

const REFERER: &str = "https://a.example/?q=\"x\"";

fn format(words: &str) -> AccessFormat {
    let record = [("access-log-format".to_owned(), vec![words.to_owned()])];
    let (config, strange) = Config::recall(&record.into());
    assert!(strange.is_empty(), "{strange:?}");
    config.worker.access_log.format
}

fn request() -> Request<()> {
    Request::builder()
        .method("POST")
        .uri("/so\"up/%C3%A9?hot=1&x=y")
        .header("host", "a.example")
        .header("referer", REFERER)
        .header("user-agent", "curl/8 \u{202e}")
        .header("x-request-id", "id-7")
        .body(())
        .unwrap()
}

fn peer(rig: &Rig) -> Peer {
    rig.peer("[::ffff:192.0.2.9]:4711")
}

/// The line of a request that took 1.5 ms; its head came after 0.25 ms and sent 5 bytes.
fn line(words: &str, request: &Request<()>, peer: &Peer) -> String {
    let plan = Plan::of(&format(words), 3, 77);
    let scene = Scene {
        started_ns: 1_000,
        now_ns: 31_000,
        ..Scene::of(request, peer)
    };
    let mut sheet = Sheet::default();
    let mut text = Ink::default();
    // Used a second time: nothing is left of the first.
    for _ in 0..2 {
        text.clear();
        sheet.begin(&plan, &scene, &mut Stamps::new());
        let mut headers = HeaderMap::new();
        headers.insert("x-cache", "HIT \"2\"".parse().unwrap());
        sheet.answered(&plan, 201, &headers, Some(5), 251_000);
        sheet.sent(5);
        sheet.end(&plan, &mut text, 1_501_000);
    }
    String::from_utf8(text.into_bytes()).unwrap()
}

#[test]
fn every_field_is_told() {
    Rig::paused(async |rig| {
        let (request, peer) = (request(), peer(&rig));
        for (words, expected) in [
            (
                "{remote} {peer} {host} {scheme}",
                "192.0.2.9 [::ffff:192.0.2.9]:4711 a.example http",
            ),
            (
                "{method} {path} {query}",
                r#"POST /so\"up/%C3%A9 hot=1&x=y"#,
            ),
            (
                "{target} {protocol}",
                r#"/so\"up/%C3%A9?hot=1&x=y HTTP/1.1"#,
            ),
            (
                "\"{request}\" {status} {bytes}",
                "\"POST /so\\\"up/%C3%A9?hot=1&x=y HTTP/1.1\" 201 5",
            ),
            (
                "{request}",
                r#"POST\x20/so\"up/%C3%A9?hot=1&x=y\x20HTTP/1.1"#,
            ),
            (
                "{time} {clf_time} {epoch}",
                "1970-01-01T00:00:00.000Z 01/Jan/1970:00:00:00 +0000 0.000",
            ),
            (
                "{ttfb} {duration} {queue} {end}",
                "0.000250 0.001500 0.000030 complete",
            ),
            ("{worker} {pid} {id} {tls}", "3 77 id-7 -"),
            ("\"{referer}\"", r#""https://a.example/?q=\"x\"""#),
            (
                "\"{agent}\" {agent}",
                r#""curl/8 \xe2\x80\xae" curl/8\x20\xe2\x80\xae"#,
            ),
            (
                "{header:X-Nothing} {response:x-cache} {response:no}",
                r#"- HIT\x20\"2\" -"#,
            ),
            ("{{{status}}}", "{201}"),
        ] {
            assert_eq!(
                line(words, &request, &peer),
                format!("{expected}\n"),
                "{words}"
            );
        }
    });
}

#[test]
fn a_line_of_json_is_an_object_with_numbers_and_nulls() {
    Rig::paused(async |rig| {
        let (request, peer) = (request(), peer(&rig));
        let text = line("json", &request, &peer);
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["path"], "/so\"up/%C3%A9");
        assert_eq!(read["query"], "hot=1&x=y");
        assert_eq!((&read["status"], &read["bytes"]), (&201.into(), &5.into()));
        assert_eq!(
            (&read["duration"], &read["worker"]),
            (&0.0015.into(), &3.into())
        );
        assert_eq!(
            (&read["tls"], &read["id"]),
            (&serde_json::Value::Null, &"id-7".into())
        );
        assert_eq!(
            (&read["referer"], &read["agent"]),
            (&REFERER.into(), &"curl/8 \u{202e}".into())
        );
        assert!(
            text.ends_with("}\n") && !text.contains('\u{202e}'),
            "{text}"
        );
        let chosen = line(
            "json:remote,request,peer,response:x-cache,end,epoch",
            &request,
            &peer,
        );
        let read: serde_json::Value = serde_json::from_str(&chosen).unwrap();
        assert_eq!(read["request"], "POST /so\"up/%C3%A9?hot=1&x=y HTTP/1.1");
        assert_eq!(
            (&read["response:x-cache"], &read["end"]),
            (&"HIT \"2\"".into(), &"complete".into())
        );
    });
}

#[test]
fn whom_a_trusted_proxy_names_is_the_client() {
    Rig::paused(async |rig| {
        let said = Forwarded {
            client: "203.0.113.9".parse().ok(),
            scheme: Some("https"),
            host: Some("shop.example".to_owned()),
            root_path: String::new(),
        };
        let peer = peer(&rig).with(Arc::new(said));
        let line = line("{remote} {scheme} {host} {peer}", &request(), &peer);
        assert_eq!(
            line,
            "203.0.113.9 https shop.example [::ffff:192.0.2.9]:4711\n"
        );
    });
}

#[test]
fn a_host_and_an_id_are_what_the_app_is_told() {
    Rig::paused(async |rig| {
        let peer = peer(&rig);
        let told = |target: &str, id: &str| {
            let request = Request::builder()
                .uri(target)
                .header("host", "a.example")
                .header("x-request-id", id)
                .body(())
                .unwrap();
            line("{host} {id}", &request, &peer)
        };
        assert_eq!(told("/", "id:7"), "a.example id:7\n");
        // The target's host is the one that counts (RFC 9112, 3.2.2).
        assert_eq!(told("http://A.example/", "id 7"), "A.example -\n");
        assert_eq!(told("/", &"7".repeat(129)), "a.example -\n");
    });
}

#[test]
fn who_left_before_there_was_an_answer_is_told_as_such() {
    Rig::paused(async |rig| {
        let (request, peer) = (request(), peer(&rig));
        let words = "{status} {ttfb} {bytes} {end} {response:x-a} {duration}";
        let plan = Plan::of(&format(words), 3, 77);
        let mut sheet = Sheet::default();
        sheet.begin(&plan, &Scene::of(&request, &peer), &mut Stamps::new());
        let mut text = Ink::default();
        sheet.end(&plan, &mut text, 2_000_000_000);
        assert_eq!(text.bytes(), b"499 - 0 aborted - 2.000000\n");
    });
}

#[test]
fn an_answer_is_complete_when_all_of_it_was_handed_over() {
    Rig::paused(async |rig| {
        let peer = peer(&rig);
        let plan = Plan::of(&format("{end}"), 3, 77);
        let told = |method: &str, status, length: Option<&str>, expected, sent| {
            let request = Request::builder().method(method).body(()).unwrap();
            let mut headers = HeaderMap::new();
            if let Some(length) = length {
                headers.insert("content-length", length.parse().unwrap());
            }
            let mut sheet = Sheet::default();
            sheet.begin(&plan, &Scene::of(&request, &peer), &mut Stamps::new());
            sheet.answered(&plan, status, &headers, expected, 0);
            sheet.sent(sent);
            let mut text = Ink::default();
            sheet.end(&plan, &mut text, 0);
            text.bytes() == b"complete\n"
        };
        assert!(told("GET", 200, None, Some(5), 5) && !told("GET", 200, None, Some(5), 4));
        assert!(told("GET", 200, Some("5"), None, 5) && !told("GET", 200, Some("5"), None, 4));
        assert!(told("HEAD", 200, Some("5"), Some(5), 0));
        assert!(
            told("GET", 304, None, None, 0)
                && told("GET", 204, None, None, 0)
                && told("GET", 101, None, None, 0)
        );
        let mut sheet = Sheet::default();
        let request = request();
        sheet.begin(&plan, &Scene::of(&request, &peer), &mut Stamps::new());
        sheet.answered(&plan, 200, &HeaderMap::new(), None, 0);
        sheet.sent(4);
        sheet.completed();
        let mut text = Ink::default();
        sheet.end(&plan, &mut text, 0);
        assert_eq!(text.bytes(), b"complete\n", "its end was seen");
        assert!(
            !told("GET", 200, None, None, 4),
            "of unknown length, and its end was not seen"
        );
    });
}

#[test]
fn the_longest_line_of_a_named_format_fits_into_a_piece_for_a_pipe() {
    Rig::paused(async |rig| {
        let peer = peer(&rig);
        let long = "%\u{e9}".repeat(4000);
        let request = Request::builder()
            .uri(format!("/{}?{}", "a\"".repeat(4000), "%20".repeat(4000)))
            .header("host", "h".repeat(4000))
            .header("referer", &long)
            .header("user-agent", &long)
            .body(())
            .unwrap();
        for words in ["common", "combined", "json"] {
            let line = line(words, &request, &peer);
            assert!(line.len() <= 4096, "{words}: {}", line.len());
            assert_eq!(line.matches('\n').count(), 1);
        }
    });
}

#[test]
fn the_wait_before_the_worker_is_told_from_a_trusted_proxys_stamp() {
    Rig::paused(async |rig| {
        let peer = peer(&rig);
        let plan = Plan::of(&format("{queue}"), 3, 77);
        let queue = |stamp: &str, is_believed| {
            let request = Request::builder()
                .header("x-request-start", stamp)
                .body(())
                .unwrap();
            // The monotonic clock stands for the calendar here: nothing was looked up.
            let now_ns = 1_700_000_000_500_000_000;
            let scene = Scene {
                is_believed,
                started_ns: now_ns - 7_000,
                now_ns,
                ..Scene::of(&request, &peer)
            };
            let (mut sheet, mut text) = (Sheet::default(), Ink::default());
            sheet.begin(&plan, &scene, &mut Stamps::new());
            sheet.end(&plan, &mut text, now_ns);
            String::from_utf8(text.into_bytes())
                .unwrap()
                .trim_end()
                .to_owned()
        };
        for stamp in ["t=1700000000.25", "1700000000250", "t=1700000000250000"] {
            assert!(
                queue(stamp, true).starts_with("0.25"),
                "{}",
                queue(stamp, true)
            );
            assert_eq!(queue(stamp, false), "0.000007", "nobody believes it");
        }
        for nonsense in ["", "t=", "now", "-1", "1e300", "NaN", "17"] {
            assert_eq!(queue(nonsense, true), "0.000007", "{nonsense}");
        }
        assert_eq!(
            queue("1700000001", true),
            "0.000000",
            "a clock that is ahead"
        );
    });
}
