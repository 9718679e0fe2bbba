//! An app that is one async function.

use std::future::Future;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::body::RequestBody;

/// Makes an app of an async function or closure from a request to a response, for services that
/// need no framework.
pub fn service_fn<F>(function: F) -> ServiceFn<F> {
    ServiceFn { function }
}

/// See [`service_fn`].
#[derive(Clone, Copy, Debug)]
pub struct ServiceFn<F> {
    function: F,
}

impl<F, A, B, E> Service<Request<RequestBody>> for ServiceFn<F>
where
    F: FnMut(Request<RequestBody>) -> A,
    A: Future<Output = Result<Response<B>, E>>,
{
    type Response = Response<B>;
    type Error = E;
    type Future = A;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> A {
        (self.function)(request)
    }
}
