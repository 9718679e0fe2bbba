//! Brigade with the contenders' hello: the whole command line of `brigade`, another app.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::process::ExitCode;
use std::task::{Context, Poll};

use brigade::RequestBody;
use brigade_benches::contender::{BODY, CONTENT_TYPE};
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Request, Response};
use http_body_util::Full;
use tower_service::Service;

fn main() -> ExitCode {
    brigade::run(|_context| async { Ok::<_, Infallible>(Hello) })
}

#[derive(Clone)]
struct Hello;

impl Service<Request<RequestBody>> for Hello {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<RequestBody>) -> Self::Future {
        let mut response = Response::new(Full::new(Bytes::from_static(BODY.as_bytes())));
        let media_type = HeaderValue::from_static(CONTENT_TYPE);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, media_type);
        ready(Ok(response))
    }
}
