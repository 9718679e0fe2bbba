//! The end of a worker: nothing is lost that could be kept, and the end comes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use brigade_config::WorkerConfig;
use brigade_shared::board::{Counter, RowState};
use tokio::sync::Semaphore;

use crate::app::{app, ungated};
use crate::client::Client;
use crate::desk::{Desk, Until};
use crate::worker::{Door, House, PATIENCE, Worker, config, until};

const UPGRADE: &str =
    "GET /upgrade HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";

/// A worker whose app waits at a gate.
fn gated(door: &Door, config: WorkerConfig) -> (Worker, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let inside = Arc::clone(&gate);
    let factory = move |_| {
        let app = app(&inside);
        async { Ok::<_, String>(app) }
    };
    (Worker::start(door, config, factory), gate)
}

fn no_lame_duck() -> WorkerConfig {
    WorkerConfig {
        timeout_lame_duck: Duration::from_millis(1),
        ..config()
    }
}

/// Waits, on the processor and without sleeping, for 0 to `most`.
fn think(most: Duration, random: &mut u64) {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    let begin = Instant::now();
    let pause = most.mul_f64((*random >> 11) as f64 / (1_u64 << 53) as f64);
    while begin.elapsed() < pause {
        thread::yield_now();
    }
}

/// Keeps a connection busy until `done`, opening a new one whenever the server has said or shown
/// that it closes the old one. Returns requests answered and requests lost.
fn keep_busy(address: SocketAddr, most: Duration, seed: u64, done: &AtomicBool) -> (u64, u64) {
    let (mut answered, mut lost, mut random) = (0, 0, seed);
    let mut line: Option<Client> = None;
    while !done.load(Relaxed) {
        think(most, &mut random);
        let mut client = match line.take() {
            Some(client) if !client.is_closed() => client,
            _ => Client::connect(address).unwrap(),
        };
        match client.get("/") {
            Ok(answer) => {
                assert_eq!(answer.text(), "hello");
                answered += 1;
                if !answer.is_last() {
                    line = Some(client);
                }
            }
            Err(_) => lost += 1,
        }
    }
    (answered, lost)
}

/// Hands a door from worker to worker while clients are busy at it.
fn relay(drains: u32, most: Duration) {
    let door = Door::open();
    let done = AtomicBool::new(false);
    let (answered, lost) = thread::scope(|scope| {
        let _over = Until(&done);
        let clients: Vec<_> = (1..=8)
            .map(|seed| {
                let (address, done) = (door.address, &done);
                scope.spawn(move || keep_busy(address, most, seed * 7919, done))
            })
            .collect();
        let (mut worker, _gate) = gated(&door, config());
        for _ in 0..drains {
            let begun = worker.row().counts.answered();
            until("it is busy", || {
                worker.row().counts.answered() >= begun + 20
            });
            let (next, _gate) = gated(&door, config());
            worker.drain(PATIENCE);
            assert_eq!(worker.code(), 0);
            assert_eq!(worker.row().counts.get(Counter::Cut), 0);
            worker = next;
        }
        done.store(true, Relaxed);
        let accounts = clients.into_iter().map(|client| client.join().unwrap());
        let sum = accounts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        worker.cut();
        sum
    });
    assert_eq!(
        lost,
        0,
        "of {} requests over {drains} drains",
        answered + lost
    );
    assert!(answered >= u64::from(drains) * 20);
}

/// The same with two workers at a time, one of which is replaced in each round, while connections
/// change hands: half of the clients come to a queue that only the supervisor accepts from, and
/// whoever holds more than its share passes on what it accepts.
#[test]
fn connections_that_change_hands_are_not_lost_over_a_hundred_drains() {
    let (door, house) = (Door::open(), House::open());
    let desk = Desk::open(&house);
    let done = AtomicBool::new(false);
    let start = || {
        let worker = house.start(vec![door.listener(true)], config(), |_| async {
            Ok::<_, String>(ungated())
        });
        desk.admit(&worker);
        worker
    };
    let (mut taken, mut answered, mut lost) = (0, 0, 0);
    thread::scope(|scope| {
        let _both = (desk.open_hours(), Until(&done));
        scope.spawn(|| desk.work());
        let clients: Vec<_> = (1..=16)
            .map(|seed| {
                let address = [door.address, desk.address()][seed % 2];
                let most = Duration::from_micros([200, 3_000][seed / 2 % 2]);
                let (seed, done) = (seed as u64 * 7919, &done);
                scope.spawn(move || keep_busy(address, most, seed, done))
            })
            .collect();
        let mut workers = [start(), start()];
        for drain in 0..100 {
            let next = start();
            let old = std::mem::replace(&mut workers[drain % 2], next);
            let begun = old.row().counts.answered();
            until("it is busy", || old.row().counts.answered() >= begun + 20);
            desk.dismiss(&old);
            old.drain(PATIENCE);
            assert_eq!(old.code(), 0);
            assert_eq!(old.row().counts.get(Counter::Cut), 0);
            taken += old.row().counts.get(Counter::Taken);
        }
        done.store(true, Relaxed);
        for client in clients {
            let account = client.join().unwrap();
            answered += account.0;
            lost += account.1;
        }
        for worker in &workers {
            desk.dismiss(worker);
            worker.cut();
        }
    });
    assert_eq!(lost, 0, "of {} requests", answered + lost);
    assert!(desk.passed() >= 100, "only {} passed", desk.passed());
    assert!(taken >= desk.passed() + 100, "only {taken} taken");
}

#[test]
fn clients_without_a_pause_lose_nothing_over_many_drains() {
    relay(60, Duration::from_micros(300));
}

#[test]
fn clients_that_think_lose_nothing_over_many_drains() {
    relay(40, Duration::from_millis(5));
}

#[test]
fn a_request_in_flight_is_finished_and_ends_the_worker() {
    let door = Door::open();
    let (worker, gate) = gated(&door, config());
    let mut client = Client::connect(door.address).unwrap();
    client.ask("/wait").unwrap();
    worker.works_on(1);
    worker.drain(PATIENCE);
    until("it drains", || worker.row().state == RowState::Draining);
    assert!(worker.lives());
    gate.add_permits(1);
    let answer = client.receive().unwrap();
    assert_eq!((answer.text(), answer.is_last()), ("hello", true));
    client.closes().unwrap();
    assert_eq!(worker.code(), 0);
}

#[test]
fn an_answer_on_its_way_is_finished() {
    let door = Door::open();
    let (worker, gate) = gated(&door, no_lame_duck());
    let mut client = Client::connect(door.address).unwrap();
    client.ask("/halves").unwrap();
    client.receive_head().unwrap();
    worker.drain(PATIENCE);
    until("it drains", || worker.row().state == RowState::Draining);
    gate.add_permits(1);
    assert_eq!(
        client.read(25).unwrap(),
        b"5\r\nhalf \r\n5\r\nhalf \r\n0\r\n\r\n"
    );
    client.closes().unwrap();
    assert_eq!(worker.code(), 0);
}

#[test]
fn what_is_still_open_at_the_deadline_is_cut() {
    let door = Door::open();
    let (worker, _gate) = gated(&door, config());
    let mut stuck = Client::connect(door.address).unwrap();
    stuck.ask("/wait").unwrap();
    let mut deaf = Client::connect(door.address).unwrap();
    deaf.ask("/endless").unwrap();
    let mut mute = Client::connect(door.address).unwrap();
    mute.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf")
        .unwrap();
    worker.works_on(3);
    let begin = Instant::now();
    worker.drain(Duration::from_millis(200));
    assert_eq!(worker.code(), 0);
    assert!(begin.elapsed() >= Duration::from_millis(200));
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "{:?}",
        begin.elapsed()
    );
    assert!(stuck.receive().is_err());
    assert_eq!(worker.row().counts.get(Counter::Cut), 3);
}

#[test]
fn a_second_order_can_only_shorten_the_drain() {
    let door = Door::open();
    let (worker, _gate) = gated(&door, config());
    let mut stuck = Client::connect(door.address).unwrap();
    stuck.ask("/wait").unwrap();
    worker.works_on(1);
    worker.drain(PATIENCE * 10);
    worker.drain(Duration::from_millis(50));
    worker.drain(PATIENCE * 10);
    assert_eq!(worker.code(), 0);
}

#[test]
fn an_order_to_cut_ends_everything_at_once_also_a_drain() {
    for draining in [false, true] {
        let door = Door::open();
        let (worker, _gate) = gated(&door, config());
        let mut stuck = Client::connect(door.address).unwrap();
        stuck.ask("/wait").unwrap();
        worker.works_on(1);
        if draining {
            worker.drain(PATIENCE * 10);
        }
        worker.cut();
        assert_eq!(worker.code(), 0);
        assert!(stuck.receive().is_err());
    }
}

#[test]
fn an_upgraded_connection_is_waited_for_and_cut_at_the_deadline() {
    for patient in [true, false] {
        let door = Door::open();
        let (worker, _gate) = gated(&door, no_lame_duck());
        let mut client = Client::connect(door.address).unwrap();
        client.send(UPGRADE).unwrap();
        assert_eq!(client.receive_head().unwrap().status, 101);
        let within = if patient {
            PATIENCE
        } else {
            Duration::from_millis(200)
        };
        worker.drain(within);
        until("it drains", || worker.row().state == RowState::Draining);
        client.send("still here?").unwrap();
        assert_eq!(client.read(11).unwrap(), b"still here?");
        if patient {
            assert!(worker.lives());
            assert_eq!(worker.row().connections, 1);
            drop(client);
        }
        assert_eq!(worker.code(), 0);
        let cut = worker.row().counts.get(Counter::Cut);
        assert_eq!(cut, u64::from(!patient));
    }
}

#[test]
fn an_upgrade_asked_of_a_lame_duck_is_still_one() {
    let door = Door::open();
    let (worker, _gate) = gated(&door, config());
    let mut client = Client::connect(door.address).unwrap();
    client.get("/").unwrap();
    worker.drain(PATIENCE);
    until("it drains", || worker.row().state == RowState::Draining);
    client.send(UPGRADE).unwrap();
    let head = client.receive_head().unwrap();
    assert_eq!(
        (head.status, head.header("connection")),
        (101, Some("upgrade"))
    );
    client.send("hello").unwrap();
    assert_eq!(client.read(5).unwrap(), b"hello");
    drop(client);
    assert_eq!(worker.code(), 0);
}

#[test]
fn what_waits_in_the_queue_is_served_before_the_end() {
    let door = Door::open();
    // Connected before the worker exists, and ordered to drain before it can have accepted all.
    let mut clients: Vec<_> = (0..100)
        .map(|_| Client::connect(door.address).unwrap())
        .collect();
    for client in &mut clients {
        client.ask("/").unwrap();
    }
    let (worker, _gate) = gated(&door, no_lame_duck());
    worker.drain(PATIENCE);
    for client in &mut clients {
        assert_eq!(client.receive().unwrap().text(), "hello");
    }
    assert_eq!(worker.code(), 0);
}

#[test]
fn a_worker_without_a_supervisor_finishes_and_leaves() {
    let door = Door::open();
    let (worker, gate) = gated(&door, config());
    let mut client = Client::connect(door.address).unwrap();
    client.ask("/wait").unwrap();
    worker.works_on(1);
    let orphan = thread::spawn(|| worker.orphan());
    gate.add_permits(1);
    assert_eq!(client.receive().unwrap().text(), "hello");
    assert_eq!(orphan.join().unwrap(), 0);
}
