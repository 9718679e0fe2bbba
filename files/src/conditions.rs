//! Conditional requests (RFC 9110, section 13): whether the client has the file already.

use std::time::{Duration, SystemTime};

use http::header::{
    HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE,
};

/// The last second that a date in a header can name: the year has four digits.
const LAST_SECOND: u64 = 253_402_300_799;

/// What tells one state of a file from another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Validators {
    /// Strong: the time of the last change in nanoseconds, and the size.
    pub(crate) etag: HeaderValue,
    /// The second of the last change, if a header can say it.
    pub(crate) modified: Option<SystemTime>,
}

/// What a request's conditions come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// The file is sent.
    Send,
    /// 304: the client has it.
    NotModified,
    /// 412: it is not the file that the client means.
    Failed,
}

impl Validators {
    /// Of a file of `size` bytes, changed so long after (or before) the epoch.
    pub(crate) fn new(seconds: i64, nanoseconds: i64, size: u64) -> Self {
        let etag = format!("\"{seconds:x}.{nanoseconds:x}-{size:x}\"");
        let modified = u64::try_from(seconds)
            .ok()
            .filter(|seconds| *seconds <= LAST_SECOND);
        Self {
            etag: HeaderValue::try_from(etag).unwrap_or_else(|_| HeaderValue::from_static("\"\"")),
            modified: modified.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)),
        }
    }

    /// Judges the conditions in the standard's order: tags before dates.
    pub(crate) fn judge(&self, headers: &HeaderMap) -> Verdict {
        if headers.contains_key(IF_MATCH) {
            if !self.is_listed(headers, &IF_MATCH, Comparison::Strong) {
                return Verdict::Failed;
            }
        } else if let (Some(date), Some(modified)) =
            (date(headers, &IF_UNMODIFIED_SINCE), self.modified)
            && modified > date
        {
            return Verdict::Failed;
        }
        if headers.contains_key(IF_NONE_MATCH) {
            if self.is_listed(headers, &IF_NONE_MATCH, Comparison::Weak) {
                return Verdict::NotModified;
            }
        } else if let (Some(date), Some(modified)) =
            (date(headers, &IF_MODIFIED_SINCE), self.modified)
            && modified <= date
        {
            return Verdict::NotModified;
        }
        Verdict::Send
    }

    /// Whether a Range counts: without If-Range, or if the file is still the one that it names. A
    /// date names it only if the file was not changed in the second in which it was sent.
    pub(crate) fn is_range_of_this(&self, headers: &HeaderMap, now: SystemTime) -> bool {
        let Some(named) = headers.get(IF_RANGE) else {
            return true;
        };
        if named.as_bytes().contains(&b'"') {
            return named == self.etag;
        }
        let (Some(date), Some(modified)) = (date(headers, &IF_RANGE), self.modified) else {
            return false;
        };
        let is_old = now
            .duration_since(modified)
            .is_ok_and(|age| age >= Duration::from_secs(2));
        date == modified && is_old
    }

    fn is_listed(&self, headers: &HeaderMap, name: &HeaderName, comparison: Comparison) -> bool {
        let mut lines = headers.get_all(name).iter();
        lines.any(|line| {
            let line = line.as_bytes().trim_ascii();
            line == b"*" || Tags(line).any(|tag| tag.is(self.etag.as_bytes(), comparison))
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

struct Tag<'a> {
    is_weak: bool,
    /// With its quotes.
    quoted: &'a [u8],
}

impl Tag<'_> {
    fn is(&self, own: &[u8], comparison: Comparison) -> bool {
        self.quoted == own && (comparison == Comparison::Weak || !self.is_weak)
    }
}

/// The entity tags of a list. It ends where the list is malformed.
struct Tags<'a>(&'a [u8]);

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        let start = self.0.iter().position(|byte| !b" \t,".contains(byte))?;
        let rest = &self.0[start..];
        let is_weak = rest.starts_with(b"W/");
        let quoted = if is_weak { &rest[2..] } else { rest };
        let inside = quoted.strip_prefix(b"\"")?;
        let length = inside.iter().position(|byte| *byte == b'"')? + 2;
        self.0 = &quoted[length..];
        Some(Tag {
            is_weak,
            quoted: &quoted[..length],
        })
    }
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    let text = headers.get(name)?.to_str().ok()?;
    httpdate::parse_http_date(text).ok()
}

#[cfg(test)]
mod tests {
    use super::{Validators, Verdict};
    use http::header::{HeaderMap, HeaderName, HeaderValue};
    use std::time::{Duration, SystemTime};

    /// Sun, 06 Nov 1994 08:49:37 GMT.
    const CHANGED: i64 = 784_111_777;
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
    const TAG: &str = "\"2ebc98a1.5-a\"";

    fn file() -> Validators {
        Validators::new(CHANGED, 5, 10)
    }

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        headers
    }

    fn judge(all: &[(&'static str, &str)]) -> Verdict {
        file().judge(&headers(all))
    }

    #[test]
    fn a_client_that_has_the_file_is_not_sent_it_again() {
        assert_eq!(file().etag, TAG);
        let weak = format!("W/{TAG}");
        let list = format!("\"a,b\", {weak} , \"c\"");
        for value in [TAG, &weak, &list, "*", " * "] {
            assert_eq!(
                judge(&[("if-none-match", value)]),
                Verdict::NotModified,
                "{value}"
            );
        }
        let lines = [("if-none-match", "\"a\""), ("if-none-match", TAG)];
        assert_eq!(judge(&lines), Verdict::NotModified);
        for value in [DATE, AFTER, "Sunday, 06-Nov-94 08:49:37 GMT"] {
            assert_eq!(
                judge(&[("if-modified-since", value)]),
                Verdict::NotModified,
                "{value}"
            );
        }
        for value in [
            "\"a\"",
            "2ebc98a1.5-a",
            "",
            "\"2ebc98a1.5-a",
            "W/",
            "w/\"2ebc98a1.5-a\"",
        ] {
            assert_eq!(judge(&[("if-none-match", value)]), Verdict::Send, "{value}");
        }
        for value in [BEFORE, "yesterday", ""] {
            assert_eq!(
                judge(&[("if-modified-since", value)]),
                Verdict::Send,
                "{value}"
            );
        }
        let tag_first = [("if-none-match", "\"a\""), ("if-modified-since", AFTER)];
        assert_eq!(
            judge(&tag_first),
            Verdict::Send,
            "the date does not count beside a tag"
        );
    }

    #[test]
    fn a_client_that_means_another_file_is_told() {
        for value in ["\"a\"", "W/\"2ebc98a1.5-a\"", ""] {
            assert_eq!(judge(&[("if-match", value)]), Verdict::Failed, "{value}");
        }
        assert_eq!(judge(&[("if-match", "*")]), Verdict::Send);
        assert_eq!(judge(&[("if-match", TAG)]), Verdict::Send);
        assert_eq!(judge(&[("if-unmodified-since", BEFORE)]), Verdict::Failed);
        assert_eq!(judge(&[("if-unmodified-since", DATE)]), Verdict::Send);
        assert_eq!(
            judge(&[("if-match", TAG), ("if-unmodified-since", BEFORE)]),
            Verdict::Send
        );
        assert_eq!(
            judge(&[("if-match", TAG), ("if-none-match", TAG)]),
            Verdict::NotModified
        );
    }

    #[test]
    fn a_range_counts_only_if_it_is_of_this_file() {
        let changed = file().modified.unwrap();
        let later = changed + Duration::from_secs(60);
        let counts =
            |value: &str, now| file().is_range_of_this(&headers(&[("if-range", value)]), now);
        assert!(file().is_range_of_this(&HeaderMap::new(), later));
        assert!(counts(TAG, later));
        assert!(counts(DATE, later));
        for value in ["\"a\"", "W/\"2ebc98a1.5-a\"", BEFORE, AFTER, "", "x"] {
            assert!(!counts(value, later), "{value}");
        }
        assert!(
            !counts(DATE, changed + Duration::from_secs(1)),
            "it may have changed since"
        );
    }

    #[test]
    fn odd_times_are_not_told() {
        for seconds in [-1, i64::MIN, i64::MAX, 253_402_300_800] {
            assert_eq!(Validators::new(seconds, 0, 0).modified, None, "{seconds}");
        }
        assert_eq!(
            Validators::new(0, 0, 0).modified,
            Some(SystemTime::UNIX_EPOCH)
        );
    }
}
