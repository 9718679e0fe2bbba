//! `exec`: workers that become another program.

use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use brigade_shared::exit::supervisor as code;
use brigade_supervisor::{Launch, Program};
use clap::ArgMatches;

use super::configuration;

/// Runs the program until it is told to stop.
pub(crate) fn exec(matches: &ArgMatches) -> ExitCode {
    let words = matches
        .get_many::<OsString>("program")
        .into_iter()
        .flatten();
    match program(words.cloned().collect()) {
        Ok(program) => configuration::supervise(matches, Launch::Program(program)),
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::from(code::USAGE)
        }
    }
}

/// Looks the program up, so that a typing error is told at once and not by a crash loop.
fn program(words: Vec<OsString>) -> Result<Program, String> {
    let name = words.first().cloned().unwrap_or_default();
    let shown = name.to_string_lossy().into_owned();
    if shown.contains('/') {
        runnable(Path::new(&name)).map_err(|why| format!("cannot run {shown}: {why}"))?;
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders = std::env::split_paths(&path);
        if !folders.any(|folder: PathBuf| runnable(&folder.join(&name)).is_ok()) {
            return Err(format!(
                "cannot run {shown}: no folder of PATH has such a program"
            ));
        }
    }
    let to_c = |word: OsString| CString::new(word.into_vec());
    let arguments: Result<Vec<CString>, _> = words.into_iter().map(to_c).collect();
    let arguments = arguments.map_err(|_| "an argument has a NUL byte in it".to_owned())?;
    Ok(Program { arguments })
}

fn runnable(path: &Path) -> Result<(), String> {
    let found = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if found.is_file() && found.permissions().mode() & 0o111 != 0 {
        Ok(())
    } else {
        Err("it is not an executable file".to_owned())
    }
}
