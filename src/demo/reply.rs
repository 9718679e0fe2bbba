//! Responses.

use brigade::{BoxError, Peer, RequestBody};
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};

use super::route::Refusal;

/// A response of the demo app.
pub(super) type Reply = Response<UnsyncBoxBody<Bytes, BoxError>>;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Words.
pub(super) fn text(status: StatusCode, words: impl Into<Bytes>) -> Reply {
    let body = Full::new(words.into()).map_err(Into::into).boxed_unsync();
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, TEXT);
    reply
}

/// Words that tell why not.
pub(super) fn refuse(refusal: Refusal) -> Reply {
    let mut reply = text(refusal.status, refusal.words);
    if let Some(methods) = refusal.allow {
        let methods = HeaderValue::from_static(methods);
        reply.headers_mut().insert(ALLOW, methods);
    }
    reply
}

/// A body that comes bit by bit.
pub(super) fn streamed<B>(body: B) -> Reply
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let mut reply = Response::new(body.map_err(Into::into).boxed_unsync());
    reply.headers_mut().insert(CONTENT_TYPE, TEXT);
    reply
}

/// Events, as browsers take them.
pub(super) fn events<B>(body: B) -> Reply
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let mut reply = streamed(body);
    let kind = HeaderValue::from_static("text/event-stream");
    reply.headers_mut().insert(CONTENT_TYPE, kind);
    reply
}

/// Who asks, and how.
pub(super) fn peer(peer: &Peer) -> String {
    let client = peer.client_ip().map(|address| address.to_string());
    let (version, subject) = match peer.tls() {
        Some(tls) => (tls.version(), tls.client_subject()),
        None => ("none", None),
    };
    format!(
        "client {}\nscheme {}\nhost {}\nroot path {}\ntls {version}\nsubject {}\n",
        client.as_deref().unwrap_or("unknown"),
        peer.scheme(),
        peer.host().unwrap_or("unknown"),
        peer.root_path(),
        subject.as_deref().unwrap_or("none"),
    )
}

/// The request's own body, as it comes.
pub(super) fn echo(request: Request<RequestBody>) -> Reply {
    let (head, body) = request.into_parts();
    let mut reply = Response::new(body.map_err(Into::into).boxed_unsync());
    if let Some(kind) = head.headers.get(CONTENT_TYPE) {
        reply.headers_mut().insert(CONTENT_TYPE, kind.clone());
    }
    reply
}

/// The request's headers, a line each.
pub(super) fn headers<B>(request: &Request<B>) -> Reply {
    let mut lines = String::new();
    for (name, value) in request.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        lines.push_str(&format!("{name}: {value}\n"));
    }
    text(StatusCode::OK, lines)
}

#[cfg(test)]
mod tests {
    use super::{headers, refuse};
    use crate::demo::route::Route;
    use http::{Method, Request};

    #[test]
    fn headers_are_shown_as_they_came() {
        let request = Request::builder()
            .header("host", "here")
            .header("x-many", "1")
            .header("x-many", "2")
            .body(())
            .unwrap();
        let reply = headers(&request);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let body = http_body_util::BodyExt::collect(reply.into_body());
        let text = runtime.block_on(body).unwrap().to_bytes();
        assert_eq!(text, "host: here\nx-many: 1\nx-many: 2\n");
    }

    #[test]
    fn a_wrong_method_is_told_in_the_header_too() {
        let refusal = Route::of(&Method::PUT, "/fib", None).unwrap_err();
        let reply = refuse(refusal);
        assert_eq!(reply.status(), 405);
        assert_eq!(reply.headers()["allow"], "GET, HEAD");
    }
}
