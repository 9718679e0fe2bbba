//! An axum app, as it is, under Brigade: `cargo run -p brigade-examples --bin axum -- serve`.
//! Needs: axum, serde.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::process::ExitCode;

use axum::extract::{Path, Query};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use brigade::{Peer, with_peer};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Burger {
    name: String,
    patties: u32,
}

#[derive(Deserialize)]
struct Wish {
    #[serde(default = "one")]
    patties: u32,
}

fn one() -> u32 {
    1
}

async fn burger(Path(name): Path<String>, Query(wish): Query<Wish>) -> Json<Burger> {
    let patties = wish.patties;
    Json(Burger { name, patties })
}

/// Who asks, over what: an extension, by `with_peer`.
async fn whoami(Extension(peer): Extension<Peer>) -> String {
    match peer.client_ip() {
        Some(address) => format!("{address}\n"),
        None => "somebody on this machine\n".to_owned(),
    }
}

fn main() -> ExitCode {
    brigade::run(|context| async move {
        let worker = format!(
            "worker {} of generation {}\n",
            context.slot(),
            context.generation()
        );
        let router = Router::new()
            .route("/", get(|| async { worker }))
            .route("/burgers/{name}", get(burger))
            .route("/whoami", get(whoami))
            .route("/echo", post(|body: String| async { body }));
        Ok::<_, Infallible>(with_peer(router))
    })
}
