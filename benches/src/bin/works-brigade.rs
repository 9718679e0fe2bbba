//! Brigade with the app of `works`: the whole command line of `brigade`. The files' directory is
//! in `WORKS_FILES`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use brigade::StartError;
use brigade_benches::works;

fn main() -> ExitCode {
    brigade::run(|_context| async {
        let files = std::env::var("WORKS_FILES")
            .map_err(|_| StartError::permanent("WORKS_FILES names no directory"))?;
        Ok::<_, StartError>(works::router(&files))
    })
}
