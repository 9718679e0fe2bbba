//! What a complete head must not say, in either version of HTTP.

use brigade_shared::board::Counter;
use http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderValue};
use http::uri::Authority;
use http::{Method, Request, StatusCode, Uri, Version};

use super::fault::Fault;
use super::host::{are_same, is_host};
use super::lines::{is_disguised, number};
use crate::refusal::Refusal;

/// The answer to what is ambiguous or malformed.
const fn refusal(text: &'static str) -> Refusal {
    let mut refusal = Refusal::new(StatusCode::BAD_REQUEST, text);
    refusal.closes = true;
    refusal.counter = Some(Counter::Malformed);
    refusal
}

/// The answer to a body that is no chunked body; whatever the app has to say of it.
pub(crate) fn malformed(_: Fault) -> Refusal {
    refusal("Bad Request: malformed body\n")
}

/// Refuses a request that is ambiguous.
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), Refusal> {
    let (uri, headers) = (request.uri(), request.headers());
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(refusal("Bad Request: more than one host\n"));
    }
    if host.is_some_and(|host| !is_host(host.as_bytes())) {
        return Err(refusal("Bad Request: the host is no host\n"));
    }
    if request.version() == Version::HTTP_2 {
        check_fields(headers)?;
    }
    match uri.authority() {
        // The common case: a path, and who is meant.
        None if request.version() < Version::HTTP_11 || host.is_some() => {}
        None => return Err(refusal("Bad Request: no host\n")),
        Some(authority) => check_authority(request.method(), uri, authority, host)?,
    }
    check_form(request.method(), request.version(), uri)
}

/// The four forms of a target (RFC 9112, 3.2), each for its methods only.
fn check_form(method: &Method, version: Version, uri: &Uri) -> Result<(), Refusal> {
    let is_right = match (method, uri.scheme_str(), uri.path()) {
        (&Method::CONNECT, None, "") => uri.port_u16().is_some(),
        // In HTTP/2 with :protocol, which is not offered.
        (&Method::CONNECT, _, _) => false,
        (&Method::OPTIONS, _, "*") => uri.query().is_none(),
        (_, None | Some("http" | "https"), path) => path.starts_with('/'),
        (_, Some(_), _) => version == Version::HTTP_2,
    };
    match is_right {
        true => Ok(()),
        false => Err(refusal("Bad Request: no target for this method\n")),
    }
}

/// The target names a host: the same as the `host` field, if there is one.
fn check_authority(
    method: &Method,
    uri: &Uri,
    authority: &Authority,
    host: Option<&HeaderValue>,
) -> Result<(), Refusal> {
    let authority = authority.as_str().as_bytes();
    if !is_host(authority) {
        return Err(refusal("Bad Request: the target's host is no host\n"));
    }
    let default: &[u8] = match uri.scheme_str() {
        Some("https") => b"443",
        _ if method == Method::CONNECT => b"",
        _ => b"80",
    };
    match host {
        Some(host) if !are_same(host.as_bytes(), authority, default) => {
            Err(refusal("Bad Request: target and host differ\n"))
        }
        _ => Ok(()),
    }
}

/// What only HTTP/2 can bring so far: HTTP/1 was looked at line by line. What would be read
/// differently if somebody wrote it down as HTTP/1.
fn check_fields(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let length = lengths.next();
    if lengths.next().is_some() || length.is_some_and(|text| number(text.as_bytes()).is_none()) {
        return Err(refusal("Bad Request: no content-length\n"));
    }
    for (name, value) in headers {
        if is_disguised(name.as_str().as_bytes()) {
            return Err(refusal("Bad Request: an underscore for a hyphen\n"));
        }
        let value = value.as_bytes();
        if value != value.trim_ascii() {
            return Err(refusal("Bad Request: space around a field's value\n"));
        }
    }
    Ok(())
}
