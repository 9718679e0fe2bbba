//! What reads words of strangers: each [`Target`] takes any bytes and panics if something is not
//! as it must be.
//!
//! `cargo test -p brigade-fuzz` tries the kept corpus and some thousand mutations of it.
//! `fuzz/run TARGET SECONDS` looks for more with libFuzzer, which is led by coverage, and keeps
//! what it finds in `fuzz/corpus/TARGET/`.

#![forbid(unsafe_code)]

mod mutate;
mod targets;

pub use mutate::Mutator;
pub use targets::{TARGETS, Target};
