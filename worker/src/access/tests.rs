//! The access log of a worker that answers.

use super::tend;
use crate::rig::{Handler, Rig, read_hello};
use brigade_config::{Config, Record, WorkerConfig};
use brigade_shared::board::Counter;
use http::Response;
use http_body_util::Full;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const GET: &[u8] = b"GET /soup HTTP/1.1\r\nhost: x\r\n\r\n";

/// Writes into `a.log` of a folder of its own, as these keys say.
pub(super) fn config(keys: &[(&str, &str)]) -> (TempDir, WorkerConfig) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log").display().to_string();
    let mut record = Record::from([("access-log".to_owned(), vec![path])]);
    for (name, words) in keys {
        record.insert((*name).to_owned(), vec![(*words).to_owned()]);
    }
    let (config, strange) = Config::recall(&record);
    assert!(strange.is_empty(), "{strange:?}");
    (folder, config.worker)
}

/// What is in the file when the worker has left.
fn written(rig: &Rig, folder: &Path) -> String {
    rig.station
        .access
        .finish(&rig.station, Duration::from_secs(30));
    std::fs::read_to_string(folder.join("a.log")).unwrap()
}

async fn ask(rig: &Rig, app: Handler, requests: &[&[u8]]) {
    let mut client = rig.connect(app);
    for request in requests {
        client.write_all(request).await.unwrap();
        assert!(read_hello(&mut client).await.contains("HTTP/1.1 200"));
    }
}

fn slow(pause: Duration) -> Handler {
    Handler::new(move |_| async move {
        tokio::time::sleep(pause).await;
        Ok(Response::new(Full::from("hello")))
    })
}

#[test]
fn every_request_has_a_line_in_the_order_of_their_ends() {
    let (folder, config) = config(&[(
        "access-log-format",
        "{method} {target} {status} {bytes} {end}",
    )]);
    Rig::paused(async |rig| {
        let rig = rig.with(config);
        let post: &[u8] = b"POST /a?b=c HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi";
        ask(&rig, Handler::hello(), &[GET, post]).await;
        let failing = Handler::new(async |_| Err("no salt".to_owned()));
        let mut client = rig.connect(failing);
        client
            .write_all(b"GET /failing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        client.read_to_end(&mut Vec::new()).await.unwrap();
        let lines = written(&rig, folder.path());
        assert_eq!(
            lines,
            "GET /soup 200 5 complete\nPOST /a?b=c 200 5 complete\nGET /failing 500 22 complete\n"
        );
    });
}

#[test]
fn a_client_that_does_not_wait_for_its_answer_is_told_as_such() {
    let (folder, config) = config(&[("access-log-format", "{target} {status} {end}")]);
    Rig::paused(async |rig| {
        let rig = rig.with(config);
        let mut client = rig.connect(slow(Duration::from_secs(3600)));
        client.write_all(GET).await.unwrap();
        while rig.row().requests == 0 {
            tokio::task::yield_now().await;
        }
        drop(client);
        while rig.row().requests > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(written(&rig, folder.path()), "/soup 499 aborted\n");
    });
}

#[test]
fn lines_are_written_a_moment_later_and_nothing_wakes_an_idle_worker() {
    let (folder, config) = config(&[("access-log-format", "{status}")]);
    Rig::paused(async |rig| {
        let rig = rig.with(config);
        tokio::task::spawn_local(tend(Rc::clone(&rig.station)));
        ask(&rig, Handler::hello(), &[GET, GET]).await;
        // Time stands still until everybody waits, and the writer is a thread of its own.
        let file = folder.path().join("a.log");
        while std::fs::read_to_string(&file).unwrap() != "200\n200\n" {
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        assert!(rig.elapsed() >= Duration::from_millis(100), "as a batch");
        while rig.station.access.tend(&rig.station) {
            tokio::task::yield_now().await;
        }
        // With a timer anywhere, time would leap to it.
        let before = rig.elapsed();
        let day = Duration::from_secs(86_400);
        tokio::time::sleep(day).await;
        assert!(rig.elapsed() - before < day + Duration::from_millis(200));
    });
}

#[test]
fn only_the_slow_are_written_and_some_of_the_others_if_that_is_asked_for() {
    let limit = ("access-log-slower-than", "1s");
    let of = |keys: &[(&str, &str)], requests: usize| {
        let (folder, config) = config(&[&[("access-log-format", "{duration}")], keys].concat());
        let mut count = 0;
        Rig::paused(async |rig| {
            let rig = rig.with(config);
            ask(&rig, Handler::hello(), &vec![GET; requests]).await;
            ask(&rig, slow(Duration::from_millis(1500)), &[GET]).await;
            let lines = written(&rig, folder.path());
            assert!(lines.ends_with('\n') || lines.is_empty());
            let slow = lines
                .lines()
                .filter(|line| line.starts_with("1.50"))
                .count();
            assert!(slow == 1 || keys.iter().all(|key| *key != limit), "{lines}");
            count = lines.lines().count();
        });
        count
    };
    assert_eq!(of(&[limit], 20), 1);
    assert_eq!(of(&[("access-log-sample", "1")], 20), 21);
    // By chance: one of ten of 2,000 is 200, and outside of these bounds in one of 10^12 runs.
    let sampled = of(&[("access-log-sample", "10"), limit], 2000);
    assert!((100..300).contains(&sampled), "{sampled}");
}

#[test]
fn after_the_order_to_open_again_lines_go_into_the_new_file() {
    let (folder, config) = config(&[("access-log-format", "{target}")]);
    Rig::paused(async |rig| {
        let rig = rig.with(config);
        let path = |name: &str| folder.path().join(name);
        ask(&rig, Handler::hello(), &[GET]).await;
        std::fs::rename(path("a.log"), path("b.log")).unwrap();
        rig.station.reopen(None);
        while rig.station.access.tend(&rig.station) {
            tokio::task::yield_now().await;
        }
        ask(
            &rig,
            Handler::hello(),
            &[b"GET /new HTTP/1.1\r\nhost: x\r\n\r\n"],
        )
        .await;
        assert_eq!(written(&rig, folder.path()), "/new\n");
        assert_eq!(std::fs::read_to_string(path("b.log")).unwrap(), "/soup\n");
    });
}

#[test]
fn what_cannot_be_written_is_counted_and_everybody_is_served() {
    let (folder, config) = config(&[("access-log-format", "{target}")]);
    Rig::paused(async |rig| {
        // It can't be opened: a folder has its name.
        std::fs::create_dir(folder.path().join("a.log")).unwrap();
        let rig = rig.with(config);
        ask(&rig, Handler::hello(), &[GET, GET, GET]).await;
        while rig.station.access.tend(&rig.station)
            && rig.row().counts.get(Counter::AccessLogLost) < 3
        {
            tokio::task::yield_now().await;
        }
        assert_eq!(rig.row().counts.get(Counter::AccessLogLost), 3);
    });
}

#[test]
fn a_request_that_may_be_refused_has_its_line_too() {
    let (folder, config) = config(&[("access-log-format", "{method} {status} {end}")]);
    Rig::paused(async |rig| {
        let rig = rig.with(config);
        let mut client = rig.connect(Handler::hello());
        let twisted = b"POST / HTTP/1.1\r\nhost: x\r\nhost: y\r\nconnection: close\r\n\r\n";
        client.write_all(twisted).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        let status = answer.split(' ').nth(1).unwrap();
        let line = format!("POST {status} complete\n");
        assert_eq!(written(&rig, folder.path()), line);
    });
}

#[test]
fn ids_reach_the_app_the_client_and_the_log() {
    let (folder, config) = config(&[("request-id", "true"), ("access-log-format", "{id}")]);
    Rig::paused(async |rig| {
        let rig = rig.with(config);
        let app = Handler::new(async |request| {
            assert!(request.headers().contains_key("x-request-id"));
            Ok(Response::new(Full::from("hello")))
        });
        let mut client = rig.connect(app);
        // The rig's peers are at a Unix socket: believed.
        client
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-request-id: from-a-proxy\r\n\r\n")
            .await
            .unwrap();
        assert!(
            read_hello(&mut client)
                .await
                .contains("\r\nx-request-id: from-a-proxy\r\n")
        );
        client.write_all(GET).await.unwrap();
        let answer = read_hello(&mut client).await;
        let lines = written(&rig, folder.path());
        let made = lines.lines().nth(1).unwrap();
        assert_eq!(
            (lines.lines().next(), made.len()),
            (Some("from-a-proxy"), 32)
        );
        assert!(
            answer.contains(&format!("\r\nx-request-id: {made}\r\n")),
            "{answer}"
        );
    });
}
