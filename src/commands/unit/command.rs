//! The command itself: how a service is started that gets the same configuration.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use brigade_config::{Loaded, Origin};
use brigade_shared::exit::supervisor as code;
use clap::ArgMatches;

use super::super::configuration;
use super::super::print::print;
use super::facts::{Facts, access_log};
use super::words::word;
use super::{service, socket};

/// Prints the unit.
pub(crate) fn unit(matches: &ArgMatches) -> ExitCode {
    let loaded = match configuration::read(matches) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let text = if matches.get_flag("socket") {
        socket::text(&loaded.config.supervisor)
    } else {
        start(matches, &loaded).map(|start| service::text(&Facts::of(&loaded), &start))
    };
    match text {
        Ok(text) => print(&text),
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::from(code::CONFIG)
        }
    }
}

/// What the unit has to say so that the configuration will be this one.
#[derive(Debug)]
pub(super) struct Start {
    /// For `ExecStart=`.
    pub(super) command: String,
    /// For `Environment=`, each a line.
    pub(super) environment: Vec<String>,
    /// For `WorkingDirectory=`, if some path is relative.
    pub(super) directory: Option<String>,
    /// The directory whose files are served.
    pub(super) reads: Option<PathBuf>,
    /// What to call the service.
    pub(super) name: String,
    /// Whether a program runs, and not the service of this binary.
    pub(super) is_exec: bool,
}

fn start(matches: &ArgMatches, loaded: &Loaded) -> Result<Start, String> {
    let unknown =
        |what: &'static str| move |error: std::io::Error| format!("{what} can't be told: {error}");
    let directory = std::env::current_dir().map_err(unknown("the working directory"))?;
    let binary = std::env::current_exe().map_err(unknown("the path of this program"))?;
    let program: Vec<OsString> = matches
        .get_many("program")
        .map(|words| words.cloned().collect())
        .unwrap_or_default();
    let is_exec = !program.is_empty();
    let files: Option<&PathBuf> = matches.get_one("static");
    let command = match files {
        Some(_) => "static",
        None if is_exec => "exec",
        None => "serve",
    };
    let mut words = vec![binary.clone().into_os_string(), command.into()];
    words.extend(files.map(|files| files.clone().into_os_string()));
    if let Some(file) = &loaded.file {
        words.extend(["--config".into(), directory.join(file).into_os_string()]);
    }
    words.extend(options(std::env::args_os()));
    if is_exec {
        words.push("--".into());
        words.extend(program.iter().cloned());
    }
    let words: Vec<String> = words
        .iter()
        .map(|text| word(&text.to_string_lossy(), true))
        .collect();
    // After its file, or what it runs.
    let name = loaded.file.as_deref().and_then(Path::file_stem);
    let name = name.or_else(|| Path::new(program.first()?).file_name());
    let name = name.or_else(|| files?.file_name());
    let name = name.or_else(|| binary.file_name()).unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    Ok(Start {
        name,
        command: words.join(" "),
        environment: environment(loaded),
        directory: (has_relative_path(loaded) || files.is_some_and(|files| files.is_relative()))
            .then(|| word(&directory.to_string_lossy(), false)),
        reads: files.map(|files| directory.join(files)),
        is_exec,
    })
}

/// The flags that were given, but for those about the file and the unit.
fn options(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut found = Vec::new();
    // The program's name and the command's.
    let mut arguments = arguments.skip(2);
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy().into_owned();
        match text.as_str() {
            "--" => break,
            "--socket" => {}
            "--config" | "-c" | "--static" => drop(arguments.next()),
            text if text.starts_with("--config=") || text.starts_with("--static=") => {}
            text if text.starts_with("-c") && !text.starts_with("--") => {}
            _ => found.push(argument),
        }
    }
    found
}

/// The variables that have decided something.
fn environment(loaded: &Loaded) -> Vec<String> {
    let mut lines = Vec::new();
    for row in &loaded.effective {
        let Origin::Environment(name) = &row.origin else {
            continue;
        };
        let value = std::env::var(name).unwrap_or_default();
        let line = word(&format!("{name}={value}"), false);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

fn has_relative_path(loaded: &Loaded) -> bool {
    let supervisor = &loaded.config.supervisor;
    let binds = supervisor.all_binds().chain(&supervisor.admin);
    let unix = binds.filter_map(|bind| match bind {
        brigade_config::Bind::Unix(path) => Some(path),
        _ => None,
    });
    let files = unix.chain(&supervisor.pid_file);
    let files = files.chain(access_log(&loaded.config.worker));
    let mut paths = files.map(PathBuf::as_path);
    paths.any(Path::is_relative)
}

#[cfg(test)]
mod tests {
    use super::options;

    #[test]
    fn flags_are_repeated_without_those_of_the_unit() {
        let given = [
            "brigade",
            "unit",
            "--socket",
            "--port",
            "80",
            "-c",
            "a.toml",
            "--config=b",
            "-cd",
            "--static",
            "/srv",
            "--static=/srv",
            "--cpu-affinity",
            "--",
            "--port",
        ];
        let found = options(given.iter().map(std::ffi::OsString::from));
        assert_eq!(found, ["--port", "80", "--cpu-affinity"]);
    }
}
