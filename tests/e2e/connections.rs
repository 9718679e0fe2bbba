//! What a worker makes of a connection: deadlines, framing, faults of the handler and the client.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::support::{Brigade, Connection, Trouble};

fn single(more: &[&str]) -> Brigade {
    Brigade::start(&[&["serve", "--workers", "1"], more].concat())
}

#[test]
fn a_client_that_says_nothing_is_closed_at_its_deadline() {
    let brigade = single(&[
        "--timeout-first-byte",
        "300ms",
        "--timeout-keep-alive",
        "60s",
    ]);
    let begin = Instant::now();
    let mut mute = brigade.connect();
    mute.rest().expect("it is closed");
    assert!(
        begin.elapsed() >= Duration::from_millis(250),
        "{:?}",
        begin.elapsed()
    );
    brigade.stop_and_check();
}

#[test]
fn half_a_head_is_closed_at_the_header_deadline() {
    let brigade = single(&["--timeout-header", "300ms", "--timeout-keep-alive", "60s"]);
    let mut slow = brigade.connect();
    slow.send("GET / HTTP/1.1\r\nhost: te").unwrap();
    let rest = slow.rest().expect("it is closed");
    let rest = String::from_utf8_lossy(&rest).into_owned();
    assert!(
        rest.is_empty() || rest.starts_with("HTTP/1.1 408"),
        "{rest}"
    );
    // The second request on a connection has the deadline too.
    let mut second = brigade.connect();
    second.get("/").unwrap();
    second.send("GET / HTTP/1.1\r\nhost: te").unwrap();
    second.rest().expect("it is closed");
    brigade.stop_and_check();
}

#[test]
fn an_idle_connection_is_closed_at_its_own_deadline() {
    let brigade = single(&["--timeout-keep-alive", "300ms", "--timeout-header", "60s"]);
    let begin = Instant::now();
    let mut idle = brigade.connect();
    idle.get("/").unwrap();
    assert!(idle.closes(), "a bare end, not a byte");
    assert!(
        begin.elapsed() >= Duration::from_millis(250),
        "{:?}",
        begin.elapsed()
    );
    brigade.stop_and_check();
}

#[test]
fn deadlines_do_not_cut_a_slow_handler() {
    let brigade = single(&["--timeout-keep-alive", "200ms", "--timeout-header", "200ms"]);
    assert_eq!(brigade.get("/sleep?ms=1500").status, 200);
    let streamed = brigade.get("/stream?chunks=5&ms=300");
    assert_eq!(streamed.status, 200);
    brigade.stop_and_check();
}

#[test]
fn a_panic_in_a_handler_is_answered_and_the_worker_lives_on() {
    let brigade = single(&[]).expects("request.panicked");
    let before = brigade.worker(0);
    let mut bystander = brigade.connect();
    bystander
        .send("GET /sleep?ms=1000 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    for _ in 0..3 {
        assert_eq!(brigade.get("/crash?how=panic").status, 500);
    }
    assert_eq!(
        bystander.receive().unwrap().status,
        200,
        "others on the worker do not notice"
    );
    let told = brigade.wait_for("request.panicked", |_| true);
    assert_eq!((told.text("method"), told.text("path")), ("GET", "/crash"));
    assert!(!told.text("panic").is_empty(), "{}", told.value);
    assert!(told.is("pid", before.process.0.into()), "{}", told.value);
    assert_eq!(
        brigade.get("/").number("pid"),
        Some(before.process.0.into())
    );
    brigade.stop_and_check();
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let brigade = single(&[]);
    let mut connection = brigade.connect();
    let request = |number: usize| {
        let body = format!("number {number}");
        format!(
            "POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    connection
        .send((0..50).map(request).collect::<String>())
        .unwrap();
    for number in 0..50 {
        assert_eq!(
            connection.receive().unwrap().text(),
            format!("number {number}")
        );
    }
    brigade.stop_and_check();
}

#[test]
fn a_big_body_is_streamed_back_while_it_comes() {
    let brigade = single(&[]);
    let mut connection = brigade.connect();
    let body: Vec<u8> = (0..32 * 1024 * 1024_u32)
        .map(|n| (n ^ (n >> 11)) as u8)
        .collect();
    let mut sender = connection.share();
    let sent = body.clone();
    let sending = thread::spawn(move || {
        let length = sent.len();
        sender.send(format!(
            "POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n\r\n"
        ))?;
        sender.send(sent)
    });
    let answer = connection.receive().unwrap();
    sending.join().unwrap().unwrap();
    assert_eq!(answer.body.len(), body.len());
    assert!(answer.body == body, "the body came back changed");
    brigade.stop_and_check();
}

#[test]
fn a_chunked_body_is_echoed() {
    let brigade = single(&[]);
    let mut connection = brigade.connect();
    let head = "POST /echo HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n";
    connection
        .send(format!("{head}5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n"))
        .unwrap();
    assert_eq!(connection.receive().unwrap().text(), "hello, world");
    assert_eq!(connection.get("/").unwrap().status, 200);
    brigade.stop_and_check();
}

#[test]
fn head_has_the_length_of_the_body_and_no_body() {
    let brigade = single(&[]);
    let mut connection = brigade.connect();
    let length = connection.get("/").unwrap().body.len();
    connection
        .send("HEAD / HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    let head = connection.receive_head().unwrap();
    assert_eq!(head.status, 200);
    assert_eq!(
        head.header("content-length"),
        Some(length.to_string().as_str())
    );
    // The next answer begins right behind the head.
    assert_eq!(connection.get("/").unwrap().status, 200);
    brigade.stop_and_check();
}

#[test]
fn http_1_0_closes_after_the_answer() {
    let brigade = single(&[]);
    let mut connection = brigade.connect();
    connection.send("GET / HTTP/1.0\r\n\r\n").unwrap();
    let answer = connection.receive().unwrap();
    assert_eq!(answer.status, 200);
    assert!(connection.closes());
    brigade.stop_and_check();
}

#[test]
fn wrong_parameters_get_a_sentence() {
    let brigade = single(&[]);
    for path in [
        "/fib?n=many",
        "/fib?n=-1",
        "/fib?n=1000000",
        "/fib",
        "/sleep?ms=soon",
        "/sleep?ms=-1",
        "/blocking?ms=99999999999",
        "/stream?chunks=x",
        "/crash?how=gently",
    ] {
        let answer = brigade.get(path);
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        assert!(
            answer.text().contains(' '),
            "{path}: a sentence, not {:?}",
            answer.text()
        );
    }
    assert_eq!(brigade.get("/nowhere").status, 404);
    assert_eq!(brigade.get("/fib?n=20").status, 200);
    brigade.stop_and_check();
}

#[test]
fn nonsense_gets_400_and_harms_nobody() {
    let brigade = single(&[]);
    let worker = brigade.worker(0);
    for nonsense in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5x\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\r\n\r\n",
    ] {
        let mut connection = brigade.connect();
        connection.send(nonsense).unwrap();
        match connection.receive() {
            Ok(answer) => assert_eq!(answer.status, 400, "{:?}", nonsense.escape_ascii()),
            Err(Trouble::Closed | Trouble::Reset) => {}
            Err(other) => panic!("{:?}: {other:?}", nonsense.escape_ascii().to_string()),
        }
    }
    assert_eq!(
        brigade.get("/").number("pid"),
        Some(worker.process.0.into())
    );
    brigade.stop_and_check();
}

#[test]
fn a_client_that_leaves_in_the_middle_harms_nobody() {
    let brigade = single(&[]);
    let worker = brigade.worker(0);
    let before = worker.process.descriptors();
    for request in [
        "GET /sleep?ms=60000 HTTP/1.1\r\nhost: test\r\n\r\n",
        "GET /stream?chunks=1000&ms=10 HTTP/1.1\r\nhost: test\r\n\r\n",
        "POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 1000000\r\n\r\nthe beginning",
        "GET /burgers HTTP/1.1\r\nhost: test\r\n\r\n",
    ] {
        let mut leaving = brigade.connect();
        leaving.send(request).unwrap();
    }
    assert_eq!(
        brigade.get("/").number("pid"),
        Some(worker.process.0.into())
    );
    brigade.until("their descriptors are closed", || {
        worker.process.descriptors() == before
    });
    brigade.stop_and_check();
}

#[test]
fn work_for_the_processor_does_not_block_the_loop() {
    let brigade = single(&[]);
    let busy = |path: &'static str| {
        let address = brigade.address();
        thread::spawn(move || Connection::open(&address).and_then(|mut one| one.get(path)))
    };
    let work: Vec<_> = (0..2).map(|_| busy("/fib?n=32")).collect();
    for _ in 0..20 {
        assert_eq!(brigade.get("/").status, 200);
    }
    for one in work {
        assert_eq!(one.join().unwrap().unwrap().status, 200);
    }
    for path in [
        "/burgers",
        "/burgers/parallel",
        "/headers",
        "/blocking?ms=10",
    ] {
        assert_eq!(brigade.get(path).status, 200, "{path}");
    }
    brigade.stop_and_check();
}

#[test]
fn many_slow_requests_wait_at_the_same_time() {
    let brigade = single(&[]);
    let begin = Instant::now();
    let mut slow: Vec<_> = (0..100).map(|_| brigade.connect()).collect();
    for connection in &mut slow {
        connection
            .send("GET /sleep?ms=500 HTTP/1.1\r\nhost: test\r\n\r\n")
            .unwrap();
    }
    for connection in &mut slow {
        assert_eq!(connection.receive().unwrap().status, 200);
    }
    // One after the other they would take fifty seconds.
    assert!(
        begin.elapsed() < Duration::from_secs(20),
        "{:?}",
        begin.elapsed()
    );
    brigade.stop_and_check();
}

/// Of a day, by a `date`: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn second_of(date: &str) -> u64 {
    let time = date.split(' ').nth(4).expect("a date");
    time.split(':')
        .fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap())
}

fn second_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs() % 86_400
}

#[test]
fn the_date_of_an_answer_is_that_of_its_second_also_after_a_rest() {
    let brigade = Brigade::start(&["serve", "--workers", "1"]);
    let mut connection = brigade.connect();
    let mut seconds = BTreeSet::new();
    for rest in [0, 1100, 0, 0, 2100, 30, 0] {
        brigade.watch_for(Duration::from_millis(rest));
        let earliest = second_now();
        let answer = connection.get("/").unwrap();
        let told = second_of(answer.header("date").unwrap());
        // Midnight may come between.
        let is_now = (earliest..=earliest + 2).any(|second| second % 86_400 == told);
        assert!(is_now, "{told}, and it is {earliest}");
        seconds.insert(told);
    }
    assert!(seconds.len() >= 3, "{seconds:?}");
    brigade.stop_and_check();
}
