//! The last acts of a worker: what its app asked for, after the last request and within bounds.

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use brigade_config::WorkerConfig;
use brigade_worker::Context;
use tokio::sync::Semaphore;

use crate::app::{app, ungated};
use crate::client::Client;
use crate::worker::{Door, PATIENCE, Worker, config};

#[test]
fn hooks_run_after_the_last_answer_the_last_one_first() {
    let door = Door::open();
    let gate = Arc::new(Semaphore::new(0));
    let (say, said) = mpsc::channel();
    let inside = Arc::clone(&gate);
    let factory = move |context: Context| {
        for word in ["pool closed", "flushed"] {
            let say = say.clone();
            context.at_stop(move || async move {
                tokio::task::yield_now().await;
                say.send(word).unwrap();
            });
        }
        let app = app(&inside);
        async { Ok::<_, String>(app) }
    };
    let worker = Worker::start(&door, config(), factory);
    let mut client = Client::connect(door.address).unwrap();
    client.ask("/wait").unwrap();
    worker.works_on(1);
    worker.drain(PATIENCE);
    assert_eq!(said.try_recv(), Err(mpsc::TryRecvError::Empty));
    gate.add_permits(1);
    assert_eq!(client.receive().unwrap().status, 200);
    assert_eq!(worker.code(), 0);
    assert_eq!(said.iter().collect::<Vec<_>>(), ["flushed", "pool closed"]);
}

#[test]
fn a_hook_that_never_ends_does_not_hold_up_the_worker() {
    let hasty = WorkerConfig {
        timeout_hooks: Duration::from_millis(20),
        ..config()
    };
    let factory = |context: Context| async move {
        context.at_stop(pending);
        Ok::<_, String>(ungated())
    };
    let worker = Worker::start(&Door::open(), hasty, factory);
    worker.cut();
    assert_eq!(worker.code(), 0);
}

#[test]
fn hooks_run_also_if_there_is_no_app_in_the_end() {
    let count = Arc::new(AtomicU32::new(0));
    let inside = Arc::clone(&count);
    let factory = move |context: Context| {
        let count = Arc::clone(&inside);
        context.at_stop(|| async move {
            count.fetch_add(1, Relaxed);
        });
        async { Some(ungated()).filter(|_| false).ok_or("no database") }
    };
    let worker = Worker::spawn(Vec::new(), config(), factory);
    assert_eq!(worker.code(), 1);
    assert_eq!(count.load(Relaxed), 1);
}
