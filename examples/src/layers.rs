//! A service in layers: `cargo run -p brigade-examples --bin layers -- serve`.
//! Needs: brigade with the features `compression-gzip`, `-br` and `-zstd`, tower; bytes, http, http-body-util.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::convert::Infallible;
use std::future::pending;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use brigade::layers::{
    CatchPanicLayer, CompressionLayer, MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer,
    TimeoutLayer,
};
use brigade::{App, Context, RequestBody, service_fn};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower::ServiceBuilder;

/// How long an answer may be waited for.
const PATIENCE: Duration = Duration::from_millis(300);

/// What is left of all this within the layers: any service, and it need not be `Send`.
fn answer(path: &str, count: &Cell<u64>) -> Option<String> {
    count.set(count.get() + 1);
    match path {
        "/panic" => panic!("as it was asked"),
        "/never" => None,
        "/long" => Some("again and again\n".repeat(1000)),
        _ => Some(format!("answer {}\n", count.get())),
    }
}

async fn app(_context: Context) -> Result<impl App, Infallible> {
    let count = Rc::new(Cell::new(0));
    let service = service_fn(move |request: Request<RequestBody>| {
        let words = answer(request.uri().path(), &count);
        async {
            match words {
                Some(words) => Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(words))),
                None => pending().await,
            }
        }
    });
    // The first is the outermost: even the answer to a panic has an id.
    Ok(ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(CatchPanicLayer::custom(|_| {
            let mut sorry = Response::new(Full::<Bytes>::from("{\"error\":\"ours\"}\n"));
            *sorry.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            sorry
        }))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            PATIENCE,
        ))
        .layer(CompressionLayer::new())
        .service(service))
}

fn main() -> ExitCode {
    brigade::run(app)
}
