//! The whole way: find the file, read all layers, resolve, and answer with everything that holds
//! or everything that is wrong.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use crate::layers::{self, CONFIG, Environment};
use crate::problem::{Place, Problems, printable};
use crate::resolve::{Effective, resolve};
use crate::types::Config;

/// A configuration with its history.
#[derive(Clone, PartialEq, Debug)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// Each value in words and where it was said, in the order of the table.
    pub effective: Vec<Effective>,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    /// What is valid and still worth a look, in sentences. For those who look at what the values
    /// name; [`load`] itself finds none.
    pub warnings: Vec<String>,
}

/// Reads flags, environment and file into one configuration.
///
/// `matches` are those of a command with [`arguments`](crate::arguments); `environment` is
/// `std::env::vars_os()`, `directory` the working directory. Nothing else of the world is looked
/// at, so that the same words can be read again at a reload.
///
/// # Errors
/// All problems of all layers at once.
pub fn load(
    matches: &ArgMatches,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    directory: &Path,
) -> Result<Loaded, Problems> {
    let mut problems = Vec::new();
    let environment = Environment::new(environment);
    let mut givens = layers::flags(matches, &mut problems);
    givens.extend(environment.givens(&mut problems));
    let file = match layers::open(named_file(matches, &environment), directory) {
        Ok(file) => file,
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    if let Some(file) = &file {
        givens.extend(file.givens(&mut problems));
    }
    let (config, effective) = resolve(&givens, &mut problems);
    match Problems::of(problems) {
        Some(problems) => Err(problems),
        None => Ok(Loaded {
            config,
            effective,
            file: file.map(|file| file.path),
            warnings: Vec::new(),
        }),
    }
}

/// The file that the flag names, or else the environment.
fn named_file<'a>(
    matches: &'a ArgMatches,
    environment: &'a Environment,
) -> Option<(&'a OsStr, Place)> {
    let flag = matches.try_get_one::<OsString>(CONFIG).ok().flatten();
    let by_flag = flag.map(|path| {
        let value = Some(path.to_string_lossy().into_owned());
        (
            path.as_os_str(),
            Place::Flag {
                flag: format!("--{CONFIG}"),
                value,
            },
        )
    });
    by_flag.or_else(|| {
        environment
            .config()
            .map(|(path, place)| (path.as_os_str(), place))
    })
}

impl Loaded {
    /// Every effective value and its origin, one line each, in three columns.
    #[must_use]
    pub fn table(&self) -> String {
        let rows: Vec<[String; 3]> = self
            .effective
            .iter()
            .map(|row| {
                [
                    row.name.to_owned(),
                    printable(&row.value),
                    row.origin.to_string(),
                ]
            })
            .collect();
        let width = |column: usize| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let (names, values) = (width(0), width(1));
        let mut table = String::new();
        for [name, value, origin] in &rows {
            let _ = writeln!(table, "{name:names$}  {value:values$}  {origin}");
        }
        table
    }
}
