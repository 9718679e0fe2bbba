//! The memory and its rows.

use std::io;

/// The index of a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RowId(pub u16);

/// The shared memory of all rows.
#[derive(Debug)]
pub struct Board {}

impl Board {
    /// Maps fresh, zeroed memory, to be inherited by every worker.
    ///
    /// # Errors
    /// The kernel's, when it refuses the memory.
    pub fn create() -> io::Result<Self> {
        Ok(Self {})
    }
}
