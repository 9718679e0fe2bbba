//! From a request's head to the answer. It can be done twice: without patience on the loop, and
//! again by a reader if something had to be waited for.

use std::ffi::CString;
use std::io;
use std::time::SystemTime;

use brigade_shared::sys::beneath::Patience;
use http::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, LAST_MODIFIED, LOCATION, RANGE, RETRY_AFTER, VARY,
};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use crate::body::{CHUNK, FileBody};
use crate::conditions::Verdict;
use crate::encoding::{Encoding, accepted};
use crate::kind::kind;
use crate::range::{Asked, asked};
use crate::readers::Readers;
use crate::shelf::{File, Found, Shelf};
use crate::wanted::{Wanted, wanted, with_slash};

/// A directory and how it is served.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) shelf: Shelf,
    pub(crate) manner: Manner,
}

/// How files are served.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    /// The file that stands for its directory.
    pub(crate) index: CString,
    /// The page of a single-page app, in place of what does not exist.
    pub(crate) page: Option<Wanted>,
    pub(crate) is_precompressed: bool,
    pub(crate) cache_control: Option<HeaderValue>,
}

/// Answers a request.
///
/// # Errors
/// Of the disk; `WouldBlock` without patience if it may have to be waited for.
pub(crate) fn answer(
    site: &Site,
    head: &Parts,
    readers: &Readers,
    patience: Patience,
) -> io::Result<Response<FileBody>> {
    if head.method != Method::GET && head.method != Method::HEAD {
        let mut refusal = words(StatusCode::METHOD_NOT_ALLOWED);
        let allowed = HeaderValue::from_static("GET, HEAD");
        refusal.headers_mut().insert(ALLOW, allowed);
        return Ok(refusal);
    }
    let target = head.uri.path();
    let Some(wanted) = wanted(target) else {
        return Ok(words(StatusCode::NOT_FOUND));
    };
    let manner = &site.manner;
    let find = |wanted| {
        let encodings = manner.is_precompressed.then(|| accepted(&head.headers));
        let encodings = encodings.into_iter().flatten();
        site.shelf.find(wanted, &manner.index, encodings, patience)
    };
    // Which files belong to an app's page changes with every version of the app.
    let fresh = || Some(HeaderValue::from_static("no-cache"));
    let (file, name, cache_control) = match find(&wanted)? {
        Found::File(file, name) => {
            let is_page = manner.page.as_ref().is_some_and(|page| page.path == name);
            let cache_control = if is_page {
                fresh()
            } else {
                manner.cache_control.clone()
            };
            (file, name, cache_control)
        }
        Found::Directory => return Ok(redirect(&with_slash(target, head.uri.query()))),
        Found::Nothing => match manner.page.as_ref().filter(|_| !wanted.has_extension) {
            Some(page) => match find(page)? {
                Found::File(file, name) => (file, name, fresh()),
                Found::Directory | Found::Nothing => return Ok(words(StatusCode::NOT_FOUND)),
            },
            None => return Ok(words(StatusCode::NOT_FOUND)),
        },
    };
    let mut headers = HeaderMap::with_capacity(10);
    headers.insert(ETAG, file.validators.etag.clone());
    if let Some(modified) = file.validators.modified
        && let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date(modified))
    {
        headers.insert(LAST_MODIFIED, date);
    }
    if let Some(cache_control) = cache_control {
        headers.insert(CACHE_CONTROL, cache_control);
    }
    if manner.is_precompressed {
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    match file.validators.judge(&head.headers) {
        Verdict::Send => {}
        Verdict::NotModified => return Ok(with(StatusCode::NOT_MODIFIED, headers, none())),
        Verdict::Failed => return Ok(words(StatusCode::PRECONDITION_FAILED)),
    }
    headers.insert(CONTENT_TYPE, kind(&name));
    if let Some(encoding) = file.encoding.map(Encoding::name) {
        headers.insert(CONTENT_ENCODING, encoding);
    }
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    send(file, head, headers, readers, patience)
}

/// Sends a file, or the part of it that is asked for.
fn send(
    file: File,
    head: &Parts,
    mut headers: HeaderMap,
    readers: &Readers,
    patience: Patience,
) -> io::Result<Response<FileBody>> {
    let size = file.size;
    let is_head = head.method == Method::HEAD;
    // A range has no meaning but for GET.
    let range = head.headers.get(RANGE).filter(|_| !is_head);
    let range = range.filter(|_| {
        let now = SystemTime::now();
        file.validators.is_range_of_this(&head.headers, now)
    });
    let (status, part) = match asked(range.map(HeaderValue::as_bytes), size) {
        Asked::Whole => (StatusCode::OK, 0..size),
        Asked::Part(part) => {
            let (first, last) = (part.start, part.end - 1);
            headers.insert(CONTENT_RANGE, text(format!("bytes {first}-{last}/{size}")));
            (StatusCode::PARTIAL_CONTENT, part)
        }
        Asked::Nothing => {
            let mut refusal = words(StatusCode::RANGE_NOT_SATISFIABLE);
            let size = text(format!("bytes */{size}"));
            refusal.headers_mut().insert(CONTENT_RANGE, size);
            return Ok(refusal);
        }
    };
    let length = part.end - part.start;
    headers.insert(CONTENT_LENGTH, length.into());
    if is_head || length == 0 {
        return Ok(with(status, headers, none()));
    }
    let count = usize::try_from(length).map_or(CHUNK, |length| length.min(CHUNK));
    let first = file.read(part.start, count, patience)?;
    if first.len() < count {
        return Err(match patience {
            Patience::None => io::ErrorKind::WouldBlock.into(),
            Patience::Any => io::ErrorKind::UnexpectedEof.into(),
        });
    }
    let at = part.start + count as u64;
    let body = FileBody::file(file, first, at, part.end, readers.clone());
    Ok(with(status, headers, body))
}

fn with(status: StatusCode, headers: HeaderMap, body: FileBody) -> Response<FileBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn none() -> FileBody {
    FileBody::bytes("")
}

fn text(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("digits and words are fit for a header")
}

/// An answer without a file.
pub(crate) fn words(status: StatusCode) -> Response<FileBody> {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut response = Response::new(FileBody::bytes(format!("{reason}\n")));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

/// An answer that asks the client to come again.
pub(crate) fn later() -> Response<FileBody> {
    let mut response = words(StatusCode::SERVICE_UNAVAILABLE);
    let soon = HeaderValue::from_static("1");
    response.headers_mut().insert(RETRY_AFTER, soon);
    response
}

fn redirect(location: &str) -> Response<FileBody> {
    let mut response = words(StatusCode::MOVED_PERMANENTLY);
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
