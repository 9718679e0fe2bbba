//! Headers of answers, and the path under which a proxy shows a service.

use super::fault::{Fault, quoted};

const FORM: &str = "write `NAME: VALUE`, for example `x-frame-options: DENY`";
/// What says where a message ends, and what belongs to the connection: hyper's business.
const NOT_OURS: [&str; 7] = [
    "connection",
    "content-length",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// `NAME: VALUE`; the name in lower case.
pub(crate) fn header(text: &str) -> Result<(String, String), Fault> {
    let fault = |what: &str| Fault::new(format!("{} {what}", quoted(text)), FORM);
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| fault("is not a header"))?;
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(fault("has no valid name"));
    }
    if NOT_OURS.contains(&name.as_str()) {
        let what = format!("`{name}` says how an answer is sent, and is Brigade's own");
        return Err(Fault::new(what, "leave it out"));
    }
    if !value
        .bytes()
        .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
    {
        return Err(fault("has a value that is not plain ASCII"));
    }
    Ok((name, value.to_owned()))
}

/// A character of a header's name (RFC 9110, 5.6.2).
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A path like `/api`, without the slash at its end; `/` and nothing: none.
pub(crate) fn root_path(text: &str) -> Result<String, Fault> {
    let path = text.trim().trim_end_matches('/');
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>?#\\^`{|}".contains(&byte);
    let fault =
        |what: &str, cure: String| Err(Fault::new(format!("{} {what}", quoted(text)), cure));
    if path.is_empty() {
        return Ok(String::new());
    }
    if !path.starts_with('/') {
        return fault("does not begin with a slash", format!("write `/{path}`"));
    }
    if path.starts_with("//") || !path.bytes().all(is_plain) {
        let cure = "write a path as it stands in a URL, like `/api`".to_owned();
        return fault("is not the path of a URL", cure);
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{header, root_path};

    #[test]
    fn a_header_has_a_name_and_a_value() {
        let of = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(
            header("X-Frame-Options: DENY"),
            of("x-frame-options", "DENY")
        );
        assert_eq!(header("a:b:c"), of("a", "b:c"));
        assert_eq!(header("empty:"), of("empty", ""));
        for wrong in [
            "",
            "a",
            ": b",
            "a b: c",
            "a: b\r\nc: d",
            "é: a",
            "a: é",
            "Connection: close",
        ] {
            assert!(header(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_root_path_begins_with_a_slash_and_ends_with_none() {
        assert_eq!(root_path("/api/v1/"), Ok("/api/v1".to_owned()));
        assert_eq!(root_path("/"), Ok(String::new()));
        assert_eq!(root_path(""), Ok(String::new()));
        assert!(root_path("api").unwrap_err().cure.contains("`/api`"));
        for wrong in ["//evil", "/a b", "/a?b", "/ä"] {
            assert!(root_path(wrong).is_err(), "{wrong:?}");
        }
    }
}
