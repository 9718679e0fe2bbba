//! `check`: is the configuration valid, and what does it say?

use std::process::ExitCode;

use clap::ArgMatches;

use super::configuration;
use super::print::print;

/// Prints every effective value with its origin.
pub(crate) fn check(matches: &ArgMatches) -> ExitCode {
    match configuration::read(matches) {
        Ok(loaded) => print(&loaded.table()),
        Err(code) => code,
    }
}
