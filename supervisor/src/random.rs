//! Numbers that others can't foresee.

use std::fs::File;
use std::io::Read;

/// A random number; where the system has none to give, one that at least differs by process.
pub(crate) fn number() -> u64 {
    let mut bytes = [0; 8];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    match read {
        Ok(()) => u64::from_ne_bytes(bytes),
        Err(_) => u64::from(std::process::id()),
    }
}
