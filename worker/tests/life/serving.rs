//! What a worker answers, and what it counts.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use brigade_config::WorkerConfig;
use brigade_shared::board::{Counter, LoopState};
use socket2::SockRef;

use crate::app::ungated;
use crate::client::Client;
use crate::worker::{Door, Worker, config, until};

fn start(door: &Door, config: WorkerConfig) -> Worker {
    Worker::start(door, config, |_| async { Ok::<_, String>(ungated()) })
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let door = Door::open();
    let worker = start(&door, config());
    let mut client = Client::connect(door.address).unwrap();
    let bodies: Vec<String> = (0..200).map(|number| format!("number {number}")).collect();
    let requests = bodies.iter().map(|body| {
        let length = body.len();
        format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}")
    });
    client.send(requests.collect::<String>()).unwrap();
    for body in &bodies {
        assert_eq!(client.receive().unwrap().text(), body);
    }
    worker.cut();
    assert_eq!(worker.code(), 0);
}

#[test]
fn nonsense_is_refused_and_closes_only_its_own_connection() {
    let door = Door::open();
    let worker = start(&door, config());
    let mut good = Client::connect(door.address).unwrap();
    good.get("/").unwrap();
    let mut bad = Client::connect(door.address).unwrap();
    bad.send("HELO mail\r\n\r\n").unwrap();
    assert_eq!(bad.receive().unwrap().status, 400);
    bad.closes().unwrap();
    let mut huge = Client::connect(door.address).unwrap();
    let _ = huge.send(format!(
        "GET / HTTP/1.1\r\nx: {}\r\n\r\n",
        "y".repeat(1 << 20)
    ));
    assert!(matches!(huge.receive(), Ok(answer) if answer.status == 431));
    good.get("/").unwrap();
    worker.cut();
    assert_eq!(worker.code(), 0);
}

#[test]
fn an_accepted_socket_inherits_from_its_listener_not_to_wait_for_more_to_send() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    SockRef::from(&listener).set_tcp_nodelay(true).unwrap();
    let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    assert!(accepted.nodelay().unwrap());
}

#[test]
fn deadlines_fire_on_real_sockets() {
    let door = Door::open();
    let mut quick = WorkerConfig {
        timeout_header: Duration::from_millis(150),
        timeout_keep_alive: Duration::from_millis(300),
        ..config()
    };
    quick.limits.first_byte = Duration::from_millis(150);
    let worker = start(&door, quick);
    let begin = Instant::now();
    let mut silent = Client::connect(door.address).unwrap();
    let mut halting = Client::connect(door.address).unwrap();
    halting.send("GET / HTTP/1.1\r\nhos").unwrap();
    let mut idle = Client::connect(door.address).unwrap();
    assert_eq!(idle.get("/").unwrap().status, 200);
    silent.closes().unwrap();
    halting.closes().unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(150));
    idle.closes().unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(300));
    until("all is counted", || worker.row().connections == 0);
    let counts = worker.row().counts;
    assert_eq!(counts.get(Counter::FirstByteTimeouts), 1);
    assert_eq!(counts.get(Counter::HeaderTimeouts), 1);
    assert_eq!(counts.get(Counter::KeepAliveTimeouts), 1);
    worker.cut();
    assert_eq!(worker.code(), 0);
}

#[test]
fn the_board_tells_what_happened_while_the_worker_does_not() {
    let door = Door::open();
    let worker = start(&door, config());
    let mut client = Client::connect(door.address).unwrap();
    for _ in 0..10 {
        client.get("/").unwrap();
    }
    until("it has nothing to do", || {
        worker.row().loop_state == LoopState::Parked
    });
    let row = worker.row();
    assert_eq!((row.connections, row.requests, row.request), (1, 0, None));
    assert_eq!(row.counts.get(Counter::Success), 10);
    assert_eq!(row.counts.get(Counter::Accepted), 1);
    assert_eq!(row.counts.latency.count(), 10);
    assert!(row.counts.lag.count() >= 10);
    assert!(row.counts.latency.quantile(1.0).unwrap() < Duration::from_secs(1));
    worker.cut();
    assert_eq!(worker.code(), 0);
}
