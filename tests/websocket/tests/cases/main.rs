//! What a WebSocket server has to stand, in the breadth and by the numbers of the Autobahn test
//! suite (its sections 1 to 7, 9 and 10; 12 and 13 are about compression, which is not offered).
//! The suite itself needs a Python that is not made any more.
//!
//! The frames are made here, byte by byte, so that wrong ones can be made too. Under test are
//! axum's WebSocket, hyper's upgrade, and whatever Brigade puts between them and the socket.

#![forbid(unsafe_code)]

mod closing;
mod fragments;
mod frame;
mod framing;
mod large;
mod leaving;
mod peer;
mod utf8;

use frame::{BINARY, Frame, TEXT};
use peer::{Client, Server};

/// What came of a case.
type Outcome = Result<(), String>;

/// Runs cases, each on a connection of its own, and tells all that failed. The server is asked
/// once more at the end.
fn stand(cases: impl IntoIterator<Item = (String, Box<dyn FnOnce(Client) -> Outcome>)>) {
    let server = Server::start();
    let mut failed = Vec::new();
    let mut count = 0;
    for (name, case) in cases {
        count += 1;
        if let Err(words) = case(server.open()) {
            failed.push(format!("{name}: {words}"));
        }
    }
    assert!(count > 0);
    assert!(
        failed.is_empty(),
        "{} of {count} cases failed:\n{}\n{}",
        failed.len(),
        failed.join("\n"),
        server.log()
    );
    echoes(server.open(), &[Frame::new(TEXT, "still there")], None).unwrap();
}

/// A named case.
fn case(
    name: impl Into<String>,
    run: impl FnOnce(Client) -> Outcome + 'static,
) -> (String, Box<dyn FnOnce(Client) -> Outcome>) {
    (name.into(), Box::new(run))
}

/// Each message comes back as it was; then the connection is closed in good order.
fn echoes(mut client: Client, messages: &[Frame], chop: Option<usize>) -> Outcome {
    for message in messages {
        client.send_bytes(&message.masked(), chop);
        expect(&mut client, message)?;
    }
    client.closes_with(&Frame::close(1000, ""), Some(1000))
}

/// The next message is this one.
fn expect(client: &mut Client, message: &Frame) -> Outcome {
    match client.receive_message() {
        Some(got) if got == *message => Ok(()),
        other => Err(format!("{other:?} instead of {message:?}")),
    }
}

/// The server fails a connection on which this was sent.
fn fails(mut client: Client, bytes: &[Vec<u8>], codes: &[u16]) -> Outcome {
    for piece in bytes {
        client.send_bytes(piece, None);
    }
    client.fails_with(codes)
}

/// Both kinds of message.
const KINDS: [(&str, u8); 2] = [("1", TEXT), ("2", BINARY)];
