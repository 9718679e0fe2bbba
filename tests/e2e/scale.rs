//! More workers and fewer, by signal, while requests come.

use nix::sys::signal::Signal;

use crate::support::{Brigade, Load};

/// One more or one fewer, and wait until the fleet has the new size and nobody else is left.
fn step(brigade: &Brigade, signal: Signal, to: i64) {
    let mark = brigade.mark();
    brigade.signal(signal);
    brigade.wait_after(mark, "fleet.scaled", |event| event.is("to", to));
    let name = if signal == Signal::SIGTTIN {
        "worker.ready"
    } else {
        "worker.left"
    };
    brigade.wait_after(mark, name, |_| true);
}

#[test]
fn one_more_and_one_fewer() {
    let brigade = Brigade::start(&["serve", "--workers", "1"]);
    step(&brigade, Signal::SIGTTIN, 2);
    let slots: Vec<_> = brigade.workers().iter().map(|worker| worker.slot).collect();
    assert_eq!(slots, [0, 1]);
    step(&brigade, Signal::SIGTTOU, 1);
    assert_eq!(brigade.workers().len(), 1);
    brigade.stop_and_check();
}

#[test]
fn fewer_than_one_is_refused() {
    let brigade = Brigade::start(&["serve", "--workers", "1"]);
    brigade.signal(Signal::SIGTTOU);
    let refused = brigade.wait_for("fleet.scale_refused", |_| true);
    assert!(refused.is("asked", -1), "{}", refused.value);
    assert_eq!(brigade.get("/").status, 200);
    brigade.stop_and_check();
}

#[test]
fn two_hundred_steps_under_load_lose_nothing() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let before = brigade.supervisor().descriptors();
    let loads = [
        Load::keep_alive(&brigade, 3),
        Load::connections(&brigade, 3),
    ]
    .map(Load::start);
    // Up and down by turns, in strides of several, so that slots of every age go.
    let mut size = 2;
    for stride in 0..20 {
        for _ in 0..5 {
            size += 1;
            step(&brigade, Signal::SIGTTIN, size);
        }
        for _ in 0..5 {
            size -= 1;
            step(&brigade, Signal::SIGTTOU, size);
        }
        loads.iter().for_each(|load| load.flow(5));
        assert_eq!(brigade.workers().len(), 2, "after stride {stride}");
    }
    loads
        .into_iter()
        .for_each(|load| load.stop().assert_lost_none());
    brigade.until("descriptors are as before", || {
        brigade.supervisor().descriptors() == before
    });
    brigade.stop_and_check();
}

#[test]
fn a_burst_of_signals_is_followed_as_one_can() {
    // The kernel merges equal signals that wait, so only the direction can be promised.
    let brigade = Brigade::start(&["serve", "--workers", "1"]);
    let load = Load::connections(&brigade, 3).start();
    for _ in 0..40 {
        brigade.signal(Signal::SIGTTIN);
        brigade.signal(Signal::SIGTTOU);
    }
    load.flow(100);
    brigade.signal_heard(Signal::SIGTTIN);
    load.flow(100);
    load.stop().assert_lost_none();
    brigade.stop_and_check();
}

#[test]
fn a_slow_request_on_a_worker_that_is_not_wanted_any_more_is_finished() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let leaving = brigade.worker(1).process;
    let mut slow = loop {
        let mut connection = brigade.connect();
        if connection.get("/").unwrap().number("pid") == Some(leaving.0.into()) {
            break connection;
        }
    };
    slow.send("GET /sleep?ms=1500 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    step(&brigade, Signal::SIGTTOU, 1);
    assert_eq!(slow.receive().expect("it is finished").status, 200);
    brigade.stop_and_check();
}
