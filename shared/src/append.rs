//! A file that several processes append to.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::libc;

/// Opens a file to append to, or makes it, readable for its owner and group. A named pipe must
/// have a reader: nobody is waited for.
///
/// # Errors
/// The kernel's: no such folder, not allowed, a pipe without a reader (`ENXIO`).
///
/// # Example
/// ```
/// use std::io::Write;
///
/// let folder = std::env::temp_dir().join(format!("brigade-append-{}", std::process::id()));
/// std::fs::create_dir(&folder)?;
/// brigade_shared::append::open(&folder.join("a.log"))?.write_all(b"one\n")?;
/// brigade_shared::append::open(&folder.join("a.log"))?.write_all(b"two\n")?;
/// assert_eq!(std::fs::read(folder.join("a.log"))?, b"one\ntwo\n");
/// std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK)
        .open(path)
}
