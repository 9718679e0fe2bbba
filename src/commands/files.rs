//! `static`: workers that serve the files of a directory.

use std::path::PathBuf;
use std::process::ExitCode;

use brigade_files::{Files, files};
use brigade_shared::exit::supervisor as code;
use brigade_supervisor::{Arrival, Launch};
use clap::ArgMatches;
use http::HeaderValue;

use super::configuration;

/// Serves files until it is told to stop.
pub(crate) fn serve_files(matches: &ArgMatches, arrival: Arrival) -> ExitCode {
    let shown = Shown::read(matches);
    // A supervisor that comes back has workers that serve them already.
    if !arrival.is_return()
        && let Err(problem) = shown.open()
    {
        let code = arrival.fail(&problem, code::USAGE);
        eprintln!("error: {problem}");
        return ExitCode::from(code);
    }
    let factory = move |_context| {
        let opened = shown.open();
        async move { opened }
    };
    let service = Box::new(move |seat, config: &_| brigade_worker::run(seat, config, &factory));
    configuration::supervise(matches, Launch::Service(service), arrival)
}

/// What is shown to clients, and how.
struct Shown {
    directory: PathBuf,
    index: Option<String>,
    page: Option<String>,
    is_precompressed: bool,
    cache_control: Option<HeaderValue>,
}

impl Shown {
    fn read(matches: &ArgMatches) -> Self {
        Self {
            directory: matches.get_one("directory").cloned().unwrap_or_default(),
            index: matches.get_one("index").cloned(),
            page: matches.get_one("spa").cloned(),
            is_precompressed: matches.get_flag("precompressed"),
            cache_control: matches.get_one("cache-control").cloned(),
        }
    }

    /// Opens the directory; in each worker, so that a new one sees what bears its name by then.
    fn open(&self) -> Result<Files, String> {
        let directory = self.directory.display();
        // It says itself which directory.
        let mut files =
            files(&self.directory).map_err(|error| format!("cannot serve the files of {error}"))?;
        if let Some(index) = &self.index {
            files = files.index(index);
        }
        if let Some(page) = &self.page {
            files = files
                .spa(page)
                .map_err(|error| format!("cannot serve the files of {directory}: {error}"))?;
        }
        if self.is_precompressed {
            files = files.precompressed();
        }
        if let Some(value) = self.cache_control.clone() {
            files = files.cache_control(value);
        }
        Ok(files)
    }
}

/// What `--index` may be.
pub(crate) fn index(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && !text.starts_with('.') && !text.contains('/');
    is_name
        .then(|| text.to_owned())
        .ok_or_else(|| "the name of a file: without a slash, not beginning with a dot".to_owned())
}

/// What `--cache-control` may be.
pub(crate) fn cache_control(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|_| "the value of a header: visible characters".to_owned())
}
