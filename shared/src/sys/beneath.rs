//! Files below a directory: opened so that no path leads out of it, and read without waiting for a
//! disk.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat, openat2};
use nix::libc;
use nix::sys::stat::Mode;

/// Whether a call may wait for a disk or a file server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patience {
    /// Only what is in memory; else the call fails with `WouldBlock`.
    None,
    /// It may wait.
    Any,
}

/// Takes hold of a directory, only for looking up what is below it: permission to list it is not
/// needed.
///
/// # Errors
/// The kernel's; `ENOTDIR` if it is no directory.
pub fn hold(directory: &Path) -> io::Result<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    Ok(open(directory, flags, Mode::empty())?)
}

/// Opens what `path`, which is relative, names below `directory`, for reading. The kernel itself
/// refuses every step out of it, by `..` or by a symbolic link, however files are renamed
/// meanwhile. A FIFO is opened without waiting for its writer.
///
/// Linux before 5.6, and sandboxes that can't look into the call (systemd's `RestrictSUIDSGID=`),
/// have no such refusal to offer: there each step is taken by itself, with patience only, and no
/// symbolic link is followed at all.
///
/// # Errors
/// The kernel's: `EXDEV` if the path leads out, or over a link that can't be followed safely;
/// `WouldBlock` without patience if a name is not in the kernel's memory.
pub fn open_beneath(
    directory: BorrowedFd<'_>,
    path: &CStr,
    patience: Patience,
) -> io::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let mut resolve = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS;
    if patience == Patience::None {
        resolve |= ResolveFlag::from_bits_retain(libc::RESOLVE_CACHED);
    }
    loop {
        let how = OpenHow::new().flags(flags).resolve(resolve);
        match openat2(directory, path, how) {
            // With patience this says that a rename went on beside a `..` in a link: look again.
            Err(Errno::EAGAIN) if patience == Patience::Any => {}
            Err(Errno::EINTR) => {}
            Err(Errno::ENOSYS) if patience == Patience::None => {
                return Err(Errno::EWOULDBLOCK.into());
            }
            Err(Errno::ENOSYS) => return Ok(walk(directory, path, flags)?),
            // Linux before 5.12 can't tell what is in its memory.
            Err(Errno::EINVAL) if patience == Patience::None => {
                return Err(Errno::EWOULDBLOCK.into());
            }
            opened => return Ok(opened?),
        }
    }
}

/// The same step by step, without links: nobody can put one there between a look and a step.
fn walk(directory: BorrowedFd<'_>, path: &CStr, flags: OFlag) -> Result<OwnedFd, Errno> {
    let path = path.to_bytes();
    let mut parts = path
        .split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty());
    if path.starts_with(b"/") || parts.clone().any(|part| part == b"..") {
        return Err(Errno::EXDEV);
    }
    let last = parts.next_back().ok_or(Errno::ENOENT)?;
    let step = |from: BorrowedFd<'_>, part: &[u8], flags| loop {
        match openat(from, part, flags | OFlag::O_NOFOLLOW, Mode::empty()) {
            Err(Errno::EINTR) => {}
            Err(Errno::ELOOP) => return Err(Errno::EXDEV),
            opened => return opened,
        }
    };
    let mut at: Option<OwnedFd> = None;
    for part in parts {
        let from = at.as_ref().map_or(directory, AsFd::as_fd);
        let into = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        at = Some(step(from, part, into)?);
    }
    step(at.as_ref().map_or(directory, AsFd::as_fd), last, flags)
}

/// Reads up to `count` bytes at `offset` to the end of `buffer`, and tells how many came: fewer
/// only at the end of the file, or, without patience, where the rest is not in memory.
///
/// # Errors
/// The kernel's; `WouldBlock` without patience if the first byte is not in memory, or if the file
/// system can't tell.
pub fn read_at(
    file: BorrowedFd<'_>,
    offset: u64,
    count: usize,
    buffer: &mut Vec<u8>,
    patience: Patience,
) -> io::Result<usize> {
    buffer.reserve(count);
    let before = buffer.len();
    while buffer.len() - before < count {
        let done = buffer.len() - before;
        let at = offset + done as u64;
        match read_once(file, at, count - done, buffer, patience) {
            Ok(0) => break,
            Ok(_) => {}
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN | Errno::EOPNOTSUPP) if patience == Patience::None => {
                if done == 0 {
                    return Err(Errno::EWOULDBLOCK.into());
                }
                break;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(buffer.len() - before)
}

fn read_once(
    file: BorrowedFd<'_>,
    offset: u64,
    count: usize,
    buffer: &mut Vec<u8>,
    patience: Patience,
) -> Result<usize, Errno> {
    let spare = buffer.spare_capacity_mut();
    let place = libc::iovec {
        iov_base: spare.as_mut_ptr().cast(),
        iov_len: count.min(spare.len()),
    };
    let flags = match patience {
        Patience::None => libc::RWF_NOWAIT,
        Patience::Any => 0,
    };
    let offset = libc::c_long::try_from(offset).map_err(|_| Errno::EOVERFLOW)?;
    // By number: the C libraries of older systems have no function for it.
    // SAFETY: the kernel writes at most `iov_len` bytes to the place, which is that long and lent
    // to us alone. A long holds the whole offset, so its upper half is 0.
    let read = unsafe {
        libc::syscall(
            libc::SYS_preadv2,
            file.as_fd().as_raw_fd(),
            &raw const place,
            1,
            offset,
            0,
            flags,
        )
    };
    let read = usize::try_from(Errno::result(read)?).map_err(|_| Errno::EIO)?;
    // SAFETY: the kernel has just written so many bytes behind the last one, within the capacity.
    unsafe { buffer.set_len(buffer.len() + read) };
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::{Patience, hold, open_beneath, read_at, walk};
    use nix::errno::Errno;
    use nix::fcntl::OFlag;
    use std::ffi::CString;
    use std::io::{ErrorKind, Write};
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    fn ground() -> TempDir {
        let ground = tempfile::tempdir().unwrap();
        let public = ground.path().join("public");
        std::fs::create_dir_all(public.join("deep")).unwrap();
        std::fs::write(ground.path().join("secret"), "secret").unwrap();
        std::fs::write(public.join("deep/page"), "page").unwrap();
        symlink("deep/page", public.join("within")).unwrap();
        symlink("../deep/page", public.join("deep/up_and_down")).unwrap();
        symlink("../secret", public.join("out")).unwrap();
        symlink(ground.path().join("secret"), public.join("absolute")).unwrap();
        symlink("..", public.join("parent")).unwrap();
        symlink("/proc/self/root", public.join("magic")).unwrap();
        ground
    }

    #[test]
    fn no_path_leads_out_of_the_directory() {
        let ground = ground();
        let root = hold(&ground.path().join("public")).unwrap();
        let open = |path: &str, patience| {
            open_beneath(root.as_fd(), &CString::new(path).unwrap(), patience)
        };
        for inside in ["deep/page", "within", "deep/up_and_down", "."] {
            open(inside, Patience::Any).unwrap_or_else(|error| panic!("{inside}: {error}"));
        }
        let absolute = ground.path().join("secret").display().to_string();
        let outside = [
            "out",
            "absolute",
            "parent",
            "parent/secret",
            "../secret",
            "deep/../../secret",
            "magic",
            "magic/etc/passwd",
            &absolute,
        ];
        for path in outside {
            for patience in [Patience::Any, Patience::None] {
                let error = open(path, patience).expect_err(path);
                assert!(
                    [ErrorKind::CrossesDevices, ErrorKind::WouldBlock].contains(&error.kind()),
                    "{path}: {error}"
                );
            }
        }
    }

    #[test]
    fn where_the_kernel_does_not_refuse_no_link_is_followed() {
        let ground = ground();
        let root = hold(&ground.path().join("public")).unwrap();
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let open = |path: &str| walk(root.as_fd(), &CString::new(path).unwrap(), flags);
        for inside in ["deep/page", "deep//page", "./deep/page", ".", "deep/"] {
            open(inside).unwrap_or_else(|error| panic!("{inside}: {error}"));
        }
        let absolute = ground.path().join("secret").display().to_string();
        for path in [
            "within",
            "out",
            "absolute",
            "parent",
            "../secret",
            "deep/../../secret",
            "magic",
            &absolute,
        ] {
            assert_eq!(open(path).unwrap_err(), Errno::EXDEV, "{path}");
        }
        for path in ["parent/secret", "magic/etc/passwd", "deep/page/x"] {
            assert_eq!(open(path).unwrap_err(), Errno::ENOTDIR, "{path}");
        }
        for path in ["no", "no/such", ""] {
            assert_eq!(open(path).unwrap_err(), Errno::ENOENT, "{path}");
        }
    }

    #[test]
    fn what_is_in_memory_is_read_without_waiting() {
        let ground = ground();
        let root = hold(ground.path()).unwrap();
        let mut file = std::fs::File::create(ground.path().join("file")).unwrap();
        file.write_all(b"0123456789").unwrap();
        let file = open_beneath(root.as_fd(), c"file", Patience::Any).unwrap();
        let again = open_beneath(root.as_fd(), c"file", Patience::None);
        assert!(again.is_ok(), "its name was just looked up: {again:?}");
        let mut buffer = b"so: ".to_vec();
        assert_eq!(
            read_at(file.as_fd(), 2, 5, &mut buffer, Patience::Any).unwrap(),
            5
        );
        assert_eq!(
            read_at(file.as_fd(), 8, 9, &mut buffer, Patience::Any).unwrap(),
            2
        );
        assert_eq!(
            read_at(file.as_fd(), 99, 9, &mut buffer, Patience::Any).unwrap(),
            0
        );
        assert_eq!(buffer, b"so: 2345689");
        match read_at(file.as_fd(), 0, 4, &mut buffer, Patience::None) {
            Ok(read) => assert_eq!((read, &buffer[11..]), (4, &b"0123"[..])),
            // Some file systems, tmpfs among them, can't tell.
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
}
