//! The birth of a worker, and what can go wrong with it.

use std::future::pending;
use std::os::fd::AsFd;
use std::time::Duration;

use brigade_shared::board::RowState;
use brigade_shared::message::{Fact, Order};
use brigade_shared::seat::{Address, Listener};
use brigade_worker::{App, StartError};

use crate::app::ungated;
use crate::client::Client;
use crate::worker::{Door, House, PATIENCE, Worker, config, until};

async fn hello() -> Result<impl App, String> {
    Ok(ungated())
}

/// The exit code and the last words of a worker that cannot start.
fn failure<E: Into<StartError> + 'static>(error: fn() -> E) -> (i32, String) {
    let factory = move |_| async move { Some(ungated()).filter(|_| false).ok_or_else(error) };
    let worker = Worker::spawn(Vec::new(), config(), factory);
    match worker.fact() {
        Some(Fact::Failed { reason }) => (worker.code(), reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_failed_factory_gives_its_reason_and_chooses_the_code() {
    let words = |code, reason: &str| (code, reason.to_owned());
    assert_eq!(failure(|| "no database"), words(1, "no database"));
    let permanent = || StartError::permanent("no licence");
    assert_eq!(failure(permanent), words(78, "no licence"));
    let busy = || StartError::busy("all seats taken");
    assert_eq!(failure(busy), words(75, "all seats taken"));
}

#[test]
fn a_panic_in_the_factory_is_a_failure_with_words() {
    let (code, reason) = failure(|| -> String { panic!("out of {}", "luck") });
    assert_eq!(code, 1);
    assert!(reason.starts_with("panicked: out of luck ("), "{reason}");
}

#[test]
fn a_very_long_reason_still_reaches_the_supervisor() {
    let (code, reason) = failure(|| "\u{1}\"ü".repeat(100_000));
    assert_eq!(code, 1);
    assert!(reason.starts_with("\u{1}\"ü"));
}

#[test]
fn a_listener_that_is_none_is_told_as_the_systems_failure() {
    let file = std::fs::File::open("/proc/self/status").unwrap();
    let listener = Listener {
        socket: file.into(),
        address: Address::Unix("/nowhere".into()),
        is_shared: true,
        may_encrypt: true,
    };
    let worker = Worker::spawn(vec![listener], config(), |_| hello());
    let reason = match worker.fact() {
        Some(Fact::Failed { reason }) => reason,
        other => panic!("{other:?}"),
    };
    assert!(
        reason.starts_with("can't watch a listening socket: "),
        "{reason}"
    );
    assert_eq!(worker.code(), 71);
}

#[test]
fn a_worker_can_be_told_to_leave_before_it_is_ready() {
    for cut in [false, true] {
        let never = |_| async {
            pending::<()>().await;
            hello().await
        };
        let worker = Worker::spawn(Vec::new(), config(), never);
        until("it starts", || worker.row().pid != 0);
        assert_eq!(worker.row().state, RowState::Starting);
        if cut {
            worker.cut();
        } else {
            worker.drain(PATIENCE);
        }
        assert_eq!(worker.code(), 0);
    }
}

#[test]
fn it_is_ready_only_when_it_serves_and_says_so_on_the_board() {
    let door = Door::open();
    let worker = Worker::start(&door, config(), |_| hello());
    let row = worker.row();
    assert_eq!((row.state, row.pid), (RowState::Ready, std::process::id()));
    let mut client = Client::connect(door.address).unwrap();
    assert_eq!(client.get("/").unwrap().text(), "hello");
    worker.cut();
    assert_eq!(worker.code(), 0);
}

#[test]
fn one_worker_serves_several_sockets_of_both_kinds() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let unix = std::os::unix::net::UnixListener::bind(&path).unwrap();
    unix.set_nonblocking(true).unwrap();
    let tcp = std::net::TcpListener::bind("[::1]:0").unwrap();
    tcp.set_nonblocking(true).unwrap();
    let address = tcp.local_addr().unwrap();
    let listeners = vec![
        Listener {
            socket: unix.into(),
            address: Address::Unix(path.clone()),
            is_shared: true,
            may_encrypt: true,
        },
        Listener {
            socket: tcp.as_fd().try_clone_to_owned().unwrap(),
            address: Address::Tcp(address),
            is_shared: false,
            may_encrypt: true,
        },
    ];
    let worker = Worker::spawn(listeners, config(), |_| hello());
    assert_eq!(worker.fact(), Some(Fact::Ready));
    let mut client = Client::connect(address).unwrap();
    assert_eq!(client.get("/").unwrap().text(), "hello");
    let mut unix = std::os::unix::net::UnixStream::connect(&path).unwrap();
    unix.set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    std::io::Write::write_all(&mut unix, request).unwrap();
    let answer = std::io::read_to_string(&unix).unwrap();
    assert!(answer.ends_with("hello"), "{answer}");
    worker.cut();
    assert_eq!(worker.code(), 0);
}

/// One that is ready and holds still, and a client that waits at its door.
fn holding(door: &Door) -> (Worker, Client) {
    let mut house = House::open();
    house.holds = true;
    let worker = house.start(vec![door.listener(false)], config(), |_| hello());
    let mut client = Client::connect(door.address).unwrap();
    client.ask("/").unwrap();
    // It has turned since the client came.
    let before = worker.glance().progress;
    worker.link.send(&Order::Answer).unwrap();
    until("it answers", || worker.glance().progress != before);
    assert_eq!(worker.row().connections, 0);
    assert_eq!(worker.row().state, RowState::Starting, "no share is its");
    (worker, client)
}

#[test]
fn who_holds_still_takes_nothing_before_it_is_told_to_begin() {
    let door = Door::open();
    let (worker, mut client) = holding(&door);
    worker.link.send(&Order::Begin).unwrap();
    assert_eq!(client.receive().unwrap().text(), "hello");
    assert_eq!(worker.row().state, RowState::Ready);
    worker.cut();
    assert_eq!(worker.code(), 0);
}

#[test]
fn who_holds_still_leaves_what_waits_to_others() {
    let door = Door::open();
    let (worker, mut client) = holding(&door);
    worker.drain(PATIENCE);
    assert_eq!(worker.code(), 0);
    let other = Worker::start(&door, config(), |_| hello());
    assert_eq!(client.receive().unwrap().text(), "hello");
    other.cut();
    assert_eq!(other.code(), 0);
}

#[test]
fn who_is_told_to_begin_while_it_starts_does_not_hold_still() {
    let door = Door::open();
    let mut house = House::open();
    house.holds = true;
    let (open, gate) = tokio::sync::oneshot::channel::<()>();
    let gate = std::sync::Mutex::new(Some(gate));
    let worker = house.spawn(vec![door.listener(false)], config(), move |_| {
        let gate = gate.lock().unwrap().take().unwrap();
        async move {
            gate.await.unwrap();
            hello().await
        }
    });
    until("it starts", || worker.row().pid != 0);
    worker.link.send(&Order::Begin).unwrap();
    open.send(()).unwrap();
    assert_eq!(worker.fact(), Some(Fact::Ready));
    // Both come at the same time: whichever is heard first.
    until("it serves", || worker.row().state == RowState::Ready);
    worker.cut();
    assert_eq!(worker.code(), 0);
}
