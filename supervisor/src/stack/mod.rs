//! What a blocked worker is doing, seen from outside: no thread of its own tells, no handler runs in it.
//!
//! ```text
//!            /proc/PID/{status,stat,syscall,wchan}      what it waits for            glance
//! of(pid) -> held for some microseconds: registers, stack    (sys::trace)
//!            /proc/PID/maps, the ELF files behind it    functions and their frames   maps, image
//!            from frame to frame by the unwind tables   the list                     unwind, names
//! ```
//!
//! The unwind tables (`.eh_frame`) are in every Rust program and every C library of a distribution,
//! whether or not they were built with frame pointers, and know also the frames of libc and std. Where
//! there is none (code made at run time) the frame pointer is followed.

mod budget;
mod glance;
mod image;
mod library;
mod maps;
mod names;
mod report;
mod unwind;

pub(crate) use budget::Budget;
pub(crate) use glance::has_uninterruptible_thread;
pub use report::{Report, of};
