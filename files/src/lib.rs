//! The files of a directory as an HTTP service.
//!
//! ```text
//! request -> wanted (the path, pure) -> shelf (which file, opened) -> conditions, range (pure)
//!         -> answer -> body (what is in memory at once; the rest by readers)
//! ```
//!
//! The loop never waits for a disk. What the kernel has in memory is opened and read at once,
//! without another thread; only what it has not is left to a few `readers`.

#![forbid(unsafe_code)]

mod answer;
mod body;
mod buffers;
mod complain;
mod conditions;
mod encoding;
mod files;
mod kind;
mod range;
mod readers;
mod shelf;
mod wanted;

#[cfg(test)]
mod tests;

pub use body::FileBody;
pub use files::{Answering, Files, files};
