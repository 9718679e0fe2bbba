//! Lists in headers, read from their end, byte by byte: whatever a client has put in front must
//! not spoil what a proxy has appended.

use http::HeaderValue;

use super::pairs::{Element, element};

/// An element with more commas than this in quotes is none: the search for its beginning is
/// bounded.
const MOST_COMMAS: usize = 8;

/// The entries of all lines as one list, the last one first, without the white space around them;
/// `None` for what is not UTF-8.
pub(super) fn backwards<'a>(
    lines: &'a [&'a HeaderValue],
) -> impl Iterator<Item = Option<&'a str>> + use<'a> {
    let entries = |line: &'a &'a HeaderValue| line.as_bytes().rsplit(|byte| *byte == b',');
    lines.iter().rev().flat_map(entries).map(text)
}

/// The last element of a line of `Forwarded`, and what stands before it, if anything does. The
/// shortest end that is an element: one that a client has left open (`for="`) does not swallow
/// those behind it.
pub(super) fn last_element(line: &[u8]) -> Option<(Element<'_>, Option<&[u8]>)> {
    let commas = (0..line.len()).rev().filter(|at| line[*at] == b',');
    for comma in commas.take(MOST_COMMAS) {
        if let Some(element) = text(&line[comma + 1..]).and_then(element) {
            return Some((element, Some(&line[..comma])));
        }
    }
    Some((text(line).and_then(element)?, None))
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().map(trim)
}

/// Without the white space that HTTP knows.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::{backwards, last_element};
    use http::HeaderValue;

    #[test]
    fn lines_are_one_list_that_is_read_from_its_end() {
        let first = HeaderValue::from_static("a, b");
        let second = HeaderValue::from_static("\tc ,,d");
        let lines = [&first, &second];
        let all: Vec<_> = backwards(&lines).collect();
        assert_eq!(all, [Some("d"), Some(""), Some("c"), Some("b"), Some("a")]);
        let strange = HeaderValue::from_bytes(b"x, \xff, y").unwrap();
        let lines = [&strange];
        let all: Vec<_> = backwards(&lines).collect();
        assert_eq!(all, [Some("y"), None, Some("x")]);
    }

    #[test]
    fn the_last_element_may_have_commas_in_quotes_and_is_not_swallowed() {
        let of = |line: &'static str| {
            let (element, rest) = last_element(line.as_bytes())?;
            let rest = rest.map(|rest| std::str::from_utf8(rest).unwrap());
            Some((element.of.unwrap().into_owned(), rest))
        };
        let found = |of: &str, rest| Some((of.to_owned(), rest));
        assert_eq!(of("for=a, for=b"), found("b", Some("for=a")));
        assert_eq!(of("for=a"), found("a", None));
        assert_eq!(of(r#"for=a,for="b,\",c""#), found("b,\",c", Some("for=a")));
        assert_eq!(of("for=\", for=b"), found("b", Some("for=\"")));
        assert_eq!(of("for=\"\\, for=b"), found("b", Some("for=\"\\")));
        assert_eq!(of("for=b, nonsense"), None);
        let long = format!("for=\"{}", ",".repeat(60_000));
        assert_eq!(last_element(long.as_bytes()), None);
    }
}
