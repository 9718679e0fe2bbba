//! The memory of another process.

use std::io;

use nix::unistd::Pid;

/// Pages asked for in one call (`IOV_MAX` allows more).
const PAGES: usize = 128;
/// No architecture has smaller pages.
const PAGE: usize = 4096;

/// Reads from `address` on into `into`; returns how much could be read, which is less where the mapping
/// ends. The process is neither stopped nor waited for.
///
/// # Errors
/// The kernel's (`EPERM`, `ESRCH`, `EFAULT` if nothing is mapped at `address`).
pub fn read(process: Pid, address: u64, into: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < into.len() {
        match read_some(process, address + done as u64, &mut into[done..]) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(_) if done > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// One call. Page by page, since the kernel promises to copy whole pieces only.
fn read_some(process: Pid, address: u64, into: &mut [u8]) -> io::Result<usize> {
    let start = usize::try_from(address).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut pieces = [libc::iovec {
        iov_base: std::ptr::null_mut(),
        iov_len: 0,
    }; PAGES];
    let (mut count, mut covered) = (0, 0);
    for piece in &mut pieces {
        if covered == into.len() {
            break;
        }
        let at = start
            .checked_add(covered)
            .ok_or(io::ErrorKind::InvalidInput)?;
        let length = (PAGE - at % PAGE).min(into.len() - covered);
        // An address of the other process: never followed here.
        piece.iov_base = std::ptr::without_provenance_mut(at);
        piece.iov_len = length;
        count += 1;
        covered += length;
    }
    let ours = libc::iovec {
        iov_base: into.as_mut_ptr().cast(),
        iov_len: covered,
    };
    // SAFETY: the kernel writes at most `covered` bytes, no more than `into` has, and only there. The
    // other addresses are looked up in the other process.
    let result = unsafe {
        libc::process_vm_readv(
            process.as_raw(),
            &raw const ours,
            1,
            pieces.as_ptr(),
            count,
            0,
        )
    };
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}
