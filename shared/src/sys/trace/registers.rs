//! The registers of a thread, numbered as unwind tables do (DWARF).

use std::io;

use nix::unistd::Pid;

/// The stack pointer's number.
pub const STACK_POINTER: u16 = if cfg!(target_arch = "x86_64") { 7 } else { 31 };
/// The frame pointer's number.
pub const FRAME_POINTER: u16 = if cfg!(target_arch = "x86_64") { 6 } else { 29 };
/// The bits of an address that count. Above them aarch64 may keep a signature of return addresses.
pub const ADDRESS_BITS: u64 = (1 << 48) - 1;

/// The kernel's words (`struct user_regs_struct`, `struct user_pt_regs`) in DWARF's order, and where
/// the program counter stands.
#[cfg(target_arch = "x86_64")]
const LAYOUT: (&[usize], usize) = (
    &[10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16],
    16,
);
#[cfg(target_arch = "x86_64")]
const WORDS: usize = 27;
#[cfg(target_arch = "aarch64")]
const LAYOUT: (&[usize], usize) = (
    &[
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
        25, 26, 27, 28, 29, 30, 31,
    ],
    32,
);
#[cfg(target_arch = "aarch64")]
const WORDS: usize = 34;
/// Of other architectures nothing is known, and nobody is held for it.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const LAYOUT: (&[usize], usize) = (&[], 0);
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const WORDS: usize = 0;

/// Whether the registers of this architecture are known.
pub(super) const ARE_KNOWN: bool = WORDS > 0;
/// The kernel's name for the general registers (`NT_PRSTATUS`, elf.h).
const GENERAL: libc::c_long = 1;

/// The registers of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Registers {
    /// The program counter.
    pub pc: u64,
    values: [u64; 32],
}

impl Registers {
    /// The register with this number of DWARF's.
    #[must_use]
    pub fn get(&self, number: u16) -> Option<u64> {
        let known = LAYOUT.0.len();
        self.values[..known].get(usize::from(number)).copied()
    }

    /// Those of a tracee that is stopped.
    pub(super) fn of(tracee: Pid) -> io::Result<Self> {
        let mut words = [0_u64; 64];
        let mut place = libc::iovec {
            iov_base: words.as_mut_ptr().cast(),
            iov_len: size_of_val(&words),
        };
        // SAFETY: the kernel writes at most iov_len bytes to `words`, which lives until after the call,
        // and the length to `place`. Any bytes are valid words.
        let result = unsafe {
            libc::ptrace(
                libc::PTRACE_GETREGSET,
                tracee.as_raw(),
                GENERAL,
                &raw mut place,
            )
        };
        if result < 0 {
            return Err(io::Error::last_os_error());
        }
        // A program for 32 bits has other registers.
        if place.iov_len != WORDS * size_of::<u64>() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let mut values = [0; 32];
        for (value, at) in values.iter_mut().zip(LAYOUT.0) {
            *value = words[*at];
        }
        Ok(Self {
            pc: words[LAYOUT.1],
            values,
        })
    }
}
