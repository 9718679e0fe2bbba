//! Section 5: messages in several frames.

use crate::frame::{CONTINUATION, Frame, PING, PONG, TEXT};
use crate::{Client, Outcome, case, echoes, expect, fails, stand};

fn text(payload: &str) -> Frame {
    Frame::new(TEXT, payload)
}

fn more(payload: &str) -> Frame {
    Frame::new(CONTINUATION, payload)
}

fn ping(payload: &str) -> Frame {
    Frame::new(PING, payload)
}

/// Sends all of these; what comes back must be these, in this order.
fn gives(
    frames: Vec<Frame>,
    chop: Option<usize>,
    back: Vec<Frame>,
) -> impl FnOnce(Client) -> Outcome + 'static {
    move |mut client| {
        for frame in &frames {
            client.send_bytes(&frame.masked(), chop);
        }
        for frame in &back {
            expect(&mut client, frame)?;
        }
        echoes(client, &[text("and on")], None)
    }
}

fn is_refused(frames: Vec<Frame>) -> impl FnOnce(Client) -> Outcome + 'static {
    let bytes: Vec<_> = frames.iter().map(Frame::masked).collect();
    move |client| fails(client, &bytes, &[1002])
}

#[test]
fn fragments_become_one_message() {
    let parts = || vec![text("fragment1").unfinished(), more("fragment2")];
    let whole = || text("fragment1fragment2");
    let around = || {
        let [first, last] = <[Frame; 2]>::try_from(parts()).unwrap();
        vec![first, ping("ping"), last]
    };
    let pong = || Frame::new(PONG, "ping");
    let mut cases = Vec::new();
    for (number, chop) in [("3", None), ("4", Some(5)), ("5", Some(1))] {
        let run = gives(parts(), chop, vec![whole()]);
        cases.push(case(format!("5.{number}"), run));
    }
    for (number, chop) in [("6", None), ("7", Some(5)), ("8", Some(1))] {
        let run = gives(around(), chop, vec![pong(), whole()]);
        cases.push(case(format!("5.{number}"), run));
    }
    let five = vec![
        text("fragment1").unfinished(),
        more("fragment2").unfinished(),
        ping("first"),
        more("fragment3").unfinished(),
        more("fragment4").unfinished(),
        ping("second"),
        more("fragment5"),
    ];
    let back = vec![
        Frame::new(PONG, "first"),
        Frame::new(PONG, "second"),
        text("fragment1fragment2fragment3fragment4fragment5"),
    ];
    cases.push(case("5.19", gives(five.clone(), None, back.clone())));
    cases.push(case("5.20", gives(five, Some(1), back)));
    let empty = vec![text("").unfinished(), more("").unfinished(), more("")];
    cases.push(case(
        "6.1.2, empty fragments",
        gives(empty, None, vec![text("")]),
    ));
    let middle = vec![text("").unfinished(), more("middle").unfinished(), more("")];
    cases.push(case("6.1.3", gives(middle, None, vec![text("middle")])));
    stand(cases);
}

#[test]
fn what_is_no_sequence_of_fragments_fails_the_connection() {
    let start = || text("fragment1").unfinished();
    let mut cases = vec![
        case(
            "5.1",
            is_refused(vec![ping("one").unfinished(), more("two")]),
        ),
        case(
            "5.2",
            is_refused(vec![Frame::new(PONG, "one").unfinished(), more("two")]),
        ),
        case("5.15", {
            let stray = more("stray").unfinished();
            is_refused(vec![start(), more("fragment2"), stray, text("whole")])
        }),
        case(
            "5.18",
            is_refused(vec![start(), text("not a continuation")]),
        ),
    ];
    for (numbers, is_last) in [(["9", "10", "11"], true), (["12", "13", "14"], false)] {
        for (number, chop) in numbers.into_iter().zip([None, Some(5), Some(1)]) {
            let mut stray = more("stray");
            stray.is_last = is_last;
            let bytes = [stray.masked(), text("whole").masked()].concat();
            cases.push(case(format!("5.{number}"), move |mut client: Client| {
                client.send_bytes(&bytes, chop);
                client.fails_with(&[1002])
            }));
        }
    }
    for (number, is_last) in [("16", false), ("17", true)] {
        let mut stray = more("fragment1");
        stray.is_last = is_last;
        let twice = [stray, text("fragment2").unfinished(), more("fragment3")];
        let run = is_refused([&twice[..], &twice[..]].concat());
        cases.push(case(format!("5.{number}"), run));
    }
    stand(cases);
}
