//! What the supervisor decides, without doing any of it. Nothing here knows a pid, a descriptor, a
//! clock, a random source, a logger or any other part of an operating system.

mod vocabulary;

pub use vocabulary::*;
