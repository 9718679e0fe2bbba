//! An axum app, as it is, under Brigade: `cargo run --example axum -- serve --workers 2`.

use std::convert::Infallible;
use std::process::ExitCode;

use axum::extract::{Path, Query};
use axum::routing::{get, post};
use axum::{Json, Router};
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
            .route("/echo", post(|body: String| async { body }));
        Ok::<_, Infallible>(router)
    })
}
