//! The `brigade` command: Brigade with the demo app inside.

#![forbid(unsafe_code)]

mod demo;

use std::process::ExitCode;

fn main() -> ExitCode {
    brigade::run(demo::app)
}
