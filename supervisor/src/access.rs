//! The access log's file, which the supervisor opens for its workers: they may have dropped the
//! right to do so. It keeps none open itself, and writes nothing into it.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use brigade_config::{AccessLog, AccessLogTo};
use brigade_shared::append;
use brigade_shared::id::Generation;
use tracing::warn;

use crate::launch::Launch;

/// The file of a worker with this configuration; none if it writes no access log.
///
/// # Errors
/// The kernel's, with the path.
pub(crate) fn open(config: &AccessLog) -> io::Result<Option<OwnedFd>> {
    match &config.to {
        None => Ok(None),
        Some(AccessLogTo::Output) => io::stdout().as_fd().try_clone_to_owned().map(Some),
        Some(AccessLogTo::File(path)) => {
            let opened = append::open(path).map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            });
            opened.map(|file| Some(file.into()))
        }
    }
}

/// Whether a worker could have its file: the problem in words, if not.
pub(crate) fn check(launch: &Launch, config: &AccessLog) -> Result<(), String> {
    if let Launch::Program(_) = launch {
        // A program writes its own.
        return Ok(());
    }
    open(config).map(drop).map_err(|error| {
        format!("the access log can't be opened ({error}): name a file that may be written, or `--no-access-log`")
    })
}

/// The files that were opened again, each once for all workers of a generation.
#[derive(Default, Debug)]
pub(crate) struct Reopened(BTreeMap<Generation, Option<OwnedFd>>);

impl Reopened {
    /// The file of this generation's workers; none if they write none, or it can't be had: then
    /// they go on in the one that they have.
    pub(crate) fn of(
        &mut self,
        generation: Generation,
        config: &AccessLog,
    ) -> Option<BorrowedFd<'_>> {
        let file = self.0.entry(generation).or_insert_with(|| match config.to {
            Some(AccessLogTo::File(_)) => open(config).unwrap_or_else(|error| {
                warn!(
                    event = "access_log.unavailable", %error,
                    "the access log can't be opened again ({error}): the workers go on in the file that they have"
                );
                None
            }),
            Some(AccessLogTo::Output) | None => None,
        });
        file.as_ref().map(AsFd::as_fd)
    }
}

#[cfg(test)]
mod tests {
    use super::{Reopened, check, open};
    use crate::launch::Launch;
    use brigade_config::{AccessLog, AccessLogTo};
    use brigade_shared::id::Generation;

    fn to(path: std::path::PathBuf) -> AccessLog {
        AccessLog {
            to: Some(AccessLogTo::File(path)),
            ..AccessLog::default()
        }
    }

    fn service() -> Launch {
        Launch::Service(Box::new(|_, _| 0))
    }

    #[test]
    fn a_file_that_cannot_be_had_is_told_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let problem = check(&service(), &to(folder.path().join("no/such/folder.log"))).unwrap_err();
        assert!(problem.contains("no/such/folder.log"), "{problem}");
        let problem = check(&service(), &to(folder.path().to_owned())).unwrap_err();
        assert!(problem.contains("directory"), "{problem}");
        assert_eq!(check(&service(), &AccessLog::default()), Ok(()));
    }

    #[test]
    fn a_file_is_made_that_others_may_not_read() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        assert!(open(&to(path.clone())).unwrap().is_some());
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o137, 0);
    }

    #[test]
    fn a_file_is_opened_again_once_for_a_generation() {
        let folder = tempfile::tempdir().unwrap();
        let config = to(folder.path().join("a.log"));
        let mut files = Reopened::default();
        let numbers = [1, 1, 2].map(|generation| {
            use std::os::fd::AsRawFd;
            files
                .of(Generation(generation), &config)
                .unwrap()
                .as_raw_fd()
        });
        assert!(numbers[0] == numbers[1] && numbers[1] != numbers[2]);
        assert!(files.of(Generation(3), &AccessLog::default()).is_none());
        assert!(
            files
                .of(Generation(4), &to("/no/such/folder/a.log".into()))
                .is_none()
        );
    }
}
