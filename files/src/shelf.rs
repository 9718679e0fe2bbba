//! The directory: which of its files a path names, opened, with what is known of it.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use brigade_shared::sys::beneath::{Patience, hold, open_beneath, read_at};
use nix::errno::Errno;
use nix::sys::stat::{FileStat, SFlag, fstat};
use nix::sys::statfs::{FsType, fstatfs};

use crate::buffers;
use crate::complain;
use crate::conditions::Validators;
use crate::encoding::Encoding;
use crate::wanted::Wanted;

/// File systems without a disk below (from linux/magic.h): a read never waits for one, and the kernel
/// needs no telling so, which tmpfs in fact can't.
const MEMORY: [FsType; 2] = [FsType(0x0102_1994), FsType(0x8584_58f6)]; // tmpfs, ramfs

/// File systems on disks of this machine: ext, xfs, btrfs, f2fs, overlayfs, erofs, squashfs, zfs,
/// bcachefs. On others (NFS, FUSE ...) even a name in memory may need a word with a server.
const LOCAL: [FsType; 9] = [
    FsType(0xef53),
    FsType(0x5846_5342),
    FsType(0x9123_683e),
    FsType(0xf2f5_2010),
    FsType(0x794c_7630),
    FsType(0xe0f5_e1e2),
    FsType(0x7371_7368),
    FsType(0x2fc1_2fc1),
    FsType(0xca45_1a4e),
];

/// How far away the files are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Distance {
    /// In memory: nothing waits.
    Memory,
    /// On a disk: what the kernel has in memory does not wait.
    Disk,
    /// Anywhere: everything may wait.
    Far,
}

/// A directory that is served.
#[derive(Debug)]
pub(crate) struct Shelf {
    root: OwnedFd,
    name: PathBuf,
    device: u64,
    distance: Distance,
}

/// An open file.
#[derive(Debug)]
pub(crate) struct File {
    fd: OwnedFd,
    distance: Distance,
    /// In bytes, when it was opened.
    pub(crate) size: u64,
    /// Tell this state of it from others.
    pub(crate) validators: Validators,
    /// Set if it is a precompressed variant of the file that was asked for.
    pub(crate) encoding: Option<Encoding>,
}

/// What was found under a path.
#[derive(Debug)]
pub(crate) enum Found {
    /// This file; its name without the suffix of a variant tells its kind.
    File(File, CString),
    /// A directory with an index, asked for without a slash at the end.
    Directory,
    /// Nothing that is served.
    Nothing,
}

impl Shelf {
    /// Takes hold of a directory.
    pub(crate) fn open(directory: &Path) -> io::Result<Self> {
        let root = hold(directory)?;
        match open_beneath(root.as_fd(), c".", Patience::Any) {
            // That a directory can't be listed does not matter.
            Err(error) if !is_absence(&error) => {
                let why = format!("files can't be opened beneath a directory (openat2): {error}");
                return Err(io::Error::new(error.kind(), why));
            }
            Ok(_) | Err(_) => {}
        }
        let system = fstatfs(&root)?.filesystem_type();
        let distance = match system {
            system if MEMORY.contains(&system) => Distance::Memory,
            system if LOCAL.contains(&system) => Distance::Disk,
            _ => Distance::Far,
        };
        let device = fstat(&root)?.st_dev;
        Ok(Self {
            root,
            name: directory.to_owned(),
            device,
            distance,
        })
    }

    /// The same, as if it were so far away.
    #[cfg(test)]
    pub(crate) fn at(self, distance: Distance) -> Self {
        Self { distance, ..self }
    }

    /// Looks for what a path names; in a directory for `index`; for variants in these encodings,
    /// the best first. There is one look at everything, through what was opened: nothing that is renamed
    /// meanwhile mixes two files up.
    ///
    /// # Errors
    /// The kernel's; `WouldBlock` without patience if it may have to wait.
    pub(crate) fn find(
        &self,
        wanted: &Wanted,
        index: &CStr,
        encodings: impl Iterator<Item = Encoding>,
        patience: Patience,
    ) -> io::Result<Found> {
        if patience == Patience::None && self.distance == Distance::Far {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let path = if wanted.is_directory {
            within(&wanted.path, index)
        } else {
            wanted.path.clone()
        };
        let Some((fd, facts)) = self.look(&path, patience)? else {
            let is_gone = || fstat(&self.root).is_ok_and(|root| root.st_nlink == 0);
            complain::if_gone(&self.name, is_gone);
            return Ok(Found::Nothing);
        };
        match kind(&facts) {
            SFlag::S_IFREG => {}
            SFlag::S_IFDIR if !wanted.is_directory => {
                let inside = self.look(&within(&wanted.path, index), patience)?;
                let has_index = inside.is_some_and(|(_, facts)| kind(&facts) == SFlag::S_IFREG);
                return Ok(if has_index {
                    Found::Directory
                } else {
                    Found::Nothing
                });
            }
            _ => return Ok(Found::Nothing),
        }
        for encoding in encodings {
            let variant = with_suffix(&path, encoding.suffix());
            if let Some((fd, facts)) = self.look(&variant, patience)?
                && kind(&facts) == SFlag::S_IFREG
            {
                return Ok(Found::File(self.file(fd, &facts, Some(encoding)), path));
            }
        }
        Ok(Found::File(self.file(fd, &facts, None), path))
    }

    fn look(&self, path: &CStr, patience: Patience) -> io::Result<Option<(OwnedFd, FileStat)>> {
        match open_beneath(self.root.as_fd(), path, patience) {
            Ok(fd) => {
                let facts = fstat(&fd)?;
                Ok(Some((fd, facts)))
            }
            Err(error) if is_absence(&error) => {
                if error.kind() == io::ErrorKind::PermissionDenied {
                    let path = format!("/{}", path.to_string_lossy());
                    complain::unreadable(&error, &path, "it counts as if it were not there");
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn file(&self, fd: OwnedFd, facts: &FileStat, encoding: Option<Encoding>) -> File {
        let size = u64::try_from(facts.st_size).unwrap_or(0);
        File {
            fd,
            // Something else may be mounted there.
            distance: match self.distance {
                Distance::Memory if facts.st_dev != self.device => Distance::Disk,
                distance => distance,
            },
            size,
            validators: Validators::new(facts.st_mtime, facts.st_mtime_nsec, size),
            encoding,
        }
    }
}

impl File {
    /// Reads up to `count` bytes from `at` on; fewer at the end of the file, and without patience.
    ///
    /// # Errors
    /// The kernel's; `WouldBlock` without patience if it may have to wait.
    pub(crate) fn read(&self, at: u64, count: usize, patience: Patience) -> io::Result<Vec<u8>> {
        let patience = match self.distance {
            Distance::Memory => Patience::Any,
            Distance::Disk => patience,
            Distance::Far if patience == Patience::None => {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Distance::Far => patience,
        };
        let mut bytes = buffers::take(count);
        read_at(self.fd.as_fd(), at, count, &mut bytes, patience)?;
        Ok(bytes)
    }
}

fn kind(facts: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(facts.st_mode) & SFlag::S_IFMT
}

fn within(directory: &CStr, index: &CStr) -> CString {
    match directory.to_bytes() {
        b"." => index.to_owned(),
        directory => joined(&[directory, b"/", index.to_bytes()]),
    }
}

fn with_suffix(path: &CStr, suffix: &[u8]) -> CString {
    joined(&[path.to_bytes(), suffix])
}

fn joined(parts: &[&[u8]]) -> CString {
    CString::new(parts.concat()).expect("its parts have no zero byte")
}

/// Whether an error says that there is nothing for this client: no such name, a way out of the
/// directory, no permission, a socket.
fn is_absence(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(
        errno,
        Some(
            Errno::ENOENT
                | Errno::ENOTDIR
                | Errno::EACCES
                | Errno::EXDEV
                | Errno::ELOOP
                | Errno::ENAMETOOLONG
                | Errno::ENXIO
                | Errno::ENODEV
        )
    )
}
