//! What the kernel knows of processes and CPUs, and what to make of many figures.

mod clock;
mod cpus;
mod limits;
mod machine;
mod memory;
mod noise;
mod spread;
mod tree;

pub(crate) use clock::CpuTime;
pub(crate) use cpus::{Cpus, pin_to};
pub(crate) use limits::raise_open_files;
pub(crate) use machine::machine;
pub(crate) use memory::{Wakeups, pss, resident, wakeups};
pub(crate) use noise::Noise;
pub(crate) use spread::Spread;
pub(crate) use tree::{children, family};
