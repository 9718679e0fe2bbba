//! The request that a worker's loop is working on right now: several words that belong together,
//! consistent for readers in other processes by a sequence counter (a seqlock).

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, fence};

use super::word;

/// Bytes of the method that are kept.
const METHOD_BYTES: usize = 8;
/// Bytes of the path that are kept.
pub const PATH_BYTES: usize = 64;

/// Words that the cell takes in a row.
pub(super) const WORDS: usize = 5 + PATH_BYTES / 8;
const SEQUENCE: usize = 0;
const BUSY: usize = 1;
const STARTED: usize = 2;
const METHOD: usize = 3;
const PATH_LENGTH: usize = 4;
const PATH: usize = 5;

/// The first line of a request, cut to what the board can hold. Plain words, so that it can be put
/// on the board at every poll for the price of a few stores.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestLine {
    method: u64,
    path: [u64; PATH_BYTES / 8],
    path_length: u8,
    started_ns: u64,
}

impl RequestLine {
    /// Takes what fits of method and path. `started_ns` is on the monotonic clock.
    #[must_use]
    pub fn new(method: &str, path: &str, started_ns: u64) -> Self {
        let mut line = Self {
            method: pack(method.as_bytes()),
            path: [0; PATH_BYTES / 8],
            path_length: path.len().min(PATH_BYTES) as u8,
            started_ns,
        };
        let path = &path.as_bytes()[..usize::from(line.path_length)];
        for (word, bytes) in line.path.iter_mut().zip(path.chunks(8)) {
            *word = pack(bytes);
        }
        line
    }

    /// When the request began, on the monotonic clock.
    #[must_use]
    pub fn started_ns(&self) -> u64 {
        self.started_ns
    }

    /// The method, as far as it was kept.
    #[must_use]
    pub fn method(&self) -> String {
        unpack(&[self.method], METHOD_BYTES)
    }

    /// The path, as far as it was kept.
    #[must_use]
    pub fn path(&self) -> String {
        unpack(&self.path, usize::from(self.path_length))
    }

    fn path_words(&self) -> &[u64] {
        &self.path[..usize::from(self.path_length).div_ceil(8)]
    }
}

/// The first eight bytes as a word.
fn pack(bytes: &[u8]) -> u64 {
    let mut word = [0; METHOD_BYTES];
    let length = bytes.len().min(METHOD_BYTES);
    word[..length].copy_from_slice(&bytes[..length]);
    u64::from_le_bytes(word)
}

/// What a reader sees of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CurrentRequest {
    /// The method, at most 8 bytes of it.
    pub method: String,
    /// The path, at most [`PATH_BYTES`] bytes of it, without the query.
    pub path: String,
    /// When it began, in nanoseconds on the monotonic clock.
    pub started_ns: u64,
}

/// The cell in the row.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestCell<'a>(pub(super) &'a [AtomicU64; WORDS]);

impl RequestCell<'_> {
    /// The loop works on this request from now on.
    pub(super) fn enter(self, line: &RequestLine) {
        let cell = self.0;
        let sequence = word::get(&cell[SEQUENCE]).wrapping_add(1);
        word::set(&cell[SEQUENCE], sequence);
        // Orders the odd number before the words, as seen by the reader's acquire fence.
        fence(Release);
        word::set(&cell[BUSY], 1);
        word::set(&cell[STARTED], line.started_ns);
        word::set(&cell[METHOD], line.method);
        word::set(&cell[PATH_LENGTH], u64::from(line.path_length));
        for (shared, mine) in cell[PATH..].iter().zip(line.path_words()) {
            word::set(shared, *mine);
        }
        cell[SEQUENCE].store(sequence.wrapping_add(1), Release);
    }

    /// The loop is back at the request that it entered last, whose words still stand.
    pub(super) fn resume(self) {
        word::set(&self.0[BUSY], 1);
    }

    /// The loop turns to something else.
    pub(super) fn leave(self) {
        word::set(&self.0[BUSY], 0);
    }

    /// Moves with every request that is entered.
    pub(super) fn motion(self) -> u64 {
        word::get(&self.0[SEQUENCE])
    }

    /// A consistent copy, or nothing: there is none, or the worker is so busy that it never
    /// holds still, and so is not stuck.
    pub(super) fn read(self) -> Option<CurrentRequest> {
        const ATTEMPTS: usize = 64;
        (0..ATTEMPTS).find_map(|_| self.try_read())?
    }

    /// Outer `None`: the words changed while being read.
    fn try_read(self) -> Option<Option<CurrentRequest>> {
        let before = self.0[SEQUENCE].load(Acquire);
        if before % 2 == 1 {
            std::hint::spin_loop();
            return None;
        }
        let words = self.0.each_ref().map(word::get);
        fence(Acquire);
        if self.0[SEQUENCE].load(Relaxed) != before {
            return None;
        }
        if words[BUSY] == 0 {
            return Some(None);
        }
        let path_length = usize::try_from(words[PATH_LENGTH]).unwrap_or(PATH_BYTES);
        Some(Some(CurrentRequest {
            method: unpack(&words[METHOD..=METHOD], METHOD_BYTES),
            path: unpack(&words[PATH..], path_length.min(PATH_BYTES)),
            started_ns: words[STARTED],
        }))
    }
}

/// The first `length` bytes of the words, as far as they are text without NULs.
fn unpack(words: &[u64], length: usize) -> String {
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.truncate(length);
    bytes.retain(|byte| *byte != 0);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{PATH_BYTES, RequestCell, RequestLine, WORDS};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

    fn cell(fill: u64) -> [AtomicU64; WORDS] {
        std::array::from_fn(|_| AtomicU64::new(fill))
    }

    #[test]
    fn a_request_is_seen_between_enter_and_leave() {
        let words = cell(0);
        let cell = RequestCell(&words);
        assert_eq!(cell.read(), None);
        cell.enter(&RequestLine::new("GET", "/burgers", 5));
        let seen = cell.read().unwrap();
        assert_eq!((&*seen.method, &*seen.path), ("GET", "/burgers"));
        assert_eq!(seen.started_ns, 5);
        cell.leave();
        assert_eq!(cell.read(), None);
        cell.resume();
        assert_eq!(cell.read(), Some(seen));
    }

    #[test]
    fn what_does_not_fit_is_cut_and_nothing_of_a_longer_path_stays() {
        let words = cell(0);
        let cell = RequestCell(&words);
        let long = "/".repeat(500);
        cell.enter(&RequestLine::new("PROPPATCHES", &long, 0));
        let seen = cell.read().unwrap();
        assert_eq!(seen.method, "PROPPATC");
        assert_eq!(seen.path, long[..PATH_BYTES]);
        cell.enter(&RequestLine::new("GET", "/x", 0));
        assert_eq!(cell.read().unwrap().path, "/x");
    }

    #[test]
    fn any_bytes_in_memory_can_be_read() {
        let words = cell(u64::MAX - 1);
        let seen = RequestCell(&words).read().unwrap();
        assert!(
            seen.path
                .chars()
                .all(|c| c == char::REPLACEMENT_CHARACTER || c == '\u{0}')
        );
        assert_eq!(
            RequestCell(&cell(u64::MAX)).read(),
            None,
            "for ever being written"
        );
    }

    #[test]
    fn a_reader_never_sees_halves_of_two_requests() {
        let words = Arc::new(cell(0));
        let done = Arc::new(AtomicBool::new(false));
        let reader = {
            let (words, done) = (Arc::clone(&words), Arc::clone(&done));
            std::thread::spawn(move || {
                while !done.load(Relaxed) {
                    if let Some(seen) = RequestCell(&words).read() {
                        let letter = seen.method.chars().next().unwrap();
                        assert!(seen.path.chars().all(|c| c == letter), "{seen:?}");
                        assert_eq!(seen.path.len() as u64, seen.started_ns);
                    }
                }
            })
        };
        for round in 0..200_000_usize {
            let letter = ["a", "b", "c"][round % 3];
            let length = 1 + round % PATH_BYTES;
            let line = RequestLine::new(letter, &letter.repeat(length), length as u64);
            RequestCell(&words).enter(&line);
        }
        done.store(true, Relaxed);
        reader.join().unwrap();
    }
}
