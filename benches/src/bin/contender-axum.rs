//! axum as its guide shows it: `axum::serve` on tokio's multi-thread runtime. The one argument
//! is the number of the runtime's threads.

#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;

use axum::Router;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use brigade_benches::contender::{self, BODY, CONTENT_TYPE};
use http::header::{self, HeaderName};

fn main() -> ExitCode {
    let threads = std::env::args()
        .nth(1)
        .and_then(|word| word.parse().ok())
        .filter(|&n| n > 0);
    let Some(threads) = threads else {
        eprintln!("usage: contender-axum THREADS");
        return ExitCode::from(2);
    };
    match serve(threads) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("contender-axum: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(threads: usize) -> io::Result<()> {
    let listener = contender::listen()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?.tap_io(|stream| {
            // Fails only for a connection that is gone, which its next read will tell.
            stream.set_nodelay(true).ok();
        });
        axum::serve(listener, Router::new().route("/", get(hello))).await
    })
}

async fn hello() -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], BODY)
}
