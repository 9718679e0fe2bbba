//! The file of the access log: as it came from the supervisor, and again when it was moved away.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use brigade_config::AccessLogTo;
use brigade_shared::append;

use super::log::Access;
use crate::station::Station;

/// What becomes of requests without a log.
const UNWRITTEN: &str = "requests are served all the same";

impl Station {
    /// Begins to write into this file. Without one, requests are served all the same, and what is
    /// not written is counted.
    pub(crate) fn open_access_log(&mut self, file: io::Result<Option<OwnedFd>>) {
        let file = file.unwrap_or_else(|error| {
            self.tell_unavailable(&error, UNWRITTEN);
            None
        });
        let (log, file) = (&self.config.access_log, file.map(File::from));
        match Access::new(log, file, self.slot, self.pid) {
            Ok(access) => self.access = access,
            Err(error) => self.tell_unavailable(&error, UNWRITTEN),
        }
    }

    /// Goes on in the file that came with the order; without one, in what is at its path now.
    pub(crate) fn reopen(&self, file: Option<OwnedFd>) {
        let again = || match &self.config.access_log.to {
            Some(AccessLogTo::File(path)) => Some(append::open(path)),
            Some(AccessLogTo::Output) | None => None,
        };
        match file.map(|file| Ok(File::from(file))).or_else(again) {
            Some(Ok(file)) => self.access.turn(file),
            Some(Err(error)) => self.tell_unavailable(&error, "it goes on in the file that it has"),
            None => {}
        }
    }

    #[cold]
    fn tell_unavailable(&self, error: &io::Error, so: &str) {
        let (slot, pid) = (self.slot, self.pid);
        tracing::warn!(
            event = "access_log.unavailable",
            slot,
            pid,
            %error,
            "worker {slot} can't open the access log ({error}); {so}: make it writable and send USR1"
        );
    }
}
