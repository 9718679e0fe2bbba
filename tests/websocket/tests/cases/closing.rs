//! Section 7: how a connection ends.

use crate::frame::{CLOSE, CONTINUATION, Frame, PING, TEXT};
use crate::{Client, Outcome, case, expect, fails, stand};

/// The client closes with this frame, and the server answers with this code.
fn closes(close: Frame, answer: Option<u16>) -> impl FnOnce(Client) -> Outcome + 'static {
    move |client| client.closes_with(&close, answer)
}

/// What comes after a close frame is not looked at.
fn closes_and_goes_on(after: Vec<Frame>) -> impl FnOnce(Client) -> Outcome + 'static {
    move |mut client| {
        let all = [vec![Frame::close(1000, "")], after].concat();
        let bytes: Vec<u8> = all.iter().flat_map(Frame::masked).collect();
        client.send_bytes(&bytes, None);
        match client.receive() {
            Some(frame) if frame.code() == Some(1000) => client.ends(),
            // The rest was on its way when the socket was closed.
            None => Ok(()),
            other => Err(format!("{other:?} instead of a close frame")),
        }
    }
}

#[test]
fn a_close_is_answered_and_ends_the_connection() {
    let long = vec![b'*'; 256 * 1024];
    let after = |frame: Frame| closes_and_goes_on(vec![frame]);
    stand([
        case("7.1.1", |mut client: Client| {
            client.send(&Frame::new(TEXT, "Hello, world!"));
            expect(&mut client, &Frame::new(TEXT, "Hello, world!"))?;
            client.closes_with(&Frame::close(1000, ""), Some(1000))
        }),
        case("7.1.2", after(Frame::close(1000, ""))),
        case("7.1.3", after(Frame::new(PING, ""))),
        case("7.1.4", after(Frame::new(TEXT, "too late"))),
        case("7.1.5", |mut client: Client| {
            client.send(&Frame::new(TEXT, "fragment1").unfinished());
            client.send(&Frame::close(1000, ""));
            client.send(&Frame::new(CONTINUATION, "fragment2"));
            client.fails_with(&[1000])
        }),
        case("7.1.6", move |mut client: Client| {
            client.send(&Frame::new(TEXT, &long));
            client.send(&Frame::new(TEXT, "Hello, world!"));
            expect(&mut client, &Frame::new(TEXT, &long))?;
            expect(&mut client, &Frame::new(TEXT, "Hello, world!"))?;
            client.closes_with(&Frame::close(1000, ""), Some(1000))
        }),
        case("7.3.1", closes(Frame::new(CLOSE, ""), None)),
        case("7.3.3", closes(Frame::close(1000, ""), Some(1000))),
        case(
            "7.3.4",
            closes(Frame::close(1000, "Hello, world!"), Some(1000)),
        ),
        case("7.3.5", closes(Frame::close(1000, [b'*'; 123]), Some(1000))),
    ]);
}

#[test]
fn a_close_that_is_none_fails_the_connection() {
    let bad =
        |frame: Frame, codes: &'static [u16]| move |client| fails(client, &[frame.masked()], codes);
    stand([
        case("7.3.2", bad(Frame::new(CLOSE, [3]), &[1002])),
        case("7.3.6", bad(Frame::close(1000, [b'*'; 124]), &[1002])),
        case(
            "7.5.1",
            bad(
                Frame::close(1000, b"\xce\xba\xe1\xbd\xb9\xcf\xed\xa0\x80"),
                &[1007],
            ),
        ),
    ]);
}

#[test]
fn close_codes_that_may_be_sent_are_accepted() {
    let good = (1000..=1003)
        .chain(1007..=1011)
        .chain([3000, 3999, 4000, 4999]);
    stand(good.map(|code| {
        case(
            format!("7.7, {code}"),
            closes(Frame::close(code, ""), Some(code)),
        )
    }));
}

#[test]
fn close_codes_that_must_not_be_sent_fail_the_connection() {
    let bad = [
        0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535,
    ];
    stand(bad.map(|code| {
        let frame = Frame::close(code, "").masked();
        case(format!("7.9 and 7.13, {code}"), move |client| {
            fails(client, &[frame], &[1002])
        })
    }));
}
