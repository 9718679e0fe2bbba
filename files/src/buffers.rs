//! Buffers for what is read of long files, used again: given back to the allocator, their memory would go
//! back to the system and come anew, page by page, with every file.

use std::cell::RefCell;

use bytes::Bytes;

use crate::body::CHUNK;

/// So many are kept by each thread: what hyper takes ahead of a slow client (400 KiB), and one.
const MOST_SPARE: usize = 8;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer with room for `count` bytes; for a whole chunk one that was used before, if
/// there is one.
pub(crate) fn take(count: usize) -> Vec<u8> {
    let spare = (count == CHUNK).then(|| SPARE.with_borrow_mut(Vec::pop));
    spare.flatten().unwrap_or_else(|| Vec::with_capacity(count))
}

/// Makes bytes of a buffer, which is kept for the next one as soon as they are dropped.
pub(crate) fn lend(buffer: Vec<u8>) -> Bytes {
    if buffer.capacity() == CHUNK {
        Bytes::from_owner(Lent(buffer))
    } else {
        buffer.into()
    }
}

struct Lent(Vec<u8>);

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.0);
        buffer.clear();
        // At the end of a thread there may be nothing left to keep it in.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < MOST_SPARE {
                spare.push(buffer);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{CHUNK, MOST_SPARE, lend, take};

    #[test]
    fn a_buffer_is_used_again_once_nobody_reads_it() {
        let mut first = take(CHUNK);
        first.extend_from_slice(b"first");
        let place = first.as_ptr();
        let bytes = lend(first);
        let part = bytes.slice(1..3);
        drop(bytes);
        let other = take(CHUNK);
        assert_ne!(other.as_ptr(), place, "a part of it is still read");
        assert_eq!(&part[..], b"ir");
        drop(part);
        let again = take(CHUNK);
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
    }

    #[test]
    fn not_more_are_kept_than_one_file_needs() {
        let all: Vec<_> = (0..2 * MOST_SPARE).map(|_| lend(take(CHUNK))).collect();
        drop(all);
        drop(lend(take(CHUNK - 1)));
        let kept = super::SPARE.with_borrow(Vec::len);
        assert_eq!(kept, MOST_SPARE);
    }
}
