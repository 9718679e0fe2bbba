//! Work beside the event loop: bounded, refused when it is too much, and never waited for at the end.

use std::time::{Duration, Instant};

use crate::admin::metric;
use crate::support::{Brigade, Connection};

/// A job that nobody waits for to its end.
const LONG: &str = "/offload?ms=60000";

fn start() -> Brigade {
    let one = "serve --workers 1 --admin 127.0.0.1:0 --offload-threads 2 --offload-queue 1";
    Brigade::start(&one.split(' ').collect::<Vec<_>>())
}

fn series(brigade: &Brigade, name: &str, more: &str) -> f64 {
    let labels = format!("{{slot=\"0\",pool=\"blocking\"{more}}}");
    metric(brigade, &format!("brigade_offload_{name}{labels}"))
}

/// Waits until so many jobs run and wait.
fn until_jobs(brigade: &Brigade, running: f64, queued: f64) {
    brigade.until("so many jobs run and wait", || {
        series(brigade, "running", "") == running && series(brigade, "queued", "") == queued
    });
}

fn ask(brigade: &Brigade) -> Connection {
    let mut line = brigade.connect();
    line.send(format!("GET {LONG} HTTP/1.1\r\nhost: test\r\n\r\n"))
        .unwrap();
    line
}

#[test]
fn one_more_than_fits_is_refused_with_503_and_everybody_else_is_served() {
    let brigade = start();
    let running = [ask(&brigade), ask(&brigade)];
    until_jobs(&brigade, 2.0, 0.0);
    let waiting = ask(&brigade);
    until_jobs(&brigade, 2.0, 1.0);
    // The threads that start with it are at work; the event loop is not.
    let begin = Instant::now();
    let refused = brigade.get("/offload?ms=1");
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(begin.elapsed() < Duration::from_secs(30), "at once");
    assert_eq!(brigade.get("/").status, 200);
    let told = brigade.wait_for("offload.overloaded", |_| true);
    assert_eq!(
        (told.text("pool"), told.text("trouble")),
        ("blocking", "refused")
    );
    let count = |outcome: &str| {
        let label = format!(",outcome=\"{outcome}\"");
        series(&brigade, "jobs_total", &label)
    };
    assert_eq!(count("refused"), 1.0);
    // Who leaves takes a job that waits with it, and leaves one that runs behind.
    drop(waiting);
    until_jobs(&brigade, 2.0, 0.0);
    assert_eq!(count("abandoned"), 1.0);
    drop(running);
    let open = "brigade_connections_open{slot=\"0\"}";
    brigade.until("they are gone", || metric(&brigade, open) == 0.0);
    // Nobody waits for the two that run for a minute.
    let begin = Instant::now();
    brigade.stop_and_check();
    assert!(begin.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_job_that_is_late_is_answered_with_503_and_its_thread_goes_on() {
    let patience = ["--offload-wait", "50ms", "--offload-timeout", "150ms"];
    let one = ["serve", "--workers", "1", "--offload-threads", "1"];
    let brigade = Brigade::start(&[&one[..], &patience].concat());
    // It is late itself, long before it is done, and then keeps the thread from the next one.
    assert_eq!(brigade.get(LONG).status, 503);
    assert_eq!(brigade.get("/offload?ms=1").status, 503);
    assert_eq!(brigade.get("/").status, 200);
    let told = brigade.wait_for("offload.overloaded", |_| true);
    assert_eq!(told.text("trouble"), "late");
    brigade.stop_and_check();
}
