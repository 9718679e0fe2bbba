//! Four mistakes of async programs, each beside what to write instead:
//!
//! ```text
//! /blocking/wrong   a client that blocks               /blocking/right   offload::blocking
//! /cpu/wrong        a calculation on the event loop    /cpu/right        offload::cpu
//! /iteration/wrong  a long iteration                   /iteration/right  offload::cooperative
//! /sequence/wrong   awaiting one after the other       /sequence/right   concurrently
//! /                 a neighbour, who only wants a word and waits for all of them
//! ```
//!
//! `cargo run --release -p mistakes -- serve --workers 1 --stall-warn 100ms`, then ask for a path
//! while somebody else asks for `/`. docs/offload.md has the numbers; `tests/told.rs` measures them.

#![forbid(unsafe_code)]

mod blocking;
mod cpu;
mod iteration;
mod sequence;

use std::convert::Infallible;
use std::process::ExitCode;

use axum::{Router, routing::get};

fn main() -> ExitCode {
    brigade::run(|_context| async {
        let routes = Router::new()
            .route("/", get(|| async { "hello\n" }))
            .route("/blocking/wrong", get(blocking::wrong))
            .route("/blocking/right", get(blocking::right))
            .route("/cpu/wrong", get(cpu::wrong))
            .route("/cpu/right", get(cpu::right))
            .route("/iteration/wrong", get(iteration::wrong))
            .route("/iteration/right", get(iteration::right))
            .route("/sequence/wrong", get(sequence::wrong))
            .route("/sequence/right", get(sequence::right));
        Ok::<_, Infallible>(routes)
    })
}
