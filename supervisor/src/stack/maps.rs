//! What is mapped where in another process.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use nix::fcntl::OFlag;
use nix::unistd::Pid;

/// A mapping with code in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mapping {
    pub(super) range: Range<u64>,
    /// Where in the file it begins.
    pub(super) offset: u64,
    /// The file, which may have another name by now, or none.
    pub(super) file: Identity,
    /// Its name when it was mapped; `[vdso]` is no file.
    pub(super) name: String,
}

/// Device and inode, as the kernel prints them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Identity {
    pub(super) device: String,
    pub(super) inode: u64,
}

/// All mappings with code.
pub(super) fn code(pid: Pid) -> Vec<Mapping> {
    let text = fs::read(format!("/proc/{pid}/maps")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().filter_map(mapping).collect()
}

/// `7f12a000-7f12b000 r-xp 00001000 fd:01 12345  /usr/lib/libc.so.6`
fn mapping(line: &str) -> Option<Mapping> {
    let mut rest = line;
    let mut word = || {
        let trimmed = rest.trim_start();
        let (word, after) = trimmed.split_once(' ').unwrap_or((trimmed, ""));
        rest = after;
        word
    };
    let (start, end) = word().split_once('-')?;
    if !word().contains('x') {
        return None;
    }
    let offset = u64::from_str_radix(word(), 16).ok()?;
    let device = word().to_owned();
    let inode = word().parse().ok()?;
    let name = rest.trim_start().trim_end_matches(" (deleted)").to_owned();
    let number = |hex| u64::from_str_radix(hex, 16).ok();
    Some(Mapping {
        range: number(start)?..number(end)?,
        offset,
        file: Identity { device, inode },
        name,
    })
}

impl Mapping {
    /// The file, if it can still be had: by the kernel's own link, as the program of the process, or
    /// by its name if that is still the same file.
    pub(super) fn open(&self, pid: Pid) -> Option<File> {
        let Range { start, end } = self.range;
        let link = format!("/proc/{pid}/map_files/{start:x}-{end:x}");
        let program = format!("/proc/{pid}/exe");
        let named = format!("/proc/{pid}/root{}", self.name);
        [link, program, named]
            .into_iter()
            .filter_map(|path| open(&path).ok())
            .find(|file| self.is_of(file))
    }

    fn is_of(&self, file: &File) -> bool {
        // Not the device: overlay filesystems tell another one here than in the maps.
        file.metadata()
            .is_ok_and(|data| data.is_file() && data.ino() == self.file.inode)
    }

    /// The last part of its name.
    pub(super) fn short_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

/// Never waits: what stands at that name now may be a pipe.
fn open(path: &str) -> io::Result<File> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits())
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::mapping;

    #[test]
    fn a_line_of_the_kernel_is_read_whole() {
        let line = "5581e000-5581f000 r-xp 00001000 fe:00 131  /opt/my shop/shop (deleted)";
        let read = mapping(line).unwrap();
        assert_eq!(read.range, 0x5581_e000..0x5581_f000);
        assert_eq!((read.offset, read.file.inode), (0x1000, 131));
        assert_eq!(read.name, "/opt/my shop/shop");
        assert_eq!(read.short_name(), "shop");
        let anonymous = mapping("7000-8000 rwxp 00000000 00:00 0 ").unwrap();
        assert_eq!(anonymous.name, "");
        assert_eq!(mapping("7000-8000 rw-p 00000000 00:00 0 "), None);
        assert_eq!(mapping("nonsense"), None);
    }
}
