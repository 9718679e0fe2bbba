//! What Brigade does in the app's stead: it closes WebSockets when their worker leaves, and when a
//! message is too big.

use std::net::Shutdown;

use nix::sys::signal::Signal;

use crate::frame::{BINARY, CLOSE, Frame, TEXT};
use crate::peer::{Client, Server};
use crate::{Outcome, expect};

/// It is open, and the app answers. Lengths are written in three ways: who takes one for another
/// never finds the place between two frames where a close fits in.
fn greet(client: &mut Client) -> Outcome {
    for length in [5, 300, 70_000] {
        let hello = Frame::new(TEXT, "h".repeat(length));
        client.send(&hello);
        expect(client, &hello)?;
    }
    Ok(())
}

/// The next frame closes with this code; our answer ends the connection.
fn is_closed_with(mut client: Client, code: u16) -> Outcome {
    match client.receive() {
        Some(frame) if frame.opcode == CLOSE && frame.code() == Some(code) => {}
        other => return Err(format!("{other:?}, not a close frame with {code}")),
    }
    client.send(&Frame::close(code, ""));
    client.ends()
}

#[test]
fn who_is_there_when_the_worker_leaves_is_told_to_come_again() {
    // A stop, and a reload, which replaces the worker.
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let server = Server::start();
        let mut clients: Vec<Client> = (0..20).map(|_| server.open()).collect();
        for client in &mut clients {
            greet(client).unwrap();
        }
        server.signal(signal);
        for client in clients {
            is_closed_with(client, 1012).unwrap();
        }
    }
}

#[test]
fn a_message_above_16_mib_is_closed_with_1009_when_it_is_announced() {
    let server = Server::start();
    let mut client = server.open();
    greet(&mut client).unwrap();
    let length = (16_u64 << 20) + 1;
    let head = [&[0x80 | BINARY, 0xff][..], &length.to_be_bytes(), &[0; 4]].concat();
    client.send_bytes(&head, None);
    client.shut(Shutdown::Write);
    client.fails_with(&[1009]).unwrap();
    greet(&mut server.open()).unwrap();
}
