//! Sections 9 and 10: long messages, many messages.

use crate::frame::{BINARY, CONTINUATION, Frame, TEXT};
use crate::{Client, KINDS, Outcome, case, echoes, expect, stand};

/// A message in frames of so many bytes.
fn in_frames(opcode: u8, length: usize, size: usize) -> Vec<Frame> {
    let payload = vec![b'*'; length];
    let mut frames: Vec<Frame> = payload
        .chunks(size)
        .map(|piece| Frame::new(CONTINUATION, piece).unfinished())
        .collect();
    frames[0].opcode = opcode;
    if let Some(last) = frames.last_mut() {
        last.is_last = true;
    }
    frames
}

#[test]
fn long_messages_come_back_however_they_are_cut() {
    let mut cases = Vec::new();
    for (kind, opcode) in KINDS {
        for (number, length) in (1..).zip([64 << 10, 256 << 10, 1 << 20, 4 << 20]) {
            let message = Frame::new(opcode, vec![b'*'; length]);
            let name = format!("9.{kind}.{number}");
            cases.push(case(name, move |client| echoes(client, &[message], None)));
        }
        let frames = [
            64,
            256,
            1 << 10,
            4 << 10,
            16 << 10,
            64 << 10,
            256 << 10,
            1 << 20,
            4 << 20,
        ];
        for (number, size) in (1..).zip(frames) {
            let name = format!("9.{}.{number}", if opcode == TEXT { 3 } else { 4 });
            cases.push(case(name, move |client| {
                fragmented(client, opcode, 4 << 20, size)
            }));
        }
        for (number, chop) in (1..).zip([64, 128, 256, 512, 1 << 10, 2 << 10]) {
            let message = Frame::new(opcode, vec![b'*'; 1 << 20]);
            let name = format!("9.{}.{number}", if opcode == TEXT { 5 } else { 6 });
            cases.push(case(name, move |client| {
                echoes(client, &[message], Some(chop))
            }));
        }
    }
    let message = Frame::new(TEXT, vec![b'*'; 65_536]);
    cases.push(case("10.1.1", move |client| {
        echoes(client, &[message], Some(1300))
    }));
    stand(cases);
}

/// One message in many frames; nothing comes back before the last.
fn fragmented(mut client: Client, opcode: u8, length: usize, size: usize) -> Outcome {
    let bytes: Vec<u8> = in_frames(opcode, length, size)
        .iter()
        .flat_map(Frame::masked)
        .collect();
    client.send_bytes(&bytes, None);
    expect(&mut client, &Frame::new(opcode, vec![b'*'; length]))?;
    client.closes_with(&Frame::close(1000, ""), Some(1000))
}

#[test]
fn a_thousand_messages_come_back_one_by_one() {
    let mut cases = Vec::new();
    for (section, opcode) in [("9.7", TEXT), ("9.8", BINARY)] {
        for (number, length) in (1..).zip([0, 16, 64, 256, 1 << 10, 4 << 10]) {
            let messages = vec![Frame::new(opcode, vec![b'*'; length]); 1000];
            let name = format!("{section}.{number}");
            cases.push(case(name, move |client| echoes(client, &messages, None)));
        }
    }
    stand(cases);
}
