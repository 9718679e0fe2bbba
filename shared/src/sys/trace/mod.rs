//! Looking into another process: its registers, its memory, the name of its system call.

mod filter;
mod hold;
mod memory;
mod registers;
mod syscalls;

pub use hold::{Captured, Refusal, capture};
pub use memory::read;
pub use registers::{ADDRESS_BITS, FRAME_POINTER, Registers, STACK_POINTER};
pub use syscalls::syscall;
