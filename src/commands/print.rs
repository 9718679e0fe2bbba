//! Commands that only print.

use std::io::{self, Write};
use std::process::ExitCode;

use brigade_shared::exit::supervisor as code;
use clap::ArgMatches;
use clap_complete::Shell;

use crate::cli;

/// Prints the JSON Schema of brigade.toml.
pub(crate) fn schema() -> ExitCode {
    print(&brigade_config::schema())
}

/// Prints a completion script.
pub(crate) fn completions(matches: &ArgMatches) -> ExitCode {
    let Some(shell) = matches.get_one::<Shell>("shell") else {
        return ExitCode::from(code::USAGE);
    };
    let mut command = cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(*shell, &mut command, name, &mut script);
    print(&String::from_utf8_lossy(&script))
}

/// Prints the manual page, in roff: of the whole command line, or of one command.
pub(crate) fn man(matches: &ArgMatches) -> ExitCode {
    // Without the commit: the pages are part of it.
    let version = env!("CARGO_PKG_VERSION");
    let mut command = cli::command().version(version).long_version(None);
    command.build();
    let page_of = match matches.get_one::<String>("command") {
        None => Some(&command),
        Some(name) => command.find_subcommand(name),
    };
    let Some(page_of) = page_of else {
        eprintln!(
            "error: there is no such command; `{} help` lists them",
            command.get_name()
        );
        return ExitCode::from(code::USAGE);
    };
    let mut page = Vec::new();
    let manual = clap_mangen::Man::new(page_of.clone())
        .source(format!("brigade {version}"))
        .manual("Brigade");
    match manual.render(&mut page) {
        Ok(()) => print(&String::from_utf8_lossy(&page)),
        Err(_) => ExitCode::from(code::SYSTEM),
    }
}

/// Writes a text to standard output; a reader that has seen enough (`| head`) is no failure.
pub(super) fn print(text: &str) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("brigade: cannot write to standard output: {error}");
            ExitCode::from(code::SYSTEM)
        }
    }
}
