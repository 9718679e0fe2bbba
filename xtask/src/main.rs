//! The one entry for people and for CI: `cargo xtask help` lists what there is.

#![forbid(unsafe_code)]

mod checks;
mod run;
mod tests;

use std::process::ExitCode;

const HELP: &str = "cargo xtask COMMAND

  test [ARGS]       install what the tests need, then run them all (ARGS go to cargo test)
  needs             only install what the tests need
  check             format, clippy, dependency tree, docs: everything that compiles and runs nothing
  bench [ARGS]      measure beside the peers; --smoke for a short run
  ci                check, test, bench --smoke
  generated         write the generated files again: brigade.toml, its schema, manual pages, completions
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let result = match command.as_str() {
        "test" => tests::test(&rest),
        "needs" => tests::needs(),
        "check" => checks::all(),
        "bench" => tests::bench(&rest),
        "generated" => tests::write_generated(),
        "ci" => checks::all()
            .and_then(|()| tests::test(&[]))
            .and_then(|()| tests::bench(&["--smoke".to_owned()])),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        other => Err(format!("there is no command {other:?}\n\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}
