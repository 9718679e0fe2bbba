//! System calls behind safe functions: the only place in Brigade where `unsafe` may stand. Each
//! block argues why it is sound. No policy lives here.

#![allow(unsafe_code)]

pub mod accept;
pub mod beneath;
mod cgroup;
pub mod clock;
pub mod cpu;
pub mod depth;
pub mod diag;
pub mod epoll;
pub mod exec;
pub mod fd;
pub mod footprint;
pub mod fork;
pub mod memory;
pub mod memory_limit;
pub mod outgoing;
pub mod privileges;
pub mod process;
pub mod quota_watch;
pub mod random;
pub mod reuseport;
pub mod scm;
pub mod signal;
pub mod title;
pub mod trace;
pub mod wait;
