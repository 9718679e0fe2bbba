//! Connections that somebody else has accepted.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use brigade_shared::board::{Counter, RowState};
use brigade_shared::channel::Received;
use brigade_shared::message::{Fact, Order};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use socket2::SockRef;
use tokio::sync::Semaphore;

use crate::app::{app, ungated};
use crate::client::Client;
use crate::worker::{PATIENCE, Worker, config, until};

/// A client, and the server's end of its connection: blocking, as a supervisor may send it.
fn connection() -> (Client, OwnedFd) {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::connect(door.local_addr().unwrap()).unwrap();
    (client, door.accept().unwrap().0.into())
}

fn idle() -> Worker {
    let worker = Worker::spawn(Vec::new(), config(), |_| async {
        Ok::<_, String>(ungated())
    });
    assert_eq!(worker.fact(), Some(Fact::Ready));
    worker
}

fn serve(worker: &Worker, connection: impl AsFd) {
    let sent = worker.link.send_with(&Order::Serve, connection.as_fd());
    sent.unwrap();
}

#[test]
fn it_is_served_like_one_of_its_own_and_counted_as_taken() {
    let worker = idle();
    let (mut client, connection) = connection();
    serve(&worker, &connection);
    for _ in 0..3 {
        assert_eq!(client.get("/").unwrap().text(), "hello");
    }
    assert!(SockRef::from(&connection).tcp_nodelay().unwrap());
    let flags = OFlag::from_bits_truncate(fcntl(&connection, FcntlArg::F_GETFL).unwrap());
    assert!(flags.contains(OFlag::O_NONBLOCK));
    let row = worker.row();
    assert_eq!(row.connections, 1);
    assert_eq!(row.counts.get(Counter::Taken), 1);
    assert_eq!(row.counts.get(Counter::Accepted), 0);
    drop((client, connection));
    until("it is gone", || worker.row().connections == 0);
    worker.cut();
    assert_eq!(worker.code(), 0);
}

#[test]
fn a_unix_connection_is_served_too() {
    let worker = idle();
    let (mut client, theirs) = UnixStream::pair().unwrap();
    serve(&worker, theirs);
    let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    client.write_all(request).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("hello"), "{answer}");
    worker.cut();
    assert_eq!(worker.code(), 0);
}

#[test]
fn what_is_no_connection_is_refused_and_does_no_harm() {
    let worker = idle();
    worker.link.send(&Order::Serve).unwrap();
    serve(&worker, std::fs::File::open("/proc/self/status").unwrap());
    serve(&worker, std::io::pipe().unwrap().0);
    serve(&worker, TcpListener::bind("127.0.0.1:0").unwrap());
    serve(&worker, std::net::UdpSocket::bind("127.0.0.1:0").unwrap());
    let (gone, theirs) = connection();
    drop(gone);
    serve(&worker, theirs);
    let (mut client, theirs) = connection();
    serve(&worker, theirs);
    assert_eq!(client.get("/").unwrap().text(), "hello");
    worker.cut();
    assert_eq!(worker.code(), 0);
}

#[test]
fn those_sent_before_the_order_to_drain_are_served() {
    let worker = idle();
    let mut clients: Vec<_> = (0..100)
        .map(|_| {
            let (client, theirs) = connection();
            serve(&worker, theirs);
            client
        })
        .collect();
    worker.drain(PATIENCE);
    for client in &mut clients {
        let answer = client.get("/").unwrap();
        assert_eq!((answer.text(), answer.is_last()), ("hello", true));
    }
    assert_eq!(worker.code(), 0);
    assert_eq!(worker.row().counts.get(Counter::Cut), 0);
}

#[test]
fn one_that_comes_while_it_drains_is_served_and_waited_for() {
    let gate = Arc::new(Semaphore::new(0));
    let inside = Arc::clone(&gate);
    let worker = Worker::spawn(Vec::new(), config(), move |_| {
        let app = app(&inside);
        async { Ok::<_, String>(app) }
    });
    assert_eq!(worker.fact(), Some(Fact::Ready));
    let (mut first, theirs) = connection();
    serve(&worker, theirs);
    first.ask("/wait").unwrap();
    worker.works_on(1);
    worker.drain(PATIENCE);
    until("it drains", || worker.row().state == RowState::Draining);
    let (mut second, theirs) = connection();
    serve(&worker, theirs);
    second.ask("/wait").unwrap();
    worker.works_on(2);
    gate.add_permits(1);
    until("one is answered", || worker.row().requests == 1);
    assert!(worker.lives());
    gate.add_permits(1);
    for client in [&mut first, &mut second] {
        let answer = client.receive().unwrap();
        assert_eq!((answer.text(), answer.is_last()), ("hello", true));
    }
    assert_eq!(worker.code(), 0);
}

#[test]
fn one_that_comes_before_the_app_is_built_is_kept_until_then() {
    let gate = Arc::new(Semaphore::new(0));
    let inside = Arc::clone(&gate);
    let worker = Worker::spawn(Vec::new(), config(), move |_| {
        let gate = Arc::clone(&inside);
        async move {
            gate.acquire().await.unwrap().forget();
            Ok::<_, String>(ungated())
        }
    });
    let (mut client, theirs) = connection();
    // Looked at first: it may hear both before we look again.
    let before = worker.glance().progress;
    serve(&worker, theirs);
    client.ask("/").unwrap();
    worker.link.send(&Order::Answer).unwrap();
    until("it has heard both", || worker.glance().progress > before);
    gate.add_permits(1);
    assert_eq!(client.receive().unwrap().text(), "hello");
    worker.cut();
    assert_eq!(worker.code(), 0);
}

#[test]
fn a_worker_that_will_never_serve_gives_them_back() {
    for fails in [true, false] {
        let gate = Arc::new(Semaphore::new(0));
        let inside = Arc::clone(&gate);
        let worker = Worker::spawn(Vec::new(), config(), move |_| {
            let gate = Arc::clone(&inside);
            async move {
                gate.acquire().await.unwrap().forget();
                Some(ungated()).filter(|_| !fails).ok_or("no luck")
            }
        });
        let (mut client, theirs) = connection();
        serve(&worker, theirs);
        if fails {
            gate.add_permits(1);
        } else {
            worker.drain(PATIENCE);
        }
        let (fact, connection) = loop {
            match worker.link.receive_with() {
                (Received::Nothing, _) => std::thread::yield_now(),
                other => break other,
            }
        };
        assert_eq!(fact, Received::Message(Fact::Passed));
        let mut theirs = TcpStream::from(connection.unwrap());
        client.ask("/").unwrap();
        theirs.set_nonblocking(false).unwrap();
        assert!(theirs.read(&mut [0; 64]).unwrap() > 0, "it is still alive");
        assert_eq!(worker.code(), i32::from(fails));
    }
}
