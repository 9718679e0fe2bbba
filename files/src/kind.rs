//! What a file is, told from its name.

use std::ffi::CStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use http::header::HeaderValue;

/// The media type. Text is taken to be UTF-8: without a word about it, browsers guess.
pub(crate) fn kind(name: &CStr) -> HeaderValue {
    let name = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    let kind = mime_guess::from_path(name).first_raw();
    match kind.unwrap_or("application/octet-stream") {
        "text/html" => HeaderValue::from_static("text/html; charset=utf-8"),
        "text/css" => HeaderValue::from_static("text/css; charset=utf-8"),
        // The older name of the same (RFC 9239).
        "text/javascript" | "application/javascript" => {
            HeaderValue::from_static("text/javascript; charset=utf-8")
        }
        "text/plain" => HeaderValue::from_static("text/plain; charset=utf-8"),
        text if text.starts_with("text/") => {
            HeaderValue::try_from(format!("{text}; charset=utf-8"))
                .unwrap_or_else(|_| HeaderValue::from_static(text))
        }
        other => HeaderValue::from_static(other),
    }
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn the_name_tells_the_kind() {
        for (name, wanted) in [
            (c"a/index.html", "text/html; charset=utf-8"),
            (c"a.js", "text/javascript; charset=utf-8"),
            (c"a.mjs", "text/javascript; charset=utf-8"),
            (c"notes.md", "text/markdown; charset=utf-8"),
            (c"a.json", "application/json"),
            (c"a.svg", "image/svg+xml"),
            (c"a.wasm", "application/wasm"),
            (c"a.woff2", "font/woff2"),
            (c"A.PNG", "image/png"),
            (c"a.tar.gz", "application/gzip"),
            (c"v1.2/unknown", "application/octet-stream"),
            (c"odd.\xff", "application/octet-stream"),
        ] {
            assert_eq!(kind(name), wanted, "{name:?}");
        }
    }
}
