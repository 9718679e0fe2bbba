//! The configuration file: found, read whole, and bounded.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind, Read};
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

/// Reads the named file, or the usual one if it exists; what is named is found from `directory`.
pub(crate) fn open(
    named: Option<(&OsStr, Place)>,
    directory: &Path,
) -> Result<Option<File>, Problem> {
    let (name, named_at) = match named {
        Some((name, place)) => (name, Some(place)),
        None => (OsStr::new(USUAL), None),
    };
    let path = directory.join(name);
    let shown = name.to_string_lossy().into_owned();
    let refuse = |what: &str, cure: &str| {
        let problem = Problem::new(
            format!("`{shown}` {what}"),
            Place::Path(shown.clone()),
            cure,
        );
        named_at.iter().cloned().fold(problem, Problem::against)
    };
    let bytes = match read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound && named_at.is_none() => return Ok(None),
        Err(error) => {
            let (what, cure) = sentence(&error);
            return Err(refuse(&what, cure));
        }
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(File {
            path,
            source: Arc::new(Source::new(shown, text)),
        })),
        Err(error) => {
            let sound = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = sound.iter().filter(|byte| **byte == b'\n').count() + 1;
            let what = format!(
                "is not text in UTF-8: see line {line}, byte {}",
                sound.len()
            );
            Err(refuse(&what, "save it in UTF-8"))
        }
    }
}

/// The whole file. What is no regular file is refused unopened: a FIFO would hold us for ever.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    // /dev/null is the usual way to say "no file".
    if !metadata.is_file() && path != Path::new("/dev/null") {
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

/// What is said of a file that cannot be read, and what to do.
fn sentence(error: &io::Error) -> (String, &'static str) {
    let (what, cure) = match error.kind() {
        ErrorKind::NotFound => ("does not exist", "name a file that exists, or none"),
        ErrorKind::PermissionDenied => (
            "may not be read",
            "let the user who starts Brigade read it (`chmod`, `chown`)",
        ),
        ErrorKind::IsADirectory => (
            "is a directory",
            "name a file, such as the brigade.toml in it",
        ),
        ErrorKind::InvalidInput => ("is not a regular file", "name a file of at most 1 MiB"),
        ErrorKind::FileTooLarge => ("is larger than 1 MiB", "name a configuration file"),
        _ => {
            return (
                format!("cannot be read: {error}"),
                "see what the system says about it",
            );
        }
    };
    (what.to_owned(), cure)
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::sentence;

    #[test]
    fn a_file_that_may_not_be_read_is_told_apart_from_a_missing_one() {
        assert_eq!(
            sentence(&ErrorKind::PermissionDenied.into()).0,
            "may not be read"
        );
        assert_eq!(sentence(&ErrorKind::NotFound.into()).0, "does not exist");
        let other = sentence(&Error::other("the disk is on fire")).0;
        assert_eq!(other, "cannot be read: the disk is on fire");
    }
}
