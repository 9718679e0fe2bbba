//! Bare hyper: HTTP/1.1 on one current_thread runtime, no timer, no deadlines, no router.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::io;
use std::process::ExitCode;

use brigade_benches::contender::{self, BODY, CONTENT_TYPE};
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

fn main() -> ExitCode {
    match serve() {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("contender-hyper: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> io::Result<Infallible> {
    let listener = contender::listen()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let connection =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(hello));
            // A connection's end is the load's to judge.
            tokio::spawn(async { connection.await.ok() });
        }
    })
}

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(BODY.as_bytes())));
    let media_type = HeaderValue::from_static(CONTENT_TYPE);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    Ok(response)
}
