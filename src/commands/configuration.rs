//! Reading the configuration, for the first time and again.

use std::path::PathBuf;
use std::process::ExitCode;

use brigade_config::{Bind, Config, Loaded, Origin, load, needs_restart};
use brigade_shared::exit::supervisor as code;
use brigade_supervisor::{Boot, Launch, is_socket_activated};
use clap::ArgMatches;

use crate::begin_log::{begin_log, is_coloured};

/// Reads flags, environment and file; on problems prints them all and gives the exit code.
pub(super) fn read(matches: &ArgMatches) -> Result<Loaded, ExitCode> {
    let directory = directory()?;
    load(matches, std::env::vars_os(), &directory).map_err(|problems| {
        eprint!("{}", problems.render(is_coloured()));
        ExitCode::from(problems.exit_code())
    })
}

/// Supervises workers of this kind until it is over.
pub(super) fn supervise(matches: &ArgMatches, launch: Launch) -> ExitCode {
    let (loaded, directory) = match (read(matches), directory()) {
        (Ok(loaded), Ok(directory)) => (loaded, directory),
        (Err(code), _) | (_, Err(code)) => return code,
    };
    let config_file = loaded.file.clone();
    let config = with_activation(loaded);
    if let Err(error) = begin_log(&config.log) {
        eprintln!("brigade: the log can't begin: {error}");
        return ExitCode::from(code::SYSTEM);
    }
    let (first, matches) = (config.clone(), matches.clone());
    let load_config = Box::new(move || {
        let loaded = load(&matches, std::env::vars_os(), &directory)
            .map_err(|problems| problems.render(false))?;
        let config = with_activation(loaded);
        match needs_restart(&first, &config).as_slice() {
            [] => Ok(config),
            keys => Err(format!(
                "a reload can't change {}: restart to change {}",
                keys.join(", "),
                if keys.len() == 1 { "it" } else { "them" }
            )),
        }
    });
    let version = env!("CARGO_PKG_VERSION");
    let boot = Boot {
        config,
        config_file,
        load_config,
        launch,
        version,
    };
    ExitCode::from(brigade_supervisor::run(boot))
}

/// Without a configured address, the sockets that systemd passed are the addresses.
fn with_activation(loaded: Loaded) -> Config {
    let takes_all = is_socket_activated() && has_default_address(&loaded);
    let mut config = loaded.config;
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

fn directory() -> Result<PathBuf, ExitCode> {
    std::env::current_dir().map_err(|error| {
        eprintln!("brigade: the current directory can't be read: {error}");
        ExitCode::from(code::SYSTEM)
    })
}
