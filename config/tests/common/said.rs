//! Loading from words: flags, variables and a file's text, with no process or real environment.

// Each test program uses some of it.
#![allow(dead_code)]

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use brigade_config::{Bind, Loaded, Problems, arguments, load};
use clap::{ArgMatches, Command};

/// What a case says, layer by layer.
#[derive(Clone, Copy, Default)]
pub(crate) struct Said<'a> {
    pub(crate) flags: &'a [&'a str],
    pub(crate) environment: &'a [(&'a str, &'a str)],
    pub(crate) file: Option<&'a str>,
}

/// What all three layers say.
pub(crate) fn said<'a>(
    flags: &'a [&'a str],
    environment: &'a [(&'a str, &'a str)],
    file: &'a str,
) -> Said<'a> {
    Said {
        flags,
        environment,
        file: Some(file),
    }
}

/// A value and who said so, as [`effective`] gives them.
pub(crate) fn row(value: &str, origin: &str) -> (String, String) {
    (value.to_owned(), origin.to_owned())
}

/// The places to listen, in words.
pub(crate) fn binds(said: Said<'_>) -> String {
    let loaded = read(said).unwrap_or_else(|problems| panic!("{problems}"));
    let all: Vec<String> = loaded
        .config
        .supervisor
        .binds
        .iter()
        .map(Bind::to_string)
        .collect();
    all.join(" ")
}

/// The matches of a command line.
pub(crate) fn matches(flags: &[&str]) -> ArgMatches {
    let words = std::iter::once("brigade").chain(flags.iter().copied());
    Command::new("brigade")
        .args(arguments())
        .get_matches_from(words)
}

/// Variables as the system gives them.
pub(crate) fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

/// Loads in a directory of its own, where the file is the usual brigade.toml.
pub(crate) fn read(said: Said<'_>) -> Result<Loaded, Problems> {
    let directory = tempfile::tempdir().unwrap();
    if let Some(text) = said.file {
        fs::write(directory.path().join("brigade.toml"), text).unwrap();
    }
    read_in(directory.path(), said)
}

/// Loads in a directory as it is.
pub(crate) fn read_in(directory: &Path, said: Said<'_>) -> Result<Loaded, Problems> {
    load(&matches(said.flags), variables(said.environment), directory)
}

/// What a configuration shows for a key, and who said so.
pub(crate) fn effective(said: Said<'_>, name: &str) -> (String, String) {
    let loaded = read(said).unwrap_or_else(|problems| panic!("{problems}"));
    let row = loaded.effective.into_iter().find(|row| row.name == name);
    row.map_or(("absent".into(), String::new()), |row| {
        (row.value, row.origin.to_string())
    })
}

/// Compares with a file beside the tests; with `UPDATE=1` in the environment, writes it instead.
pub(crate) fn expect(path: &Path, got: &str) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, got).unwrap();
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert!(
        expected == got,
        "{} is out of date; look at the difference, then run the test with UPDATE=1\n\
         --- expected ---\n{expected}\n--- got ---\n{got}",
        path.display()
    );
}

/// Lines without which a key makes no sense.
pub(crate) fn with(key: &str) -> &'static str {
    match key {
        "group" => "user = 'a'\n",
        "ssl-keyfile" | "ssl-ocsp" | "insecure-bind" => "ssl-certfile = 'a'\n",
        "ssl-ca-certs" => "ssl-certfile = 'a'\nssl-cert-reqs = 'required'\n",
        _ => "",
    }
}
