//! For apps that look into a request's extensions for who sent it.

use std::task::{Context, Poll};

use http::Request;
use tower_service::Service;

use crate::body::RequestBody;

/// A service whose requests carry their [`Peer`](crate::Peer) as an extension.
#[derive(Clone, Copy, Debug)]
pub struct WithPeer<S>(S);

/// Lets every request to `app` carry its [`Peer`](crate::Peer) as an extension: what frameworks
/// hand out by its type, as axum does with `Extension<Peer>`. It costs three small allocations a
/// request; an app that has the [`RequestBody`] in its hands asks that.
///
/// ```
/// use axum::{Extension, Router, routing::get};
/// use brigade_worker::{App, Peer, with_peer};
///
/// async fn whoami(Extension(peer): Extension<Peer>) -> String {
///     format!("{:?}", peer.client_ip())
/// }
///
/// fn app() -> impl App {
///     with_peer(Router::new().route("/", get(whoami)))
/// }
/// ```
pub fn with_peer<S: Service<Request<RequestBody>>>(app: S) -> WithPeer<S> {
    WithPeer(app)
}

impl<S: Service<Request<RequestBody>>> Service<Request<RequestBody>> for WithPeer<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(task)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> S::Future {
        let peer = request.body().peer().clone();
        request.extensions_mut().insert(peer);
        self.0.call(request)
    }
}
