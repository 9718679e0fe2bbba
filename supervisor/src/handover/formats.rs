//! Which formats of the state this binary reads and writes. To be raised with every change that an
//! older binary would misunderstand; keep reading the one before for as long as that is easy.

use std::hint::black_box;

/// The formats, newest first. Text, and read anew each time, so that a test can make a binary of
/// another format out of a copy of this one by changing these bytes in the file.
static WORD: &[u8; 40] = b"brigade handover formats: 1             ";

/// The formats that this binary reads and writes, newest first.
pub(super) fn formats() -> Vec<u32> {
    parse(&black_box(WORD)[..])
}

fn parse(word: &[u8]) -> Vec<u32> {
    let text = String::from_utf8_lossy(word);
    let list = text.split_once(": ").map_or("", |(_, list)| list);
    list.split_ascii_whitespace()
        .filter_map(|number| number.parse().ok())
        .collect()
}

/// The newest format that both know.
pub(super) fn common(ours: &[u32], theirs: &[u32]) -> Option<u32> {
    ours.iter()
        .copied()
        .filter(|format| theirs.contains(format))
        .max()
}

/// Formats in words.
pub(super) fn list(formats: &[u32]) -> String {
    let words: Vec<String> = formats.iter().map(u32::to_string).collect();
    words.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::{common, formats, list, parse};

    #[test]
    fn this_binary_knows_at_least_one_format() {
        assert!(!formats().is_empty());
        assert_eq!(parse(b"brigade handover formats: 3 2 1   "), [3, 2, 1]);
    }

    #[test]
    fn two_binaries_speak_the_newest_that_both_know() {
        assert_eq!(common(&[3, 2], &[2, 1]), Some(2));
        assert_eq!(common(&[1], &[2]), None);
        assert_eq!(list(&[2, 1]), "2 and 1");
    }
}
