//! Real servers of others under `brigade exec`: uvicorn with a FastAPI app, Node's http.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::{Brigade, Event, Kill, Launch, Load, Need, Process, app, lacks, node, python};

fn exec<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Brigade {
    Launch::new(&["exec", "--workers", "2", "--"])
        .arguments(words)
        .ready()
}

fn uvicorn() -> Brigade {
    let python = python().display().to_string();
    let folder = app("");
    let program = [
        &*python,
        "-m",
        "uvicorn",
        "asgi:app",
        "--fd",
        "3",
        "--app-dir",
        &folder,
    ];
    exec(program.into_iter().chain(["--no-access-log"]))
}

/// When the workers of the first generation drained, as if they had been killed then.
fn drains(brigade: &Brigade) -> Vec<Kill> {
    let draining = brigade.events("worker.draining").into_iter();
    let drain = |event: Event| {
        let pid = event.pid();
        let left = brigade.wait_for("worker.left", |event| event.pid() == pid);
        Kill {
            process: Process(pid),
            // The line is read a little after the signal was sent.
            begin: event.at - Duration::from_millis(100),
            end: left.at,
        }
    };
    draining.map(drain).collect()
}

/// Reload, SIGKILL, a slow request across the stop: what every server has to bear. `own_losses`
/// are moments at which this server itself closes connections that it has accepted and not read.
fn bears_everything(brigade: Brigade, own_losses: fn(&Brigade) -> Vec<Kill>) {
    let load = Load::connections(&brigade, 4).path("/").start();
    load.flow(50);
    brigade.reload();
    load.flow(50);
    let mut kills = own_losses(&brigade);
    for slot in [0, 1] {
        let worker = brigade.worker(slot);
        kills.push(brigade.kill(worker, Signal::SIGKILL));
        brigade.wait_for("worker.ready", |event| {
            event.is("slot", slot) && event.is("generation", 2) && event.pid() != worker.process.0
        });
        load.flow(50);
    }
    let account = load.stop();
    account.assert_lost_only(&kills);
    assert!(
        account.by_process.len() >= 4,
        "both generations answered: {account:?}"
    );
    let mut slow = brigade.connect();
    slow.get("/").unwrap();
    slow.send("GET /slow?ms=1000 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    // An answer to a later question proves that the slow one has been read before.
    assert_eq!(brigade.get("/slow?ms=100").status, 200);
    brigade.signal(Signal::SIGTERM);
    assert_eq!(slow.receive().expect("it is finished").status, 200);
    brigade.ended(0);
}

#[test]
fn uvicorn_with_fastapi_loses_only_what_it_closes_itself() {
    if lacks(Need::Python) {
        return;
    }
    // Told to leave, uvicorn closes what it has just accepted, the request in its buffer unread.
    bears_everything(uvicorn(), drains);
}

#[test]
fn node_loses_nothing() {
    if lacks(Need::Node) {
        return;
    }
    let words = [node().display().to_string(), app("http.js")];
    bears_everything(exec(words), |_| Vec::new());
}

#[test]
fn keep_alive_connections_to_uvicorn_move_at_a_reload() {
    if lacks(Need::Python) {
        return;
    }
    let brigade = uvicorn();
    let mut before = brigade.connect();
    let old = before.get("/").unwrap().number("pid");
    brigade.reload();
    assert!(
        before.closes(),
        "an idle connection to the old generation is closed"
    );
    assert_ne!(brigade.get("/").number("pid"), old);
    brigade.stop_and_check();
}
