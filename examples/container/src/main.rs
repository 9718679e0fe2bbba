//! A shop: an axum app with Brigade's whole command line (`shop serve`, `shop check` ...), which is
//! all that its container needs.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::process::ExitCode;

use axum::extract::Path;
use axum::{Json, Router, routing::get};

/// What there is, and what it costs.
const WARES: [(&str, u32); 3] = [("apples", 3), ("bread", 4), ("cheese", 9)];

async fn price(Path(ware): Path<String>) -> Result<Json<u32>, axum::http::StatusCode> {
    let found = WARES.iter().find(|(name, _)| *name == ware);
    let price = found.map(|(_, price)| Json(*price));
    price.ok_or(axum::http::StatusCode::NOT_FOUND)
}

fn main() -> ExitCode {
    brigade::run(|_context| async {
        let routes = Router::new()
            .route("/", get(|| async { "the shop is open\n" }))
            .route("/price/{ware}", get(price));
        Ok::<_, Infallible>(routes)
    })
}
