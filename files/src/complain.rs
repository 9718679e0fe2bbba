//! What the log says of files that can't be served: each kind at most once in a while, whatever
//! clients ask for.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

/// The shortest time between two complaints of a kind, in seconds.
const PAUSE: u64 = 10;
/// So much of a path is told.
const SHOWN: usize = 200;

/// When something was done last, in seconds since 1970.
struct Seldom(AtomicU64);

impl Seldom {
    /// Whether it is time to do it again; then it counts as done.
    fn is_due(&self) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.as_ref().map_or(0, Duration::as_secs);
        let last = self.0.load(Relaxed);
        now.abs_diff(last) >= PAUSE && self.0.compare_exchange(last, now, Relaxed, Relaxed).is_ok()
    }
}

/// Says that a file can't be read, and what becomes of requests for it.
pub(crate) fn unreadable(error: &io::Error, path: &str, so: &str) {
    static LAST: Seldom = Seldom(AtomicU64::new(0));
    static UNSAID: AtomicU64 = AtomicU64::new(0);
    if !LAST.is_due() {
        UNSAID.fetch_add(1, Relaxed);
        return;
    }
    let (pid, unsaid) = (std::process::id(), UNSAID.swap(0, Relaxed));
    let path: String = path.chars().take(SHOWN).collect();
    tracing::warn!(
        event = "files.unreadable", pid, path = ?path, unsaid, %error,
        "the file of {path:?} can't be read: {error}; {so}"
    );
}

/// Something was not found. Looks now and then whether that is because the served directory is not
/// there any more, and says so: nothing will ever be found again below it.
pub(crate) fn if_gone(directory: &Path, is_gone: impl FnOnce() -> bool) {
    static LAST: Seldom = Seldom(AtomicU64::new(0));
    if LAST.is_due() && is_gone() {
        let (pid, directory) = (std::process::id(), directory.display().to_string());
        tracing::warn!(
            event = "files.gone",
            pid,
            directory,
            "the served directory {directory:?} was removed, and nothing is found any more: send HUP to serve the one that bears its name now"
        );
    }
}
