//! The configuration file: found, read whole, and bounded.

use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::problem::{Place, Problem, Source};

/// What is read if nobody names a file.
const USUAL: &str = "brigade.toml";
/// A configuration of a mebibyte was not written by hand; something else was named by mistake.
const LARGEST: u64 = 1 << 20;

/// A configuration file that was read.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) source: Arc<Source>,
}

/// Reads the named file, or the usual one if it exists. `named_at` is where the name stood.
pub(crate) fn open(
    named: Option<(&OsStr, Place)>,
    directory: &Path,
) -> Result<Option<File>, Problem> {
    let (shown, path, named_at) = match named {
        Some((name, place)) => (
            name.to_string_lossy().into_owned(),
            directory.join(name),
            Some(place),
        ),
        None => (USUAL.to_owned(), directory.join(USUAL), None),
    };
    let refuse = |what: &str, cure: &str| {
        let problem = Problem::new(
            format!("`{shown}` {what}"),
            Place::Path(shown.clone()),
            cure,
        );
        Err(match &named_at {
            Some(place) => problem.against(place.clone()),
            None => problem,
        })
    };
    let bytes = match read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            return match error.kind() {
                ErrorKind::NotFound if named_at.is_none() => Ok(None),
                ErrorKind::NotFound => refuse(
                    "does not exist",
                    "name a file that exists, or leave the name away",
                ),
                ErrorKind::PermissionDenied => refuse(
                    "may not be read",
                    "let the user who starts Brigade read it (`chmod`, `chown`)",
                ),
                ErrorKind::IsADirectory => refuse(
                    "is a directory",
                    "name a file, such as the brigade.toml in it",
                ),
                ErrorKind::InvalidInput => {
                    refuse("is not a regular file", "name a file of at most 1 MiB")
                }
                ErrorKind::FileTooLarge => refuse(
                    "is larger than 1 MiB",
                    "name a configuration file, see brigade.toml",
                ),
                _ => refuse(
                    &format!("cannot be read: {error}"),
                    "see the message of the system",
                ),
            };
        }
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(File {
            path,
            source: Arc::new(Source::new(shown, text)),
        })),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                + 1;
            refuse(
                &format!("is not text in UTF-8: see byte {at}, in line {line}"),
                "save it in UTF-8",
            )
        }
    }
}

/// The whole file. What is no regular file is refused unopened: a FIFO would hold us for ever.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}
