//! What a request's path names.

use std::borrow::Cow;
use std::ffi::CString;

use percent_encoding::percent_decode_str;

/// Kept for files that are there to be found (RFC 8615), at the top only.
const WELL_KNOWN: &[u8] = b".well-known";

/// A path below the directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wanted {
    /// Relative, without empty segments and without a slash at its end; `.` for the directory.
    pub(crate) path: CString,
    /// Whether the request's path ends with a slash: it wants a directory.
    pub(crate) is_directory: bool,
    /// Whether its last segment looks like a file's name: it has a dot.
    pub(crate) has_extension: bool,
}

/// Reads the path of a request's target. None if there can be no such file: a segment begins with
/// a dot (`..` among them), or has a slash or a zero byte in it.
pub(crate) fn wanted(target: &str) -> Option<Wanted> {
    let mut path: Vec<u8> = Vec::with_capacity(target.len() + 1);
    let mut has_extension = false;
    for segment in target.split('/').filter(|segment| !segment.is_empty()) {
        let name: Cow<'_, [u8]> = percent_decode_str(segment).into();
        let is_hidden = name.starts_with(b".") && !(path.is_empty() && *name == *WELL_KNOWN);
        if is_hidden || name.contains(&b'/') || name.contains(&0) {
            return None;
        }
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(&name);
        has_extension = name.contains(&b'.');
    }
    if path.is_empty() {
        path.push(b'.');
    }
    Some(Wanted {
        path: CString::new(path).ok()?,
        is_directory: target.is_empty() || target.ends_with('/'),
        has_extension,
    })
}

/// Where a directory that was asked for without its slash is found: the last segment of the target
/// with one. It is relative, so that it holds under any prefix that was taken away on the way, and
/// can't name another host; the `./` keeps a colon in it from making a scheme.
pub(crate) fn with_slash(target: &str, query: Option<&str>) -> String {
    let last = target.rsplit('/').next().unwrap_or_default();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("./{last}/{query}")
}

#[cfg(test)]
mod tests {
    use super::{wanted, with_slash};

    fn path(target: &str) -> Option<String> {
        wanted(target).map(|wanted| wanted.path.into_string().unwrap())
    }

    #[test]
    fn a_path_is_decoded_segment_by_segment() {
        assert_eq!(path("/").as_deref(), Some("."));
        assert_eq!(path("/a/b.css").as_deref(), Some("a/b.css"));
        assert_eq!(path("//a///b").as_deref(), Some("a/b"));
        assert_eq!(path("/a%20b/%C3%A4").as_deref(), Some("a b/ä"));
        assert_eq!(path("/100%/%zz").as_deref(), Some("100%/%zz"));
        assert_eq!(path("/a.b/c").as_deref(), Some("a.b/c"));
    }

    #[test]
    fn what_is_hidden_or_leads_up_is_nobodys_path() {
        let refused = [
            "/..",
            "/../etc/passwd",
            "/a/../b",
            "/a/%2e%2e/b",
            "/%2E./b",
            "/.",
            "/./a",
            "/.git/config",
            "/a/.htpasswd",
            "/a/%2ehtpasswd",
            "/..%2fetc%2fpasswd",
            "/a%2fb",
            "/a%00.html",
            "/a/.well-known/b",
            "/.well-known/.hidden",
            "/.well-known-too",
        ];
        for target in refused {
            assert_eq!(path(target), None, "{target}");
        }
        assert_eq!(
            path("/.well-known/security.txt").as_deref(),
            Some(".well-known/security.txt")
        );
    }

    #[test]
    fn a_slash_at_the_end_and_a_dot_in_the_name_are_seen() {
        let facts = |target: &str| {
            let wanted = wanted(target).unwrap();
            (wanted.is_directory, wanted.has_extension)
        };
        assert_eq!(facts("/"), (true, false));
        assert_eq!(facts(""), (true, false));
        assert_eq!(facts("/a"), (false, false));
        assert_eq!(facts("/a/"), (true, false));
        assert_eq!(facts("/v1.2/users"), (false, false));
        assert_eq!(facts("/users/app.js"), (false, true));
    }

    #[test]
    fn a_redirect_stays_where_it_was_asked() {
        assert_eq!(with_slash("/docs", None), "./docs/");
        assert_eq!(with_slash("/a/docs", Some("x=1")), "./docs/?x=1");
        assert_eq!(with_slash("//evil.example", None), "./evil.example/");
        assert_eq!(with_slash("/javascript:x", None), "./javascript:x/");
    }
}
