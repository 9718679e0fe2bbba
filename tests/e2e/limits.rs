//! Out of descriptors: a pause instead of a spin, and back to service when there are some.

use std::time::Instant;

use nix::sys::signal::Signal;

use crate::support::{Brigade, Connection, Launch, Load, Trouble};

#[test]
fn a_worker_out_of_descriptors_pauses_and_recovers() {
    let prlimit = ["prlimit", "--nofile=64:64"];
    let brigade = Launch::new(&["serve", "--workers", "1"])
        .under(&prlimit)
        .ready();
    let worker = brigade.worker(0).process;
    // Far more than there are descriptors; the kernel's queue holds the rest.
    let mut connections: Vec<_> = (0..120).map(|_| brigade.connect()).collect();
    let failed = brigade.wait_for("accept.failed", |_| true);
    assert!(
        failed.is("slot", 0) && failed.is("pid", worker.0.into()),
        "{}",
        failed.value
    );
    assert!(failed.number("pause_ms") >= Some(1), "{}", failed.value);
    assert!(!failed.text("error").is_empty() && !failed.text("address").is_empty());
    // Who is in is served meanwhile.
    assert_eq!(connections[0].get("/").unwrap().status, 200);
    let ticks = worker.ticks();
    let lines = brigade.events("accept.failed").len();
    let mut later = connections.pop().unwrap();
    later.send("GET / HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
    drop(connections);
    assert_eq!(later.receive().expect("its turn comes").status, 200);
    assert_eq!(brigade.get("/").status, 200);
    // A spinning loop would have burnt whole seconds and written thousands of lines.
    assert!(
        worker.ticks() - ticks < 100,
        "{} ticks",
        worker.ticks() - ticks
    );
    assert!(brigade.events("accept.failed").len() < lines + 100);
    assert_eq!(brigade.worker(0).process, worker, "the worker lives on");
    brigade.stop_and_check();
}

#[test]
fn the_limit_of_open_files_is_raised_to_what_is_allowed() {
    let prlimit = ["prlimit", "--nofile=128:4096"];
    let brigade = Launch::new(&["serve", "--workers", "2"])
        .under(&prlimit)
        .ready();
    for worker in brigade.workers() {
        let (soft, hard) = worker.process.limit("Max open files");
        assert_eq!((soft.as_str(), hard.as_str()), ("4096", "4096"));
    }
    let connections: Vec<_> = (0..300).map(|_| brigade.connect()).collect();
    for mut connection in connections {
        assert_eq!(connection.get("/").unwrap().status, 200);
    }
    assert!(brigade.events("accept.failed").is_empty());
    brigade.stop_and_check();
}

#[test]
fn a_supervisor_out_of_descriptors_serves_on_with_what_it_has() {
    // Room for the first workers, not for hundreds.
    let prlimit = ["prlimit", "--nofile=48:48"];
    let brigade = Launch::new(&["serve", "--workers", "1"])
        .under(&prlimit)
        .ready();
    for _ in 0..60 {
        brigade.signal_heard(Signal::SIGTTIN);
    }
    let troubled = || !brigade.events("worker.spawn_failed").is_empty();
    brigade.until("it is out of descriptors", troubled);
    assert_eq!(brigade.get("/").status, 200);
    let mark = brigade.mark();
    for _ in 0..58 {
        brigade.signal_heard(Signal::SIGTTOU);
    }
    brigade.wait_after(mark, "fleet.scaled", |_| true);
    assert_eq!(brigade.get("/").status, 200);
    brigade.expects("worker.spawn_failed").stop_and_check();
}

#[test]
fn connections_beyond_the_backlog_wait_or_are_served() {
    let brigade = Brigade::start(&["serve", "--workers", "2", "--backlog", "16"]);
    let address = brigade.address();
    let client = |number: usize| {
        let address = address.clone();
        std::thread::spawn(move || -> Result<u16, (usize, Trouble)> {
            let answer = Connection::open(&address).and_then(|mut one| one.get("/"));
            answer
                .map(|answer| answer.status)
                .map_err(|trouble| (number, trouble))
        })
    };
    let clients: Vec<_> = (0..100).map(client).collect();
    for client in clients {
        assert_eq!(client.join().unwrap(), Ok(200));
    }
    brigade.stop_and_check();
}

#[test]
fn the_supervisor_sleeps_while_its_workers_serve() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    // Whatever these leave open or due must not keep its loop turning.
    brigade.kill(brigade.worker(0), Signal::SIGKILL);
    let mark = brigade.signal_heard(Signal::SIGHUP);
    brigade.wait_after(mark, "reload.done", |_| true);
    let mark = brigade.signal_heard(Signal::SIGTTIN);
    brigade.wait_after(mark, "worker.ready", |_| true);
    let mark = brigade.signal_heard(Signal::SIGTTOU);
    brigade.wait_after(mark, "worker.left", |event| event.is("slot", 2));
    brigade.until("the old generation has left", || {
        brigade.workers().len() == 2
    });
    let load = Load::keep_alive(&brigade, 4).start();
    let turns = || -> u64 {
        let text = brigade.supervisor().status("voluntary_ctxt_switches");
        text.parse().unwrap()
    };
    let (before, began) = ((turns(), brigade.supervisor().ticks()), Instant::now());
    load.flow(3000);
    let after = (turns(), brigade.supervisor().ticks());
    // On a machine that is busy with other things requests take longer, and workers look blocked.
    let seconds = began.elapsed().as_secs() + 1;
    load.stop().assert_lost_none();
    assert!(
        after.0 - before.0 < 50 * seconds,
        "it woke up {} times in {seconds} seconds",
        after.0 - before.0
    );
    assert!(
        after.1 - before.1 < 10,
        "it computed for {} ticks",
        after.1 - before.1
    );
    brigade.stop_and_check();
}
