//! Clients that are too slow, too loud or too many, over real sockets; and that each is counted.

use std::thread;
use std::time::{Duration, Instant};

use crate::admin::{answers, metric};
use crate::support::{Brigade, Connection, Launch};

const SHORT: Duration = Duration::from_millis(300);
/// Where clients that keep a pace must not be late on a machine that is busy.
const LONG: Duration = Duration::from_secs(1);

pub(crate) fn single(more: &[&str]) -> Brigade {
    let arguments = ["serve", "--workers", "1", "--admin", "127.0.0.1:0"];
    let brigade = Launch::new(&[&arguments[..], more].concat()).ready();
    answers(&brigade);
    brigade
}

/// Waits until a counter of the one worker is at this.
#[track_caller]
pub(crate) fn counted(brigade: &Brigade, name: &str, label: &str, wanted: f64) {
    let key = if name == "connections_closed" {
        "reason"
    } else {
        "limit"
    };
    let series = format!("brigade_{name}_total{{slot=\"0\",{key}=\"{label}\"}}");
    brigade.until(&format!("{series} is {wanted}"), || {
        metric(brigade, &series) == wanted
    });
}

/// Everything until the end, which comes when so much time has passed and not before.
#[track_caller]
fn ends(connection: &mut Connection, begin: Instant, time: Duration) -> String {
    let rest = connection.rest().expect("it is closed");
    assert!(begin.elapsed() >= time, "{:?}", begin.elapsed());
    String::from_utf8_lossy(&rest).into_owned()
}

/// Asks to have all of this repeated, and reads nothing of it.
fn deaf(brigade: &Brigade) -> (Connection, thread::JoinHandle<()>) {
    let connection = brigade.connect();
    let mut sender = connection.share();
    let sending = thread::spawn(move || {
        let head = "POST /echo HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n";
        let chunk = format!("100000\r\n{}\r\n", "x".repeat(1 << 20)).repeat(4);
        let _ = sender.send(head);
        while sender.send(&chunk).is_ok() {}
    });
    (connection, sending)
}

#[test]
fn who_says_nothing_and_who_never_ends_a_head_are_closed_and_counted() {
    let brigade = single(&["--timeout-first-byte", "1500ms", "--timeout-header", "1s"]);
    let begin = Instant::now();
    let (mut mute, mut slow) = (brigade.connect(), brigade.connect());
    for byte in ["G", "E", "T", " ", "/"] {
        slow.send(byte).unwrap();
        brigade.watch_for(Duration::from_millis(30));
    }
    ends(&mut slow, begin, LONG);
    assert_eq!(ends(&mut mute, begin, Duration::from_millis(1500)), "");
    counted(&brigade, "connections_closed", "first_byte_timeout", 1.0);
    counted(&brigade, "connections_closed", "header_timeout", 1.0);
    brigade.stop_and_check();
}

#[test]
fn who_is_idle_for_too_long_is_closed_and_counted() {
    let brigade = single(&["--timeout-keep-alive", "400ms"]);
    let begin = Instant::now();
    let mut idle = brigade.connect();
    assert_eq!(idle.get("/").unwrap().status, 200);
    assert_eq!(ends(&mut idle, begin, SHORT), "");
    counted(&brigade, "connections_closed", "keep_alive_timeout", 1.0);
    counted(&brigade, "connections_closed", "first_byte_timeout", 0.0);
    brigade.stop_and_check();
}

#[test]
fn a_body_of_a_byte_now_and_then_is_not_waited_for() {
    let brigade = single(&["--timeout-body", "1s", "--min-rate-body", "100"]);
    let begin = Instant::now();
    let mut slow = brigade.connect();
    slow.send("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 1000\r\n\r\n")
        .unwrap();
    while slow.send("x").is_ok() && begin.elapsed() < Duration::from_secs(20) {
        brigade.watch_for(Duration::from_millis(50));
    }
    assert!(
        begin.elapsed() < Duration::from_secs(20),
        "it may go on for ever"
    );
    assert!(begin.elapsed() >= LONG);
    counted(&brigade, "requests_refused", "body_timeout", 1.0);
    // One that keeps the pace may take longer than that.
    let mut steady = brigade.connect();
    steady
        .send("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 2000\r\n\r\n")
        .unwrap();
    for _ in 0..20 {
        steady.send("x".repeat(100)).unwrap();
        brigade.watch_for(Duration::from_millis(60));
    }
    assert_eq!(steady.receive().unwrap().body.len(), 2000);
    brigade.stop_and_check();
}

#[test]
fn who_does_not_take_an_answer_is_cut_and_who_takes_it_slowly_is_not() {
    let brigade = single(&["--timeout-write", "300ms", "--limit-body", "off"]);
    let begin = Instant::now();
    let (deaf, sending) = deaf(&brigade);
    sending.join().unwrap();
    assert!(begin.elapsed() >= SHORT, "{:?}", begin.elapsed());
    counted(&brigade, "connections_closed", "write_timeout", 1.0);
    drop(deaf);
    brigade.stop_and_check();
}

#[test]
fn who_takes_an_answer_slowly_is_not_cut_although_the_kernel_has_no_room_for_more() {
    let brigade = single(&["--timeout-write", "1s", "--min-rate-write", "10000"]);
    let mut slow = brigade.connect();
    let mut sender = slow.share();
    let length = 16 << 20;
    let sending = thread::spawn(move || {
        let head = format!("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n\r\n");
        sender.send(head).unwrap();
        sender.send(vec![b'x'; length]).unwrap();
    });
    for _ in 0..60 {
        slow.receive_some().unwrap();
        brigade.watch_for(Duration::from_millis(50));
    }
    assert_eq!(slow.receive().unwrap().body.len(), length);
    sending.join().unwrap();
    counted(&brigade, "connections_closed", "write_timeout", 0.0);
    brigade.stop_and_check();
}

#[test]
fn a_request_over_its_time_is_answered_or_broken_off() {
    let brigade = single(&["--timeout-request", "300ms", "--limit-body", "off"]);
    let begin = Instant::now();
    let answer = brigade.get("/sleep?ms=20000");
    assert!(begin.elapsed() >= SHORT && begin.elapsed() < Duration::from_secs(15));
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (503, Some("1"))
    );
    let mut streamed = brigade.connect();
    assert!(streamed.get("/stream?chunks=1000&ms=50").is_err());
    // Nobody polls an answer that its client does not take.
    let (_deaf, sending) = deaf(&brigade);
    sending.join().unwrap();
    counted(&brigade, "requests_refused", "request_timeout", 3.0);
    assert_eq!(brigade.get("/").status, 200);
    brigade.stop_and_check();
}

#[test]
fn what_is_too_large_is_refused_with_its_own_status() {
    let brigade = single(&["--limit-body", "1MiB", "--limit-header-size", "4KiB"]);
    let ask = |text: String| {
        let mut connection = brigade.connect();
        // What is refused early may not be taken to its end.
        let _ = connection.send(text);
        let answer = connection.receive().expect("an answer, and no reset");
        assert!(connection.closes());
        answer.status
    };
    let get = |path: usize, field: usize| {
        let (path, field) = ("p".repeat(path), "f".repeat(field));
        format!("GET /{path} HTTP/1.1\r\nhost: test\r\nfield: {field}\r\n\r\n")
    };
    assert_eq!(ask(get(0, 4096)), 431);
    let fields = "f: v\r\n".repeat(101);
    assert_eq!(
        ask(format!("GET / HTTP/1.1\r\nhost: test\r\n{fields}\r\n")),
        431
    );
    let post = "POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 8388608\r\n\r\n";
    assert_eq!(ask(format!("{post}{}", "x".repeat(8 << 20))), 413);
    counted(&brigade, "requests_refused", "header_size", 2.0);
    counted(&brigade, "requests_refused", "body_size", 1.0);
    brigade.stop_and_check();
    let brigade = single(&["--limit-request-line", "100"]);
    let mut connection = brigade.connect();
    connection.send(get(100, 0)).unwrap();
    assert_eq!(connection.receive().unwrap().status, 414);
    counted(&brigade, "requests_refused", "request_line", 1.0);
    brigade.stop_and_check();
}

#[test]
fn more_requests_than_allowed_are_told_when_to_come_again() {
    let brigade = single(&["--limit-concurrency", "2"]).expects("limit.reached");
    let mut busy: Vec<_> = (0..2).map(|_| brigade.connect()).collect();
    for connection in &mut busy {
        connection
            .send("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 1\r\n\r\n")
            .unwrap();
    }
    brigade.until("both are at work", || {
        metric(&brigade, "brigade_requests_in_flight{slot=\"0\"}") == 2.0
    });
    let mut third = brigade.connect();
    let refused = third.get("/").unwrap();
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("1"))
    );
    assert!(!refused.is_last(), "its connection stays");
    let told = brigade.wait_for("limit.reached", |_| true);
    assert_eq!(told.text("limit"), "limit-concurrency");
    for mut connection in busy {
        connection.send("x").unwrap();
        assert_eq!(connection.receive().unwrap().status, 200);
    }
    assert_eq!(third.get("/").unwrap().status, 200);
    counted(&brigade, "requests_refused", "concurrency", 1.0);
    brigade.stop_and_check();
}

#[test]
fn more_connections_than_allowed_are_turned_away() {
    for option in ["--limit-worker-connections", "--limit-connections"] {
        let brigade = single(&[option, "10", "--timeout-keep-alive", "60s"]);
        let brigade = brigade.expects("limit.reached");
        let mut open: Vec<_> = (0..10).map(|_| brigade.connect()).collect();
        for connection in &mut open {
            assert_eq!(connection.get("/").unwrap().status, 200);
        }
        let mut eleventh = brigade.connect();
        let refused = eleventh.receive().unwrap();
        assert_eq!(
            (refused.status, refused.header("retry-after")),
            (503, Some("1"))
        );
        assert!(eleventh.closes());
        counted(&brigade, "connections_refused", "connections", 1.0);
        drop(open);
        brigade.until("they have left", || {
            metric(&brigade, "brigade_connections_open{slot=\"0\"}") == 0.0
        });
        assert_eq!(brigade.get("/").status, 200);
        brigade.stop_and_check();
    }
}

#[test]
fn a_drain_does_not_wait_for_slow_clients_longer_than_it_may() {
    let brigade = single(&[
        "--timeout-graceful-shutdown",
        "700ms",
        "--limit-body",
        "off",
    ])
    .expects("connections.cut");
    let mut head = brigade.connect();
    head.send("GET / HTT").unwrap();
    let mut body = brigade.connect();
    body.send("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 1000\r\n\r\nx")
        .unwrap();
    let (_deaf, sending) = deaf(&brigade);
    brigade.until("two are at work", || {
        metric(&brigade, "brigade_requests_in_flight{slot=\"0\"}") == 2.0
    });
    let begin = Instant::now();
    brigade.stop_and_check();
    sending.join().unwrap();
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
}
