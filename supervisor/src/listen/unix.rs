//! Unix sockets: a file (or an abstract name), one queue for all workers.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use socket2::{Domain, SockAddr, Socket, Type};

use super::kept_name::mark;

/// The file of a bound socket, as it was made: only this very file is removed in the end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: Identity,
}

/// Device, inode and time of birth: an inode number alone is soon given to the next file.
type Identity = (u64, u64, Option<SystemTime>);

fn identity(file: &std::fs::Metadata) -> Identity {
    (file.dev(), file.ino(), file.created().ok())
}

impl SocketFile {
    /// The socket file that is there now.
    pub(super) fn found(path: &Path) -> Option<Self> {
        let found = std::fs::symlink_metadata(path).ok()?;
        found.file_type().is_socket().then(|| Self {
            path: path.to_owned(),
            identity: identity(&found),
        })
    }

    /// What tells it from others, in a number.
    pub(super) fn mark(&self) -> u64 {
        let (device, inode, born) = self.identity;
        let born = born.and_then(|born| born.duration_since(SystemTime::UNIX_EPOCH).ok());
        let words = format!("{device} {inode} {}", born.unwrap_or_default().as_nanos());
        mark(words.as_bytes())
    }

    /// Lets connect whom the configuration lets connect now.
    pub(super) fn set_mode(&self, umask: Option<u32>) -> io::Result<()> {
        let mode = 0o666 & !umask.unwrap_or(0);
        std::fs::set_permissions(&self.path, std::fs::Permissions::from_mode(mode))
    }

    /// Removes the file, unless it was replaced by somebody else's meanwhile.
    pub(super) fn remove(&self) {
        if self.is_at(&self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    /// Whether it is this file that is found there, by whatever spelling of the path.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        std::fs::symlink_metadata(path).is_ok_and(|found| identity(&found) == self.identity)
    }
}

/// Binds a path. A socket file that nobody listens on any more is replaced; anything else that is
/// there stays. The file may be connected to by everybody (as behind a reverse proxy of another
/// user) unless `umask` was configured.
pub(super) fn bind_path(
    path: &Path,
    backlog: u16,
    umask: Option<u32>,
) -> Result<(OwnedFd, SocketFile), String> {
    let shown = path.display();
    clear_stale(path)?;
    let made = || -> io::Result<(OwnedFd, SocketFile)> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking().cloexec(), None)?;
        socket.bind(&SockAddr::unix(path)?)?;
        let found = std::fs::symlink_metadata(path)?;
        let file = SocketFile {
            path: path.to_owned(),
            identity: identity(&found),
        };
        let opened = || {
            file.set_mode(umask)?;
            socket.listen(i32::from(backlog))
        };
        opened().inspect_err(|_| file.remove())?;
        Ok((socket.into(), file))
    };
    made().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            format!("cannot listen on unix:{shown}: its folder does not exist: create it ({error})")
        }
        io::ErrorKind::PermissionDenied => format!(
            "cannot listen on unix:{shown}: this user may not create files there ({error})"
        ),
        io::ErrorKind::InvalidInput => format!(
            "cannot listen on unix:{shown}: the path is too long, the kernel takes 107 bytes ({error})"
        ),
        _ => format!("cannot listen on unix:{shown}: {error}"),
    })
}

/// Binds a name of the abstract namespace.
pub(super) fn bind_abstract(name: &str, backlog: u16) -> Result<OwnedFd, String> {
    let made = || -> io::Result<OwnedFd> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking().cloexec(), None)?;
        socket.bind(&SockAddr::unix(format!("\0{name}"))?)?;
        socket.listen(i32::from(backlog))?;
        Ok(socket.into())
    };
    made().map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "cannot listen on unix:@{name}: another process listens there: stop it or choose another name ({error})"
        ),
        _ => format!("cannot listen on unix:@{name}: {error}"),
    })
}

/// Connects without waiting: whoever listens there may be stuck, its queue full.
fn try_connect(path: &Path) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking().cloexec(), None)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        other => other,
    }
}

/// Removes a socket file that a dead process left behind.
fn clear_stale(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let Ok(found) = std::fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !found.file_type().is_socket() {
        return Err(format!(
            "cannot listen on unix:{shown}: there is a file there that is not a socket, and it is left alone: move it or choose another path"
        ));
    }
    match try_connect(path) {
        Ok(()) => Err(format!(
            "cannot listen on unix:{shown}: another process listens there: stop it (`ss -lxp src {shown}` shows it) or choose another path"
        )),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(|error| {
                format!(
                    "cannot listen on unix:{shown}: a stale socket file can't be removed: {error}"
                )
            })
        }
        Err(error) => Err(format!(
            "cannot listen on unix:{shown}: cannot tell whether another process listens there: {error}"
        )),
    }
}
