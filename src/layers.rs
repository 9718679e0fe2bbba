//! Layers that most services want, from [`tower_http`](https://docs.rs/tower-http): compression, a
//! limit of time, ids of requests, an answer of your own for panics. With the feature `layers`;
//! compression needs one of `compression-gzip`, `compression-br` and `compression-zstd`, too.
//!
//! They compose with any app, also one that is not `Send`, as everything that lives in one worker
//! may be: only bodies have to be `Send`, which those of all frameworks are. The first layer is the
//! outermost: it sees requests first and answers last.
//!
//! ```
//! use std::cell::Cell;
//! use std::convert::Infallible;
//! use std::rc::Rc;
//! use std::time::Duration;
//!
//! use brigade::layers::{
//!     CatchPanicLayer, MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer, TimeoutLayer,
//! };
//! use brigade::{App, RequestBody, service_fn};
//! use bytes::Bytes;
//! use http::{Request, Response, StatusCode};
//! use http_body_util::Full;
//! use tower::ServiceBuilder;
//!
//! async fn app(_context: brigade::Context) -> Result<impl App, Infallible> {
//!     let answered = Rc::new(Cell::new(0)); // not `Send`
//!     let app = service_fn(move |_request: Request<RequestBody>| {
//!         answered.set(answered.get() + 1);
//!         let words = format!("answer {}\n", answered.get());
//!         async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(words))) }
//!     });
//!     Ok(ServiceBuilder::new()
//!         .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
//!         .layer(PropagateRequestIdLayer::x_request_id())
//!         .layer(CatchPanicLayer::new())
//!         .layer(TimeoutLayer::with_status_code(
//!             StatusCode::GATEWAY_TIMEOUT,
//!             Duration::from_secs(10),
//!         ))
//!         .service(app))
//! }
//! ```
//!
//! What they cost, and which of them Brigade's own keys make needless, stands in docs/layers.md.

pub use tower_http::catch_panic::{CatchPanicLayer, ResponseForPanic};
#[cfg(any(
    feature = "compression-gzip",
    feature = "compression-br",
    feature = "compression-zstd"
))]
pub use tower_http::compression::{
    CompressionLayer, CompressionLevel,
    predicate::{DefaultPredicate, NotForContentType, Predicate, SizeAbove},
};
pub use tower_http::request_id::{
    MakeRequestId, MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
pub use tower_http::timeout::{RequestBodyDeadlineLayer, ResponseBodyDeadlineLayer, TimeoutLayer};
