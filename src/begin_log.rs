//! Which form the log takes, by what standard error is.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use brigade_config::{LogConfig, LogFormat};
use brigade_shared::log::{self, Form};
use brigade_supervisor::level;
use nix::sys::stat::fstat;

/// Begins this process's log.
pub(crate) fn begin_log(config: &LogConfig) -> io::Result<()> {
    log::begin(level(config.level), form(config.format))
}

fn form(format: LogFormat) -> Form {
    match format {
        LogFormat::Json => Form::Json,
        LogFormat::Journal => Form::Journal,
        LogFormat::Auto if is_journal() => Form::Journal,
        LogFormat::Auto | LogFormat::Human => Form::Human {
            colour: is_coloured(),
        },
    }
}

/// Whether to use colour on standard error (no-color.org).
pub(crate) fn is_coloured() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether standard error is the stream that systemd connected to its journal (systemd.exec(5),
/// `JOURNAL_STREAM`): the variable alone is inherited by everything that a service starts.
fn is_journal() -> bool {
    let Ok(announced) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    fstat(io::stderr().as_fd())
        .is_ok_and(|found| announced == format!("{}:{}", found.st_dev, found.st_ino))
}
