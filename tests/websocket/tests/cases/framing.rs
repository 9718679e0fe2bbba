//! Sections 1 to 4: lengths, pings, reserved bits, opcodes.

use crate::frame::{BINARY, CLOSE, Frame, PING, PONG, TEXT};
use crate::{KINDS, case, echoes, expect, fails, stand};

const LENGTHS: [usize; 7] = [0, 125, 126, 127, 128, 65_535, 65_536];

#[test]
fn messages_of_every_length_come_back() {
    let mut cases = Vec::new();
    for (kind, opcode) in KINDS {
        for (number, length) in (1..).zip(LENGTHS) {
            let message = Frame::new(opcode, vec![b'*'; length]);
            let name = format!("1.{kind}.{number}");
            cases.push(case(name, move |client| echoes(client, &[message], None)));
        }
        let message = Frame::new(opcode, vec![b'*'; 65_536]);
        let name = format!("1.{kind}.8, in pieces of 997 bytes");
        cases.push(case(name, move |client| {
            echoes(client, &[message], Some(997))
        }));
    }
    stand(cases);
}

/// Pings, each answered by a pong with its payload.
fn pings(
    payload: &[u8],
    times: usize,
    chop: Option<usize>,
) -> impl FnOnce(crate::Client) -> crate::Outcome + 'static {
    let payload = payload.to_vec();
    move |mut client| {
        for _ in 0..times {
            client.send_bytes(&Frame::new(PING, &payload).masked(), chop);
        }
        for _ in 0..times {
            expect(&mut client, &Frame::new(PONG, &payload))?;
        }
        client.closes_with(&Frame::close(1000, ""), Some(1000))
    }
}

#[test]
fn pings_are_answered_and_pongs_are_not() {
    let binary: Vec<u8> = (0..=255).step_by(3).collect();
    let long = [b'p'; 125];
    let unasked = |then_ping: bool| {
        move |mut client: crate::Client| {
            client.send(&Frame::new(PONG, "unasked"));
            if then_ping {
                client.send(&Frame::new(PING, "asked"));
                expect(&mut client, &Frame::new(PONG, "asked"))?;
            }
            client.closes_with(&Frame::close(1000, ""), Some(1000))
        }
    };
    let too_long = Frame::new(PING, [b'p'; 126]).masked();
    stand([
        case("2.1", pings(b"", 1, None)),
        case("2.2", pings(b"Hello, world!", 1, None)),
        case("2.3", pings(&binary, 1, None)),
        case("2.4", pings(&long, 1, None)),
        case("2.5", move |client| fails(client, &[too_long], &[1002])),
        case("2.6", pings(&long, 1, Some(1))),
        case("2.7 and 2.8", unasked(false)),
        case("2.9", unasked(true)),
        case("2.10", pings(b"one of ten", 10, None)),
        case("2.11", pings(b"one of ten", 10, Some(1))),
    ]);
}

#[test]
fn reserved_bits_fail_the_connection() {
    let mut cases = Vec::new();
    for bits in 1..=7 {
        for opcode in [TEXT, BINARY, PING, CLOSE] {
            let good = Frame::new(TEXT, "before").masked();
            let bad = Frame::new(opcode, "reserved").reserved(bits).masked();
            let name = format!("3.{bits}, opcode {opcode}");
            cases.push(case(name, move |client| {
                fails(client, &[good, bad], &[1002])
            }));
        }
    }
    stand(cases);
}

#[test]
fn unknown_opcodes_fail_the_connection() {
    let mut cases = Vec::new();
    for opcode in (3..=7).chain(11..=15) {
        for payload in ["", "something"] {
            let section = if opcode < 8 { "4.1" } else { "4.2" };
            let good = Frame::new(TEXT, "before").masked();
            let bad = Frame::new(opcode, payload).masked();
            let after = Frame::new(PING, "after").masked();
            let name = format!("{section}, opcode {opcode}, payload {payload:?}");
            cases.push(case(name, move |client| {
                fails(client, &[good, bad, after], &[1002])
            }));
        }
    }
    stand(cases);
}

#[test]
fn a_client_that_does_not_mask_is_failed() {
    let bare = Frame::new(TEXT, "not masked").unmasked();
    stand([case("section 5.1 of the RFC", move |client| {
        fails(client, &[bare], &[1002])
    })]);
}
