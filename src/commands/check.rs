//! `check`: is the configuration valid, and what does it say?

use std::process::ExitCode;

use brigade_supervisor::surroundings;
use clap::ArgMatches;

use super::configuration;
use super::print::print;

/// Prints every effective value with its origin, and what this machine makes of them.
pub(crate) fn check(matches: &ArgMatches) -> ExitCode {
    match configuration::read(matches) {
        Ok(loaded) => {
            for words in &loaded.warnings {
                eprintln!("brigade: {words}");
            }
            if matches.contains_id("program") {
                match configuration::check_for_program(&loaded) {
                    Ok(words) => words.iter().for_each(|words| eprintln!("brigade: {words}")),
                    Err(code) => return code,
                }
            }
            let here = surroundings(&loaded.config.supervisor).join("\n  ");
            print(&format!("{}\nhere:\n  {here}\n", loaded.table()))
        }
        Err(code) => code,
    }
}
