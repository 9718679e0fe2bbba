//! Values that go to another process through sealed memory: longer than a message, or nobody else's
//! business.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sys::memory;

/// Puts a value into memory that nobody can change any more; the name is for people.
///
/// # Errors
/// The kernel's: out of memory or descriptors.
pub fn pack(name: &CStr, value: &impl Serialize) -> io::Result<OwnedFd> {
    memory::seal(name, &serde_json::to_vec(value)?)
}

/// Takes it out again.
///
/// # Errors
/// `InvalidData` if it is something else, otherwise the kernel's.
pub fn unpack<T: DeserializeOwned>(memory: impl AsFd) -> io::Result<T> {
    Ok(serde_json::from_slice(&memory::read_sealed(memory)?)?)
}
