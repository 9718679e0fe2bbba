//! Reading the configuration, for the first time and again.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use brigade_config::{Bind, Config, Loaded, Origin, load, needs_restart, unheeded_by_programs};
use brigade_shared::exit::supervisor as code;
use brigade_supervisor::{Arrival, Boot, Launch, LoadConfig, is_socket_activated, settle_memory};
use clap::ArgMatches;
use tracing::warn;

use super::certificates;
use crate::begin_log::{begin_log, is_coloured};
use crate::version::VERSION;

/// Reads flags, environment and file; on problems prints them all and gives the exit code.
pub(super) fn read(matches: &ArgMatches) -> Result<Loaded, ExitCode> {
    let directory = directory().map_err(|refused| refused.tell())?;
    read_in(matches, &directory).map_err(|refused| refused.tell())
}

/// Why there is no configuration.
struct Refused {
    /// In words, for people and in colour if they like that.
    shown: String,
    /// The same without colour.
    plain: String,
    code: u8,
}

impl Refused {
    /// What happened to the process rather than to its configuration.
    fn by_system(problem: String) -> Self {
        Self {
            shown: format!("brigade: {problem}\n"),
            plain: problem,
            code: code::SYSTEM,
        }
    }

    /// What is wrong with something that the configuration names.
    fn by_configuration(problems: &[String]) -> Self {
        let shown = problems
            .iter()
            .map(|problem| format!("brigade: {problem}\n"));
        Self {
            shown: shown.collect(),
            plain: problems.join("\n"),
            code: code::CONFIG,
        }
    }

    fn tell(self) -> ExitCode {
        eprint!("{}", self.shown);
        ExitCode::from(self.code)
    }
}

fn read_in(matches: &ArgMatches, directory: &Path) -> Result<Loaded, Refused> {
    let mut loaded = load(matches, std::env::vars_os(), directory).map_err(|problems| Refused {
        shown: problems.render(is_coloured()),
        plain: problems.render(false),
        code: problems.exit_code(),
    })?;
    match certificates::read(&mut loaded.config, directory) {
        Ok(warnings) => {
            loaded.warnings = warnings;
            Ok(loaded)
        }
        Err(problems) => Err(Refused::by_configuration(&problems)),
    }
}

/// Says what somebody should look at before it is a problem.
fn warn(warnings: &[String]) {
    for words in warnings {
        warn!(event = "tls.look", words, "{words}");
    }
}

/// Whether workers of this kind can do what is configured.
fn fits(config: &Config, speaks_tls: bool) -> Result<(), Refused> {
    if speaks_tls || !config.worker.tls.is_on() {
        return Ok(());
    }
    let problem = "the program of `brigade exec` gets the sockets as they are, and Brigade speaks no TLS for it: take `ssl-certfile` out, and let the program encrypt";
    Err(Refused::by_configuration(&[problem.to_owned()]))
}

/// What is configured and has no effect on a program, in a sentence.
fn unheeded(config: &Config) -> Option<String> {
    let keys = unheeded_by_programs(config);
    (!keys.is_empty()).then(|| {
        let keys = keys.join(", ");
        format!("without effect: {keys}. The program of `brigade exec` speaks with its clients itself, and Brigade sees no request: tell the program, or take them out")
    })
}

fn warn_of_unheeded(config: &Config, is_program: bool) {
    if let Some(words) = unheeded(config).filter(|_| is_program) {
        warn!(event = "config.unheeded", words, "{words}");
    }
}

/// Whether a program can do what is configured, and what of it has no effect.
pub(super) fn check_for_program(loaded: &Loaded) -> Result<Option<String>, ExitCode> {
    fits(&loaded.config, false).map_err(Refused::tell)?;
    Ok(unheeded(&loaded.config))
}

/// What is to be supervised.
struct Ground {
    config: Config,
    file: Option<PathBuf>,
    load_config: LoadConfig,
    is_activated: bool,
    warnings: Vec<String>,
}

/// Supervises workers of this kind until it is over.
pub(super) fn supervise(matches: &ArgMatches, launch: Launch, arrival: Arrival) -> ExitCode {
    let speaks_tls = matches!(launch, Launch::Service(_));
    let ground = ground(matches, &arrival, speaks_tls);
    let begun = ground.and_then(|ground| match begin_log(&ground.config.log) {
        Ok(()) => Ok(ground),
        Err(error) => Err(Refused::by_system(format!("the log can't begin: {error}"))),
    });
    let Ground {
        config,
        file,
        load_config,
        is_activated,
        warnings,
    } = match begun {
        Ok(ground) => ground,
        Err(refused) => {
            // Told here only if this process ends by it: a program that gives way has its words
            // told by the one that comes back.
            let code = arrival.fail(&refused.plain, refused.code);
            let _ = refused.tell();
            return ExitCode::from(code);
        }
    };
    warn(&warnings);
    warn_of_unheeded(&config, !speaks_tls);
    ExitCode::from(brigade_supervisor::run(Boot {
        config,
        config_file: file,
        load_config,
        launch,
        admin: Box::new(brigade_admin::run),
        version: VERSION,
        is_activated,
        arrival,
    }))
}

/// The configuration to begin or go on with, and how it is read again.
fn ground(matches: &ArgMatches, arrival: &Arrival, speaks_tls: bool) -> Result<Ground, Refused> {
    let directory = match directory() {
        Err(_) if arrival.is_return() => arrival.directory().to_owned(),
        found => found?,
    };
    let running = arrival.running();
    let is_activated = arrival
        .is_socket_activated()
        .unwrap_or_else(is_socket_activated);
    let mut warnings = Vec::new();
    let (config, file) = match &running {
        // What the files say by now was for another version to understand.
        Some(running) if arrival.is_return() => (running.clone(), None),
        _ => {
            let mut loaded = read_in(matches, &directory)?;
            let file = loaded.file.take();
            warnings = std::mem::take(&mut loaded.warnings);
            (settled(loaded, is_activated), file)
        }
    };
    fits(&config, speaks_tls)?;
    let first = running.unwrap_or_else(|| config.clone());
    follows(&first, &config, "an upgrade").map_err(|problem| Refused {
        shown: format!("brigade: {problem}\n"),
        plain: problem,
        code: code::CONFIG,
    })?;
    let matches = matches.clone();
    let load_config = Box::new(move || {
        let loaded = read_in(&matches, &directory).map_err(|refused| refused.plain)?;
        warn(&loaded.warnings);
        let config = settled(loaded, is_activated);
        fits(&config, speaks_tls).map_err(|refused| refused.plain)?;
        warn_of_unheeded(&config, !speaks_tls);
        follows(&first, &config, "a reload").map(|()| config)
    });
    Ok(Ground {
        config,
        file,
        load_config,
        is_activated,
        warnings,
    })
}

/// Whether a configuration can follow another in the same process.
fn follows(first: &Config, next: &Config, by: &str) -> Result<(), String> {
    match needs_restart(first, next).as_slice() {
        [] => Ok(()),
        keys => Err(format!(
            "{by} can't change {}: restart to change {}",
            keys.join(", "),
            if keys.len() == 1 { "it" } else { "them" }
        )),
    }
}

/// What a configuration means here: a part of the memory is an amount, and without a configured
/// address the sockets that systemd passed are the addresses.
fn settled(loaded: Loaded, is_activated: bool) -> Config {
    let takes_all = is_activated && has_default_address(&loaded);
    let mut config = loaded.config;
    settle_memory(&mut config.supervisor);
    if takes_all {
        config.supervisor.binds = vec![Bind::Systemd(String::new())];
    }
    config
}

/// Whether nobody has said where to listen.
fn has_default_address(loaded: &Loaded) -> bool {
    let about_address = |name| matches!(name, "host" | "port" | "uds" | "fd" | "bind");
    let mut rows = loaded
        .effective
        .iter()
        .filter(|row| about_address(row.name));
    rows.all(|row| row.origin == Origin::Default)
}

fn directory() -> Result<PathBuf, Refused> {
    std::env::current_dir().map_err(|error| {
        Refused::by_system(format!("the current directory can't be read: {error}"))
    })
}
