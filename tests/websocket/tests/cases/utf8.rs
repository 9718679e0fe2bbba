//! Section 6: text is UTF-8, and nothing else.

use crate::frame::{CONTINUATION, Frame, TEXT};
use crate::{Client, case, echoes, expect, fails, stand};

/// Well-formed, with what stands at the edges of each length, of the surrogates, and non-characters
/// (6.2, 6.5 to 6.7, 6.9, 6.11, 6.13, 6.15 and 6.22).
const GOOD: [&str; 31] = [
    "Hello-\u{b5}@\u{df}\u{f6}\u{e4}\u{fc}\u{e0}\u{e1}-UTF-8!!",
    "\u{3ba}\u{1f79}\u{3c3}\u{3bc}\u{3b5}",
    "\u{0}",
    "\u{7f}",
    "\u{80}",
    "\u{7ff}",
    "\u{800}",
    "\u{d7ff}",
    "\u{e000}",
    "\u{fffd}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{10000}",
    "\u{10ffff}",
    "\u{1fffe}",
    "\u{1ffff}",
    "\u{2fffe}",
    "\u{3fffe}",
    "\u{4ffff}",
    "\u{5fffe}",
    "\u{6ffff}",
    "\u{7fffe}",
    "\u{8ffff}",
    "\u{9fffe}",
    "\u{affff}",
    "\u{bfffe}",
    "\u{cffff}",
    "\u{dfffe}",
    "\u{effff}",
    "\u{ffffe}",
    "\u{fffff}",
];

/// Ill-formed: cut off, too long, surrogates, out of range, stray bytes (6.3, 6.6, 6.8, 6.10, 6.12,
/// 6.14, 6.16 to 6.21).
const BAD: [&[u8]; 57] = [
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65\x64\x69\x74\x65\x64",
    b"\xce",
    b"\xce\xba\xe1",
    b"\xce\xba\xe1\xbd",
    b"\xce\xba\xe1\xbd\xb9\xcf",
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce",
    b"\xf8\x88\x80\x80\x80",
    b"\xfc\x84\x80\x80\x80\x80",
    b"\xf7\xbf\xbf\xbf",
    b"\xfb\xbf\xbf\xbf\xbf",
    b"\xfd\xbf\xbf\xbf\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\x80",
    b"\xbf",
    b"\x80\xbf",
    b"\x80\xbf\x80",
    b"\x80\xbf\x80\xbf",
    b"\x80\xbf\x80\xbf\x80",
    b"\x80\xbf\x80\xbf\x80\xbf",
    b"\x80\x81\x82\x83\x9f\xa0\xaf\xbe",
    b"\xc0\x20\xc1\x20\xc2\x20\xde\x20\xdf\x20",
    b"\xe0\x20\xe1\x20\xee\x20\xef\x20",
    b"\xf0\x20\xf1\x20\xf6\x20\xf7\x20",
    b"\xf8\x20\xf9\x20\xfa\x20\xfb\x20",
    b"\xfc\x20\xfd\x20",
    b"\xc0",
    b"\xe0\x80",
    b"\xf0\x80\x80",
    b"\xf8\x80\x80\x80",
    b"\xfc\x80\x80\x80\x80",
    b"\xdf",
    b"\xef\xbf",
    b"\xf7\xbf\xbf",
    b"\xfb\xbf\xbf\xbf",
    b"\xfd\xbf\xbf\xbf\xbf",
    b"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80\xdf\xef\xbf\xf7\xbf\xbf",
    b"\xfe",
    b"\xff",
    b"\xfe\xfe\xff\xff",
    b"\xc0\xaf",
    b"\xe0\x80\xaf",
    b"\xf0\x80\x80\xaf",
    b"\xf8\x80\x80\x80\xaf",
    b"\xfc\x80\x80\x80\x80\xaf",
    b"\xc1\xbf",
    b"\xe0\x9f\xbf",
    b"\xf0\x8f\xbf\xbf",
    b"\xc0\x80",
    b"\xe0\x80\x80",
    b"\xf0\x80\x80\x80",
    b"\xed\xa0\x80",
    b"\xed\xad\xbf",
    b"\xed\xae\x80",
    b"\xed\xaf\xbf",
    b"\xed\xb0\x80",
    b"\xed\xbf\xbf",
    b"\xed\xa0\x80\xed\xb0\x80",
];

#[test]
fn well_formed_text_comes_back_however_it_is_cut() {
    let mut cases = Vec::new();
    for good in GOOD {
        let whole = Frame::new(TEXT, good);
        let message = whole.clone();
        let name = format!("6.2 to 6.22, {good:?}");
        cases.push(case(name, move |client| echoes(client, &[message], None)));
        // A frame for every byte: characters are cut in the middle.
        let mut frames = vec![Frame::new(TEXT, "").unfinished()];
        let bytes = good.bytes();
        frames.extend(bytes.map(|byte| Frame::new(CONTINUATION, [byte]).unfinished()));
        frames.push(Frame::new(CONTINUATION, ""));
        let name = format!("6.2.3 and 6.2.4, {good:?}");
        cases.push(case(name, move |mut client: Client| {
            frames.iter().for_each(|frame| client.send(frame));
            expect(&mut client, &whole)?;
            client.closes_with(&Frame::close(1000, ""), Some(1000))
        }));
    }
    stand(cases);
}

#[test]
fn ill_formed_text_fails_the_connection_however_it_is_cut() {
    let mut cases = Vec::new();
    for bad in BAD {
        let whole = Frame::new(TEXT, bad).masked();
        let name = format!("6.3 to 6.21, {}", bad.escape_ascii());
        cases.push(case(name, move |client| fails(client, &[whole], &[1007])));
        let mut frames = vec![Frame::new(TEXT, "good: ").unfinished().masked()];
        let parts = bad.iter().map(|byte| Frame::new(CONTINUATION, [*byte]));
        frames.extend(parts.map(|frame| frame.unfinished().masked()));
        frames.push(Frame::new(CONTINUATION, "").masked());
        let name = format!("6.3.2 and 6.4, {}", bad.escape_ascii());
        cases.push(case(name, move |client| fails(client, &frames, &[1007])));
    }
    stand(cases);
}
