//! The part of a file that a request asks for (RFC 9110, section 14).

use std::ops::Range;

/// What a Range header comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Asked {
    /// Everything: there is no header, or one that may be ignored.
    Whole,
    /// These bytes: not empty, and within the file.
    Part(Range<u64>),
    /// Nothing that the file has.
    Nothing,
}

/// Reads a Range header for a file of `size` bytes. Several ranges at once are answered with the whole
/// file, as the standard allows: joining them costs more than most clients win. So is any range of an
/// empty file.
pub(crate) fn asked(header: Option<&[u8]>, size: u64) -> Asked {
    let Some(spec) = header.and_then(single) else {
        return Asked::Whole;
    };
    if size == 0 {
        return Asked::Whole;
    }
    let (first, end) = match spec {
        Spec::From(first, None) => (first, size),
        Spec::From(first, Some(last)) => (first, size.min(last.saturating_add(1))),
        Spec::Last(0) => return Asked::Nothing,
        Spec::Last(count) => (size.saturating_sub(count), size),
    };
    if first < end {
        Asked::Part(first..end)
    } else {
        Asked::Nothing
    }
}

enum Spec {
    From(u64, Option<u64>),
    Last(u64),
}

/// `bytes=FIRST-LAST`, `bytes=FIRST-`, `bytes=-COUNT`.
fn single(header: &[u8]) -> Option<Spec> {
    let (unit, spec) = str::from_utf8(header).ok()?.split_once('=')?;
    let (first, last) = spec.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    match (first, last) {
        ("", count) => Some(Spec::Last(number(count)?)),
        (first, "") => Some(Spec::From(number(first)?, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Spec::From(first, Some(last)))
        }
    }
}

/// Digits only; what does not fit is beyond every file.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::{Asked, asked};

    fn of_ten(header: &str) -> Asked {
        asked(Some(header.as_bytes()), 10)
    }

    #[test]
    fn one_range_is_a_part() {
        assert_eq!(asked(None, 10), Asked::Whole);
        for (header, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=2-5", 2..6),
            ("Bytes = 2-5 ", 2..6),
            ("bytes=2-", 2..10),
            ("bytes=2-99", 2..10),
            ("bytes=-3", 7..10),
            ("bytes=-99", 0..10),
            ("bytes=0-99999999999999999999999", 0..10),
        ] {
            assert_eq!(of_ten(header), Asked::Part(part), "{header}");
        }
    }

    #[test]
    fn what_lies_beyond_the_file_is_nothing() {
        for header in [
            "bytes=10-",
            "bytes=99-100",
            "bytes=-0",
            "bytes=99999999999999999999-",
        ] {
            assert_eq!(of_ten(header), Asked::Nothing, "{header}");
        }
    }

    #[test]
    fn what_is_no_single_range_is_ignored() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-2",
            "bytes=a-b",
            "bytes=1-2-3",
            "bytes=+1-2",
            "bytes=0-1,3-4",
            "bytes=1 -2",
            "lines=1-2",
            "bytes=0x1-2",
            "bytes=--1",
        ] {
            assert_eq!(of_ten(header), Asked::Whole, "{header}");
        }
        assert_eq!(asked(Some(b"bytes=0-0"), 0), Asked::Whole);
        assert_eq!(asked(Some(b"bytes=\xff-1"), 10), Asked::Whole);
    }
}
