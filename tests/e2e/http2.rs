//! HTTP/2 with prior knowledge: beside HTTP/1 at the same address, and through everything that
//! ends a worker.

use std::thread;

use nix::sys::signal::Signal;

use crate::support::h2::{self, Frame, Http2, Http2Load, PREFACE};
use crate::support::{Brigade, Connection, Load};

#[test]
fn both_versions_are_spoken_at_one_address_over_tcp_and_unix_sockets() {
    let brigade = Brigade::start(&[
        "serve",
        "--workers",
        "1",
        "--bind",
        "127.0.0.1:0",
        "--bind",
        "unix:a.sock",
    ]);
    for address in brigade.addresses() {
        let mut two = Http2::connect(&address).unwrap();
        two.send(&[
            Frame::get(1, "/"),
            Frame::get(3, "/sleep?ms=100"),
            Frame::get(5, "/"),
        ])
        .unwrap();
        let mut ended = Vec::new();
        while ended.len() < 3 {
            let frame = two.next().unwrap().expect("it stays open");
            assert!([h2::HEADERS, h2::DATA].contains(&frame.kind), "{frame:?}");
            if frame.flags & h2::END_STREAM != 0 {
                ended.push(frame.stream);
            }
        }
        assert_eq!(ended, [1, 5, 3], "who is ready first is answered first");
        let mut one = Connection::open(&address).unwrap();
        assert_eq!(one.get("/").unwrap().status, 200);
    }
    brigade.stop_and_check();
}

#[test]
fn one_version_alone_is_spoken_if_one_asks_for_it() {
    let brigade = Brigade::start(&["serve", "--workers", "1", "--http", "1"]);
    let mut client = brigade.connect();
    client.send(PREFACE).unwrap();
    assert_eq!(client.receive().unwrap().status, 400);
    brigade.stop_and_check();

    let brigade = Brigade::start(&["serve", "--workers", "1", "--http", "2"]);
    let mut client = Http2::connect(&brigade.address()).unwrap();
    client.send(&[Frame::get(1, "/")]).unwrap();
    assert_eq!(client.next().unwrap().unwrap().kind, h2::HEADERS);
    let mut client = brigade.connect();
    client.send("GET / HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
    let rest = client.rest().unwrap_or_default();
    assert!(!rest.starts_with(b"HTTP/1"), "{rest:?}");
    brigade.stop_and_check();
}

#[test]
fn a_client_that_stops_in_the_middle_of_the_preface_is_closed_at_the_header_deadline() {
    let brigade = Brigade::start(&["serve", "--workers", "1", "--timeout-header", "300ms"]);
    let mut client = brigade.connect();
    client.send(&PREFACE[..20]).unwrap();
    assert!(client.closes(), "a bare end, not a byte");
    brigade.stop_and_check();
}

#[test]
fn an_idle_connection_is_told_to_leave() {
    let brigade = Brigade::start(&["serve", "--workers", "1", "--timeout-keep-alive", "300ms"]);
    let mut client = Http2::connect(&brigade.address()).unwrap();
    client.send(&[Frame::get(1, "/")]).unwrap();
    let mut farewells = Vec::new();
    while let Some(frame) = client.next().unwrap() {
        if frame.kind == h2::GOAWAY {
            farewells.push(frame.last_stream());
        }
    }
    assert_eq!(farewells, [0x7fff_ffff, 1]);
    brigade.stop_and_check();
}

#[test]
fn reloads_under_load_lose_nothing() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let load = Http2Load::start(&brigade.address(), 6, 10);
    let other = Load::keep_alive(&brigade, 2).start();
    for _ in 2..=6 {
        brigade.reload();
        load.flow(300);
    }
    other.stop().assert_lost_none();
    let account = load.stop();
    assert_eq!((&account.lost[..], account.refused), (&[][..], 0));
    assert_eq!(
        account.generations.into_iter().collect::<Vec<_>>(),
        [1, 2, 3, 4, 5, 6]
    );
    assert!(
        account.farewells >= 10 && account.given_back == 0,
        "{} {}",
        account.farewells,
        account.given_back
    );
    brigade.stop_and_check();
}

#[test]
fn fewer_and_more_workers_under_load_lose_nothing() {
    let brigade = Brigade::start(&["serve", "--workers", "3"]);
    let load = Http2Load::start(&brigade.address(), 6, 5);
    for _ in 0..10 {
        for (signal, name) in [
            (Signal::SIGTTOU, "worker.left"),
            (Signal::SIGTTIN, "worker.ready"),
        ] {
            let mark = brigade.signal_heard(signal);
            brigade.wait_after(mark, name, |_| true);
            load.flow(100);
        }
    }
    let account = load.stop();
    assert_eq!((&account.lost[..], account.refused), (&[][..], 0));
    brigade.stop_and_check();
}

#[test]
fn a_stop_answers_what_was_begun_and_says_so_at_its_first_moment() {
    let brigade = Brigade::start(&["serve", "--workers", "1"]);
    let mut client = Http2::connect(&brigade.address()).unwrap();
    client
        .send(&[
            Frame::get(1, "/sleep?ms=1000"),
            Frame::get(3, "/stream?chunks=5&ms=300"),
        ])
        .unwrap();
    let first = client.next().unwrap().unwrap();
    assert_eq!((first.kind, first.stream), (h2::HEADERS, 3));
    let reader = thread::spawn(move || {
        let mut frames = Vec::new();
        while let Some(frame) = client.next().unwrap() {
            frames.push(frame);
        }
        frames
    });
    brigade.stop_and_check();
    let frames = reader.join().unwrap();
    let is_end = |frame: &&Frame| frame.kind < 2 && frame.flags & h2::END_STREAM != 0;
    let ended: Vec<u32> = frames
        .iter()
        .filter(is_end)
        .map(|frame| frame.stream)
        .collect();
    assert_eq!(ended.len(), 2, "{frames:?}");
    let is_farewell = |frame: &Frame| frame.kind == h2::GOAWAY;
    let farewell = frames.iter().position(is_farewell).unwrap();
    let answered = frames.iter().position(|frame| is_end(&frame)).unwrap();
    assert!(farewell < answered, "{frames:?}");
}

#[test]
fn a_stop_under_load_answers_all_that_was_begun() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let load = Http2Load::start(&brigade.address(), 6, 10);
    brigade.signal_heard(Signal::SIGTERM);
    brigade.ended(0);
    let account = load.stop();
    // Later connections find nobody; whatever was asked of somebody was answered.
    assert!(account.lost.is_empty(), "{:#?}", account.lost);
}
