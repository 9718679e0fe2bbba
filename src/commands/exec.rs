//! `exec`: workers that become another program.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use brigade_shared::exit::supervisor as code;
use brigade_supervisor::{Arrival, Launch, Program};
use clap::ArgMatches;

use super::configuration;

/// Runs the program until it is told to stop.
pub(crate) fn exec(matches: &ArgMatches, arrival: Arrival) -> ExitCode {
    let words = matches
        .get_many::<OsString>("program")
        .into_iter()
        .flatten();
    match program(words.cloned().collect(), arrival.is_return()) {
        Ok(program) => configuration::supervise(matches, Launch::Program(program), arrival),
        Err(problem) => {
            let code = arrival.fail(&problem, code::USAGE);
            eprintln!("error: {problem}");
            ExitCode::from(code)
        }
    }
}

/// The program. A supervisor that comes back takes it as it is (`known`): its workers run it.
fn program(words: Vec<OsString>, known: bool) -> Result<Program, String> {
    if !known {
        find(words.first().map_or(OsStr::new(""), OsString::as_os_str))?;
    }
    let to_c = |word: OsString| CString::new(word.into_vec());
    let arguments: Result<Vec<CString>, _> = words.into_iter().map(to_c).collect();
    let arguments = arguments.map_err(|_| "an argument has a NUL byte in it".to_owned())?;
    Ok(Program { arguments })
}

/// Looks the program up, so that a typing error is told at once and not by a crash loop.
fn find(name: &OsStr) -> Result<(), String> {
    let shown = name.to_string_lossy();
    if shown.contains('/') {
        return runnable(Path::new(name)).map_err(|why| format!("cannot run {shown}: {why}"));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path);
    if folders.any(|folder: PathBuf| runnable(&folder.join(name)).is_ok()) {
        Ok(())
    } else {
        Err(format!(
            "cannot run {shown}: no folder of PATH has such a program"
        ))
    }
}

fn runnable(path: &Path) -> Result<(), String> {
    let found = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if found.is_file() && found.permissions().mode() & 0o111 != 0 {
        Ok(())
    } else {
        Err("it is not an executable file".to_owned())
    }
}
