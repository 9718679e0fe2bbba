//! Doors for the crate `fuzz`: what reads words of strangers, without files around it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::layers::File;
use crate::problem::{Problems, Source};
use crate::resolve::resolve;
use crate::types::{AccessFormat, Config};
use crate::words::access_format as read_format;

/// What `brigade.toml` with this text says.
///
/// # Errors
/// All problems at once.
pub fn file(text: &str) -> Result<Config, Problems> {
    let name = "brigade.toml";
    let file = File {
        path: PathBuf::from(name),
        source: Arc::new(Source::new(name.to_owned(), text.to_owned())),
    };
    let mut problems = Vec::new();
    let givens = file.givens(&mut problems);
    let (config, _) = resolve(&givens, &mut problems);
    Problems::of(problems).map_or(Ok(config), Err)
}

/// What this format of an access log means, if anything.
#[must_use]
pub fn access_format(text: &str) -> Option<AccessFormat> {
    read_format(text).ok()
}
