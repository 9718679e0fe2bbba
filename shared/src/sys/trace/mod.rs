//! Looking into another process: its registers, its stack, the name of its system call.

mod syscalls;

pub use syscalls::syscall;
