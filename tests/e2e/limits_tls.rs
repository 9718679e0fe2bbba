//! Clients who take their time over the TLS handshake.

use std::time::{Duration, Instant};

use crate::admin::answers;
use crate::limits_http::counted;
use crate::support::Authority;
use crate::tls::launch;

const SHORT: Duration = Duration::from_secs(1);

#[test]
fn a_handshake_that_takes_too_long_is_cut_and_counted_wherever_it_stands() {
    let authority = Authority::new();
    let options = ["--workers", "1", "--admin", "127.0.0.1:0"];
    let deadlines = ["--timeout-handshake", "1s", "--timeout-first-byte", "60s"];
    let brigade = launch(&authority, &[options, deadlines].concat()).ready();
    answers(&brigade);
    let client = authority.client();
    let hello = client.hello("a.example");
    let begin = Instant::now();
    // One says nothing, one greets and hears the answer, and one greets for ever.
    let (mut mute, mut half, mut slow) = (brigade.connect(), brigade.connect(), brigade.connect());
    half.send(&hello).unwrap();
    for byte in hello.chunks(1).take(8) {
        slow.send(byte).unwrap();
        brigade.watch_for(Duration::from_millis(20));
    }
    assert!(mute.closes(), "not a word");
    assert!(begin.elapsed() >= SHORT, "{:?}", begin.elapsed());
    let greeting = half.rest().unwrap();
    assert_eq!(greeting.first(), Some(&22), "the server's part of it");
    assert!(slow.closes());
    counted(&brigade, "connections_closed", "handshake_timeout", 3.0);
    // Who has shaken hands has the time of everybody else.
    let mut patient = client.connect(brigade.address().port(), "a.example");
    patient.ask("");
    brigade.watch_for(2 * SHORT);
    assert!(patient.ask("").starts_with("HTTP/1.1 200 "));
    counted(&brigade, "connections_closed", "handshake_timeout", 3.0);
    brigade.stop_and_check();
}
