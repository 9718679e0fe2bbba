//! Where a line ends. Most lines of a head are so short that a call of `memchr`, with its setup for
//! vectors, costs more than to look at eight bytes at a time.

/// So many bytes are looked at before `memchr` gets the rest.
const SHORT: usize = 64;

/// The first CR or LF.
pub(super) fn line_end(bytes: &[u8]) -> Option<usize> {
    let short = &bytes[..bytes.len().min(SHORT)];
    let (words, _) = short.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = zeros(word ^ every(b'\r')) | zeros(word ^ every(b'\n'));
        if found != 0 {
            return Some(index * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let seen = words.len() * 8;
    let rest = &bytes[seen..];
    let end = match rest.len() {
        0..8 => rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')),
        _ => memchr::memchr2(b'\r', b'\n', rest),
    };
    end.map(|end| seen + end)
}

/// The byte, eight times.
const fn every(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The highest bit of the first byte that is zero; bits above it may be set, too.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(every(1)) & !word & every(0x80)
}

#[cfg(test)]
mod tests {
    use super::line_end;

    #[test]
    fn it_finds_what_a_simple_search_finds_at_every_place_and_length() {
        for length in 0..100 {
            let plain = vec![b'\x0c'; length];
            assert_eq!(line_end(&plain), None);
            for at in 0..length {
                for end in [b'\r', b'\n'] {
                    let mut bytes = plain.clone();
                    bytes[at] = end;
                    assert_eq!(line_end(&bytes), Some(at));
                    // What comes behind it changes nothing.
                    bytes[at..].fill(end);
                    assert_eq!(line_end(&bytes), Some(at));
                }
            }
        }
    }

    #[test]
    fn whatever_stands_around_an_end_is_none_and_hides_none() {
        // Neighbours of both ends by number, and the same with the highest bit, among them.
        for other in (0..=255).filter(|byte| !matches!(byte, b'\r' | b'\n')) {
            assert_eq!(line_end(&[other; 70]), None, "{other:#x}");
            for (length, at) in (8..=16).flat_map(|length| (0..length).map(move |at| (length, at)))
            {
                for end in [b'\r', b'\n'] {
                    let mut bytes = vec![other; length];
                    bytes[at] = end;
                    assert_eq!(line_end(&bytes), Some(at), "{other:#x} in {length}");
                }
            }
        }
    }
}
