//! Trailers of HTTP/2 have no pseudo-fields (RFC 9113, 8.1), but h2 drops such a field without a word.
//! It does refuse one that stands behind another field. So a mark is put in front of trailers, in
//! a frame of its own, and taken off again where the app reads them:
//!
//! ```text
//! HEADERS, fields   becomes   HEADERS, the mark; CONTINUATION, fields
//! ```
//!
//! Nothing else of what comes in is held back or copied.

use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};
use http_body::Frame;

/// A frame: its length in three bytes, kind, flags, stream.
const HEAD: usize = 9;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 32;
const OF_PRIORITY: usize = 5;

/// The largest payload that h2 takes from a client.
const LARGEST: usize = 16 << 10;

/// So many gaps in the numbers of streams are remembered; clients have none, or one at the beginning.
const LEFT_OUT: usize = 16;

const MARK: &str = "brigade-mark";

/// Without the mark.
pub(crate) fn unmarked(mut frame: Frame<Bytes>) -> Frame<Bytes> {
    if let Some(fields) = frame.trailers_mut() {
        fields.remove(MARK);
    }
    frame
}

/// The frames that come from a client, as far as they have come.
#[derive(Debug)]
pub(super) struct Frames {
    /// So much of the present frame is still to come.
    rest: usize,
    /// The lowest stream that was not begun.
    next: u32,
    /// Streams below, in the order of their numbers, that the client has left out: they are closed,
    /// and what comes for one of them are no trailers.
    left_out: Vec<Range<u32>>,
    /// The beginning of a frame that is not there enough to be judged.
    held: BytesMut,
    /// What is to be read before anything else.
    ready: BytesMut,
}

impl Frames {
    /// They begin behind so many other bytes.
    pub(super) fn behind(preface: usize) -> Self {
        Self {
            rest: preface,
            next: 1,
            left_out: Vec::new(),
            held: BytesMut::new(),
            ready: BytesMut::new(),
        }
    }

    /// Takes note of bytes that have come. Returns how many of them shall be read as they are, at
    /// once; what is to be read of the others, and when, tells `ready`.
    pub(super) fn come(&mut self, bytes: &[u8]) -> usize {
        if self.held.is_empty() {
            let passed = self.pass(bytes);
            if passed == bytes.len() {
                return passed;
            }
            self.held.extend_from_slice(&bytes[passed..]);
            self.settle();
            return passed;
        }
        self.held.extend_from_slice(bytes);
        self.settle();
        0
    }

    /// No more will come: what is held back is incomplete, and is read so.
    pub(super) fn ended(&mut self) {
        let held = self.held.split();
        self.ready.unsplit(held);
    }

    /// What is to be read next.
    pub(super) fn ready(&mut self) -> &mut BytesMut {
        &mut self.ready
    }

    /// How many of these bytes are no trailers, nor the beginning of a frame's head.
    fn pass(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        loop {
            let there = self.rest.min(bytes.len() - at);
            self.rest -= there;
            at += there;
            match bytes[at..].first_chunk() {
                Some(head) if !self.is_trailers(head) => self.rest = HEAD + length(head),
                _ => return at,
            }
        }
    }

    fn is_trailers(&mut self, head: &[u8; HEAD]) -> bool {
        if head[3] != HEADERS {
            return false;
        }
        let [.., a, b, c, d] = *head;
        let stream = u32::from_be_bytes([a, b, c, d]) & u32::MAX >> 1;
        if stream < self.next {
            let is_begun = !self.left_out.iter().any(|range| range.contains(&stream));
            return is_begun && length(head) <= LARGEST;
        }
        if stream > self.next && self.left_out.len() < LEFT_OUT {
            self.left_out.push(self.next..stream);
        }
        self.next = stream.saturating_add(2);
        false
    }

    /// Makes ready what has come as a whole of what is held.
    fn settle(&mut self) {
        loop {
            let held = self.held.split().freeze();
            let passed = self.pass(&held);
            self.ready.extend_from_slice(&held[..passed]);
            let held = &held[passed..];
            let frame = held.first_chunk().map(|head| HEAD + length(head));
            match frame.and_then(|frame| held.split_at_checked(frame)) {
                Some((frame, more)) => {
                    mark(frame, &mut self.ready);
                    self.held.extend_from_slice(more);
                }
                None => return self.held.extend_from_slice(held),
            }
        }
    }
}

fn length(head: &[u8; HEAD]) -> usize {
    usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2])
}

/// Writes trailers with the mark. Padding and priority, which mean nothing here, are left out.
fn mark(frame: &[u8], out: &mut BytesMut) {
    let (head, payload) = frame.split_at(HEAD);
    let (flags, stream) = (head[4], &head[5..]);
    let (mut from, mut to) = (0, payload.len());
    if flags & PADDED != 0 {
        from += 1;
        let padding = payload.first().copied().map_or(0, usize::from);
        to = to.saturating_sub(padding);
    }
    if flags & PRIORITY != 0 {
        from += OF_PRIORITY;
    }
    let Some(fields) = payload.get(from..to) else {
        // The frame is malformed, as h2 will find.
        return out.extend_from_slice(frame);
    };
    // A literal that is not indexed, with an empty value.
    out.put_slice(&[0, 0, MARK.len() as u8 + 3, HEADERS, flags & END_STREAM]);
    out.put_slice(stream);
    out.put_slice(&[0, MARK.len() as u8]);
    out.put_slice(MARK.as_bytes());
    out.put_slice(&[0]);
    out.put_slice(&(fields.len() as u32).to_be_bytes()[1..]);
    out.put_slice(&[CONTINUATION, flags & END_HEADERS]);
    out.put_slice(stream);
    out.put_slice(fields);
}

#[cfg(test)]
mod tests {
    use super::{CONTINUATION, Frames, HEADERS};
    use crate::rig::{Handler, Rig};
    use http::{HeaderMap, HeaderValue, Request, Response};
    use http_body_util::{BodyExt, Full};
    use tokio::task::spawn_local;

    const DATA: u8 = 0;
    const BOTH: u8 = 5;

    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = payload.len() as u32;
        let head = [kind, flags, 0, 0, 0, stream];
        [&length.to_be_bytes()[1..], &head, payload].concat()
    }

    /// What h2 gets to see of these bytes, read in pieces of this size.
    fn seen(bytes: &[u8], size: usize) -> Vec<u8> {
        let (mut frames, mut seen) = (Frames::behind(3), Vec::new());
        for piece in bytes.chunks(size) {
            let passed = frames.come(piece);
            seen.extend_from_slice(&piece[..passed]);
            seen.extend_from_slice(&frames.ready().split());
        }
        frames.ended();
        seen.extend_from_slice(&frames.ready().split());
        seen
    }

    fn marked(flags: u8, stream: u8, fields: &[u8]) -> Vec<u8> {
        let mark = b"\0\x0cbrigade-mark\0";
        let first = frame(HEADERS, flags & 1, stream, mark);
        [first, frame(CONTINUATION, flags & 4, stream, fields)].concat()
    }

    #[test]
    fn trailers_get_a_mark_and_nothing_else_does() {
        let before = [
            b"pre".to_vec(),
            frame(HEADERS, 4, 1, b"head"),
            frame(DATA, 0, 1, &frame(HEADERS, BOTH, 1, b"not one")),
            frame(HEADERS, 0, 3, b"another head"),
            frame(CONTINUATION, 4, 3, b"its end"),
        ]
        .concat();
        let trailers = frame(HEADERS, BOTH, 1, b"fields");
        let open = frame(HEADERS, 4, 3, b"these do not end it");
        let padded = frame(HEADERS, BOTH | 8 | 32, 3, b"\x02.....fields\0\0");
        let after = frame(DATA, 1, 5, b"more");
        let bytes = [&before, &trailers, &open, &padded, &after].map(Vec::as_slice);
        let wanted = [
            before.clone(),
            marked(BOTH, 1, b"fields"),
            marked(4, 3, b"these do not end it"),
            marked(BOTH, 3, b"fields"),
            after.clone(),
        ]
        .concat();
        for size in [1, 2, 3, 8, 9, 10, 21, 50, 1000] {
            assert_eq!(seen(&bytes.concat(), size), wanted, "pieces of {size}");
        }
    }

    /// What the app makes of a request with such trailers.
    async fn trailers_of(rig: &Rig, trailers: HeaderMap) -> String {
        let app = Handler::new(async |request: Request<_>| {
            let body = BodyExt::collect(request.into_body()).await.unwrap();
            let trailers = body.trailers().cloned();
            let text = format!("{:?} {trailers:?}", body.to_bytes());
            Ok(Response::new(Full::from(text)))
        });
        let (mut client, connection) = h2::client::handshake(rig.connect(app)).await.unwrap();
        spawn_local(connection);
        let request = Request::post("http://x/").body(()).unwrap();
        let (answer, mut body) = client.send_request(request, false).unwrap();
        body.send_data("data".into(), false).unwrap();
        body.send_trailers(trailers).unwrap();
        let text = answer.await.unwrap().into_body().data().await;
        String::from_utf8(text.unwrap().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn the_app_reads_trailers_as_they_were_sent() {
        Rig::paused(async |rig| {
            let mut trailers = HeaderMap::new();
            assert_eq!(
                trailers_of(&rig, trailers.clone()).await,
                "b\"data\" Some({})"
            );
            trailers.insert("sum", HeaderValue::from_static("41"));
            assert_eq!(
                trailers_of(&rig, trailers).await,
                "b\"data\" Some({\"sum\": \"41\"})"
            );
        });
    }

    #[test]
    fn a_stream_that_was_left_out_has_no_trailers() {
        let begun = [3, 5, 9].map(|stream| frame(HEADERS, 4, stream, b"head"));
        let begun = [b"pre", &*begun.concat()].concat();
        for (stream, is_begun) in [(1, false), (3, true), (5, true), (7, false), (9, true)] {
            let late = frame(HEADERS, BOTH, stream, b"fields");
            let wanted = match is_begun {
                true => marked(BOTH, stream, b"fields"),
                false => late.clone(),
            };
            let bytes = [&*begun, &late].concat();
            assert_eq!(seen(&bytes, 7), [&*begun, &wanted].concat(), "{stream}");
        }
    }

    #[test]
    fn what_is_malformed_is_left_to_be_refused() {
        for payload in [&b""[..], b"\x09abc", b"\xff"] {
            let first = frame(HEADERS, 4, 1, b"head");
            let bytes = [b"pre", &*first, &frame(HEADERS, BOTH | 8, 1, payload)].concat();
            assert_eq!(seen(&bytes, 4), bytes);
        }
        let large = frame(HEADERS, BOTH, 1, &[0; 16385]);
        let bytes = [b"pre", &*frame(HEADERS, 4, 1, b"head"), &large].concat();
        assert_eq!(seen(&bytes, 5000), bytes);
        let largest = [0; 16384];
        let bytes = [b"pre", &*frame(HEADERS, 4, 1, b"head")].concat();
        let wanted = [&*bytes, &marked(BOTH, 1, &largest)].concat();
        let bytes = [&*bytes, &frame(HEADERS, BOTH, 1, &largest)].concat();
        assert_eq!(seen(&bytes, 5000), wanted, "as large as a frame may be");
    }

    #[test]
    fn what_is_incomplete_at_the_end_is_read_as_it_came() {
        let bytes = [
            b"pre",
            &*frame(HEADERS, 4, 1, b"head"),
            &frame(HEADERS, BOTH, 1, b"fields")[..12],
        ]
        .concat();
        for size in [1, 7, 100] {
            assert_eq!(seen(&bytes, size), bytes, "pieces of {size}");
        }
    }

    #[test]
    fn the_reserved_bit_of_a_streams_number_means_nothing() {
        let mut trailers = frame(HEADERS, BOTH, 1, b"fields");
        trailers[5] |= 0x80;
        let mut wanted = marked(BOTH, 1, b"fields");
        // Of the frame with the mark and of the one behind it.
        for at in [5, wanted.len() - 6 - 4] {
            wanted[at] |= 0x80;
        }
        let before = [b"pre", &*frame(HEADERS, 4, 1, b"head")].concat();
        let bytes = [&*before, &trailers].concat();
        assert_eq!(seen(&bytes, 7), [before, wanted].concat());
    }

    #[test]
    fn only_so_many_gaps_are_remembered() {
        let mut frames = Frames::behind(0);
        for number in 1..=u32::from(u8::MAX) {
            let mut head = frame(HEADERS, 4, 0, b"");
            head[5..].copy_from_slice(&(4 * number).to_be_bytes());
            assert_eq!(frames.come(&head), head.len());
        }
        assert_eq!(frames.left_out.len(), super::LEFT_OUT);
    }

    #[test]
    fn however_bytes_are_cut_the_same_is_seen_and_none_is_lost_at_the_end() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = |end: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 33) as usize % end
        };
        for _ in 0..2000 {
            let mut bytes = b"pre".to_vec();
            for _ in 0..random(6) {
                let payload: Vec<u8> = (0..random(40)).map(|_| random(12) as u8).collect();
                let kind = [HEADERS, HEADERS, DATA, CONTINUATION][random(4)];
                bytes.extend(frame(kind, random(64) as u8, random(4) as u8, &payload));
            }
            bytes.truncate(bytes.len() - random(12).min(bytes.len()));
            let whole = seen(&bytes, 4096);
            assert!(whole.len() + 46 >= bytes.len(), "{bytes:?}");
            for size in [1, 2, 7, 1 + random(60)] {
                assert_eq!(seen(&bytes, size), whole, "{bytes:?} in pieces of {size}");
            }
        }
    }
}
