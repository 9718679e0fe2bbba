//! Brigade with the app of `works`: the whole command line of `brigade`. The files' directory is
//! in `WORKS_FILES`. JSON is answered by a function, as Brigade asks for no framework; with
//! `WORKS_ROUTER` by axum's router, as the rest is.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::process::ExitCode;

use axum::body::Body;
use brigade::{RequestBody, StartError, service_fn};
use brigade_benches::works::{self, Item, items};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full};
use tower_service::Service as _;

type Answer = Response<Full<Bytes>>;

fn main() -> ExitCode {
    brigade::run(|_context| async {
        let files = std::env::var("WORKS_FILES")
            .map_err(|_| StartError::permanent("WORKS_FILES names no directory"))?;
        let router = works::router(&files);
        let is_routed = std::env::var_os("WORKS_ROUTER").is_some();
        Ok::<_, StartError>(service_fn(move |request: Request<RequestBody>| {
            let is_plain = !is_routed && request.uri().path().starts_with("/json");
            let router = (!is_plain).then(|| router.clone());
            async move {
                let answer: Response<Either<Full<Bytes>, Body>> = match router {
                    Some(mut router) => router.call(request).await?.map(Either::Right),
                    None => json(request).await.map(Either::Left),
                };
                Ok::<_, Infallible>(answer)
            }
        }))
    })
}

async fn json(request: Request<RequestBody>) -> Answer {
    if request.method() == Method::POST {
        return take(request).await.unwrap_or_else(refuse);
    }
    let count = request.uri().path().strip_prefix("/json/");
    match count.and_then(|count| count.parse().ok()) {
        Some(count) => give(count),
        None => refuse(StatusCode::NOT_FOUND),
    }
}

fn give(count: u32) -> Answer {
    let Ok(text) = serde_json::to_vec(&items(count)) else {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut answer = Response::new(Full::from(text));
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    answer
}

async fn take(request: Request<RequestBody>) -> Result<Answer, StatusCode> {
    let body = request.into_body().collect().await;
    let body = body.map_err(|_| StatusCode::BAD_REQUEST)?.to_bytes();
    let items: Vec<Item> = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(Response::new(Full::from(items.len().to_string())))
}

fn refuse(status: StatusCode) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = status;
    answer
}
