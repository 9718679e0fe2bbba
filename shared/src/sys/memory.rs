//! Memory that several processes share: a sealed memfd, mapped once and seen only as atomic words.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::AtomicU64;

use memmap2::{MmapOptions, MmapRaw};
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// A mapping of `MAP_SHARED` memory, zeroed at first, inherited by forked children. The descriptor
/// is close-on-exec and stays open, so that the memory can be handed to another program.
#[derive(Debug)]
pub struct SharedMemory {
    file: File,
    map: MmapRaw,
}

impl SharedMemory {
    /// Makes and maps `bytes` of fresh memory; pages cost nothing until they are touched.
    ///
    /// # Errors
    /// The kernel's: out of memory, address space or descriptors.
    pub fn create(name: &CStr, bytes: usize) -> io::Result<Self> {
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let file = File::from(memfd_create(name, flags)?);
        file.set_len(bytes as u64)?;
        fcntl(&file, FcntlArg::F_ADD_SEALS(size_seals()))?;
        Self::map(file, bytes)
    }

    /// Maps memory that [`create`](Self::create) made, perhaps in another program.
    ///
    /// # Errors
    /// `InvalidData` if it is not a memfd whose size is sealed at `bytes`, otherwise the kernel's.
    pub fn adopt(memory: OwnedFd, bytes: usize) -> io::Result<Self> {
        let file = File::from(memory);
        let seals = fcntl(&file, FcntlArg::F_GET_SEALS).unwrap_or(0);
        let sealed = SealFlag::from_bits_truncate(seals).contains(size_seals());
        if !sealed || file.metadata()?.len() != bytes as u64 {
            let words = "not shared memory of the expected, sealed size";
            return Err(io::Error::new(io::ErrorKind::InvalidData, words));
        }
        Self::map(file, bytes)
    }

    fn map(file: File, bytes: usize) -> io::Result<Self> {
        let map = MmapOptions::new().len(bytes).map_raw(&file)?;
        Ok(Self { file, map })
    }

    /// The whole memory. Every bit pattern is a valid word, whoever wrote it.
    #[must_use]
    pub fn words(&self) -> &[AtomicU64] {
        let first = self.map.as_mut_ptr().cast::<AtomicU64>();
        // SAFETY: the mapping is page-aligned, readable, writable and lives as long as `self`; its
        // size is sealed, so no page of it can vanish under a reader (SIGBUS). All access goes
        // through these atomics, here and in every other process, so that writes race with nothing.
        unsafe { std::slice::from_raw_parts(first, self.map.len() / size_of::<AtomicU64>()) }
    }
}

/// Nobody may shrink the memory under a reader, nor grow it, nor undo that.
fn size_seals() -> SealFlag {
    SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL
}

/// The longest sealed text that is read.
const LONGEST_TEXT: u64 = 64 << 20;

/// Puts bytes into a memfd that nobody can change any more, for another program to read.
/// Close-on-exec.
///
/// # Errors
/// The kernel's: out of memory or descriptors.
pub fn seal(name: &CStr, bytes: &[u8]) -> io::Result<OwnedFd> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let mut file = File::from(memfd_create(name, flags)?);
    file.write_all(bytes)?;
    fcntl(&file, FcntlArg::F_ADD_SEALS(all_seals()))?;
    Ok(file.into())
}

/// Reads what [`seal`] wrote, from its beginning.
///
/// # Errors
/// `InvalidData` if it is no sealed memfd of a bearable size, otherwise the kernel's.
pub fn read_sealed(memory: impl AsFd) -> io::Result<Vec<u8>> {
    let mut file = File::from(memory.as_fd().try_clone_to_owned()?);
    let seals = fcntl(&file, FcntlArg::F_GET_SEALS).unwrap_or(0);
    let is_sealed = SealFlag::from_bits_truncate(seals).contains(all_seals());
    if !is_sealed || file.metadata()?.len() > LONGEST_TEXT {
        let words = "not sealed memory of a bearable size";
        return Err(io::Error::new(io::ErrorKind::InvalidData, words));
    }
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn all_seals() -> SealFlag {
    size_seals() | SealFlag::F_SEAL_WRITE
}

impl AsFd for SharedMemory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::{SharedMemory, read_sealed, seal};
    use std::fs::File;
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::sync::atomic::Ordering::Relaxed;

    #[test]
    fn two_mappings_of_one_memory_see_each_other() {
        let one = SharedMemory::create(c"test", 8192).unwrap();
        let fd = one.as_fd().try_clone_to_owned().unwrap();
        let other = SharedMemory::adopt(fd, 8192).unwrap();
        assert_eq!(one.words().len(), 1024);
        one.words()[1023].store(7, Relaxed);
        assert_eq!(other.words()[1023].load(Relaxed), 7);
    }

    #[test]
    fn a_file_or_another_size_is_refused() {
        let fresh = SharedMemory::create(c"test", 4096).unwrap();
        let fd = fresh.as_fd().try_clone_to_owned().unwrap();
        assert!(SharedMemory::adopt(fd, 8192).is_err());
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        assert!(SharedMemory::adopt(file.into(), 4096).is_err());
    }

    #[test]
    fn what_is_sealed_can_be_read_again_and_not_be_changed() {
        let memory = seal(c"test", b"words").unwrap();
        for _ in 0..2 {
            assert_eq!(read_sealed(&memory).unwrap(), b"words");
        }
        let mut file = File::from(memory);
        assert!(file.write_all(b"other").is_err());
        assert!(read_sealed(File::open("/proc/self/exe").unwrap()).is_err());
    }
}
