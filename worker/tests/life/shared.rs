//! Several workers at one queue.

use std::sync::Arc;

use brigade_shared::board::Counter;
use brigade_shared::message::Fact;
use brigade_worker::App;
use tokio::sync::Semaphore;

use crate::app::{app, ungated};
use crate::client::Client;
use crate::worker::{Door, Worker, config, until};

const WORKERS: usize = 4;

/// Workers that know nothing of each other: no board in common, so nothing is passed on.
fn workers(door: &Door) -> Vec<Worker> {
    let start = |_| {
        let listeners = vec![door.listener(true)];
        Worker::spawn(listeners, config(), |_| async {
            Ok::<_, String>(ungated())
        })
    };
    let workers: Vec<_> = (0..WORKERS).map(start).collect();
    for worker in &workers {
        assert_eq!(worker.fact(), Some(Fact::Ready));
    }
    workers
}

fn accepted(workers: &[Worker]) -> Vec<u64> {
    let of = |worker: &Worker| worker.row().counts.get(Counter::Accepted);
    workers.iter().map(of).collect()
}

fn rest(workers: &[Worker]) {
    until("all wait", || {
        workers.iter().all(|worker| !worker.glance().is_running)
    });
}

#[track_caller]
fn is_even(accepted: &[u64]) {
    let (sum, most) = (accepted.iter().sum::<u64>(), accepted.iter().max().unwrap());
    let mean = sum as f64 / accepted.len() as f64;
    assert!(*most as f64 <= 1.3 * mean, "{accepted:?}");
}

fn end(workers: Vec<Worker>) {
    for worker in workers {
        worker.cut();
        assert_eq!(worker.code(), 0);
    }
}

#[test]
fn a_connection_wakes_one_worker_and_each_in_turn() {
    const CONNECTIONS: u64 = 200;
    let door = Door::open();
    let workers = workers(&door);
    rest(&workers);
    let turns = || {
        workers
            .iter()
            .map(|worker| worker.row().turns)
            .collect::<Vec<_>>()
    };
    let mut clients = Vec::new();
    let (mut before, mut woken) = (turns(), 0);
    for number in 1..=CONNECTIONS {
        clients.push(Client::connect(door.address).unwrap());
        until("it is accepted", || {
            accepted(&workers).iter().sum::<u64>() == number
        });
        rest(&workers);
        let now = turns();
        woken += std::iter::zip(&before, &now)
            .filter(|(before, now)| before != now)
            .count();
        before = now;
    }
    // Some have other reasons to wake up; a herd would be 800.
    assert!(woken <= 250, "{woken} wake-ups");
    is_even(&accepted(&workers));
    end(workers);
}

#[test]
fn while_one_is_blocked_the_others_take_what_comes() {
    let door = Door::open();
    let workers = workers(&door);
    // Blocks in its app; the gate is a lock that the test holds.
    let gate = Arc::new(std::sync::Mutex::new(()));
    let held = gate.lock().unwrap();
    let inside = Arc::clone(&gate);
    let stuck = Worker::spawn(vec![door.listener(true)], config(), move |_| {
        let gate = Arc::clone(&inside);
        let app = app(&Arc::new(Semaphore::new(0)));
        async move {
            Ok::<_, String>(brigade_worker::service_fn(move |request| {
                drop(gate.lock());
                let mut app = app.clone();
                app.answer(request)
            }))
        }
    });
    assert_eq!(stuck.fact(), Some(Fact::Ready));
    let mut clients = Vec::new();
    until("it has got one", || {
        let mut client = Client::connect(door.address).unwrap();
        client.ask("/").unwrap();
        clients.push(client);
        stuck.row().requests == 1
    });
    for _ in 0..100 {
        let mut client = Client::connect(door.address).unwrap();
        assert_eq!(client.get("/").unwrap().text(), "hello");
    }
    drop(held);
    for client in &mut clients {
        assert_eq!(client.receive().unwrap().text(), "hello");
    }
    end(workers);
    stuck.cut();
    assert_eq!(stuck.code(), 0);
}
