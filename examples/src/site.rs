//! A site of files beside an API: `cargo run -p brigade-examples --bin site -- serve`, with
//! `SITE=directory` for another site than `examples/public`.
//! Needs: axum.

#![forbid(unsafe_code)]

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use axum::{Json, Router, routing::get};

fn main() -> ExitCode {
    brigade::run(|context| async move {
        let here = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/public"));
        let site = std::env::var_os("SITE").map_or_else(here, PathBuf::from);
        let slot = context.slot();
        let routes = Router::new()
            .route("/api/slot", get(async move || Json(slot)))
            // The same files again, below a prefix.
            .nest_service("/assets", brigade::files(&site)?.precompressed())
            .fallback_service(brigade::files(&site)?.spa("index.html")?);
        Ok::<_, io::Error>(routes)
    })
}
