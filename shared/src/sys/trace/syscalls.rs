//! Numbers of system calls in words.

use libc::c_long;

/// The calls in which a program usually waits, and whether their first argument is a descriptor.
const COMMON: &[(c_long, &str, bool)] = &[
    (libc::SYS_read, "read", true),
    (libc::SYS_write, "write", true),
    (libc::SYS_readv, "readv", true),
    (libc::SYS_writev, "writev", true),
    (libc::SYS_pread64, "pread64", true),
    (libc::SYS_pwrite64, "pwrite64", true),
    (libc::SYS_recvfrom, "recvfrom", true),
    (libc::SYS_recvmsg, "recvmsg", true),
    (libc::SYS_sendto, "sendto", true),
    (libc::SYS_sendmsg, "sendmsg", true),
    (libc::SYS_sendfile, "sendfile", true),
    (libc::SYS_splice, "splice", true),
    (libc::SYS_connect, "connect", true),
    (libc::SYS_accept, "accept", true),
    (libc::SYS_accept4, "accept4", true),
    (libc::SYS_close, "close", true),
    (libc::SYS_fsync, "fsync", true),
    (libc::SYS_fdatasync, "fdatasync", true),
    (libc::SYS_ftruncate, "ftruncate", true),
    (libc::SYS_fallocate, "fallocate", true),
    (libc::SYS_flock, "flock", true),
    (libc::SYS_fcntl, "fcntl", true),
    (libc::SYS_ioctl, "ioctl", true),
    (libc::SYS_getdents64, "getdents64", true),
    (libc::SYS_epoll_pwait, "epoll_pwait", true),
    (libc::SYS_io_uring_enter, "io_uring_enter", true),
    (libc::SYS_openat, "openat", false),
    (libc::SYS_unlinkat, "unlinkat", false),
    (libc::SYS_renameat2, "renameat2", false),
    (libc::SYS_statx, "statx", false),
    (libc::SYS_ppoll, "ppoll", false),
    (libc::SYS_pselect6, "pselect6", false),
    (libc::SYS_futex, "futex", false),
    (libc::SYS_nanosleep, "nanosleep", false),
    (libc::SYS_clock_nanosleep, "clock_nanosleep", false),
    (libc::SYS_restart_syscall, "restart_syscall", false),
    (libc::SYS_wait4, "wait4", false),
    (libc::SYS_waitid, "waitid", false),
    (libc::SYS_rt_sigsuspend, "rt_sigsuspend", false),
    (libc::SYS_rt_sigtimedwait, "rt_sigtimedwait", false),
    (libc::SYS_getrandom, "getrandom", false),
    (libc::SYS_mmap, "mmap", false),
    (libc::SYS_munmap, "munmap", false),
    (libc::SYS_msync, "msync", false),
    (libc::SYS_madvise, "madvise", false),
    (libc::SYS_execve, "execve", false),
    (libc::SYS_clone, "clone", false),
    (libc::SYS_semtimedop, "semtimedop", false),
];

/// Those that younger architectures do without.
#[cfg(target_arch = "x86_64")]
const OLD: &[(c_long, &str, bool)] = &[
    (libc::SYS_open, "open", false),
    (libc::SYS_stat, "stat", false),
    (libc::SYS_unlink, "unlink", false),
    (libc::SYS_rename, "rename", false),
    (libc::SYS_poll, "poll", false),
    (libc::SYS_select, "select", false),
    (libc::SYS_epoll_wait, "epoll_wait", true),
    (libc::SYS_pause, "pause", false),
];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[(c_long, &str, bool)] = &[];

/// The name of a system call in which programs usually wait, and whether its first argument is a
/// descriptor.
#[must_use]
pub fn syscall(number: c_long) -> Option<(&'static str, bool)> {
    COMMON
        .iter()
        .chain(OLD)
        .find(|(known, ..)| *known == number)
        .map(|(_, name, takes_descriptor)| (*name, *takes_descriptor))
}
