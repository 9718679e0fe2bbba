//! Answers that would go on for ever end early when their worker leaves, because their app is told.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::h2::{self, Frame, Http2};
use crate::support::{Brigade, Connection};

const LAST: &str = "event: leaving\ndata: come again\n\n";

/// A client that has heard the first event of a stream.
fn listen(brigade: &Brigade) -> Connection {
    let mut client = brigade.connect();
    let request = "GET /events?ms=50 HTTP/1.1\r\nhost: test\r\n\r\n";
    client.send(request).unwrap();
    let head = client.receive_head().unwrap();
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    client.receive_some().unwrap();
    client
}

/// Everything that still comes.
fn rest(mut client: Connection) -> String {
    String::from_utf8(client.rest().unwrap()).unwrap()
}

/// The rest of the only stream, which comes to its end, and the connection after it.
fn rest_of_stream(mut client: Http2) -> String {
    let (mut words, mut is_ended) = (Vec::new(), false);
    while let Some(frame) = client.next().unwrap() {
        if frame.kind == h2::DATA {
            words.extend_from_slice(&frame.payload);
            is_ended |= frame.flags & h2::END_STREAM != 0;
        }
        assert_ne!(frame.kind, h2::RST_STREAM, "{frame:?}");
    }
    assert!(is_ended);
    String::from_utf8(words).unwrap()
}

#[test]
fn events_end_with_a_word_at_a_stop_and_at_a_reload_and_nobody_waits_for_them() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let brigade = Brigade::start(&["serve", "--workers", "1"]);
        let clients: Vec<_> = (0..5).map(|_| listen(&brigade)).collect();
        let mut frames = Http2::connect(&brigade.address()).unwrap();
        frames.send(&[Frame::get(1, "/events?ms=50")]).unwrap();
        assert_eq!(frames.next().unwrap().unwrap().kind, h2::HEADERS);
        // It answers pings meanwhile.
        let reader = thread::spawn(move || rest_of_stream(frames));
        let begin = Instant::now();
        brigade.signal_heard(signal);
        for client in clients {
            let rest = rest(client);
            // The whole answer has come, to its last chunk.
            assert!(rest.contains(LAST) && rest.ends_with("0\r\n\r\n"), "{rest}");
        }
        assert!(reader.join().unwrap().ends_with(LAST));
        // Half of the time that a drain may take by default.
        assert!(
            begin.elapsed() < Duration::from_secs(15),
            "{:?}",
            begin.elapsed()
        );
        if signal == Signal::SIGTERM {
            brigade.ended(0);
        } else {
            brigade.wait_for("reload.done", |_| true);
            brigade.stop_and_check();
        }
    }
}
