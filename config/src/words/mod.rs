//! Words to values: leaf parsers, total and pure. Each refusal is a [`Fault`]: what is wrong and
//! what to write instead. Where the words stood is added by the caller.

mod access;
mod address;
mod choice;
mod duration;
mod fault;
mod header;
mod nearest;
mod network;
mod number;
mod size;

pub(crate) use access::access_format;
pub(crate) use address::{Host, admin, bind, descriptor, host, unix};
pub(crate) use choice::{READINESS, choice, name_of, names, readiness, show_readiness};
pub(crate) use duration::{deadline, duration, limit_of_time, show_duration, show_limit_of_time};
pub(crate) use fault::{Fault, quoted};
pub(crate) use header::{header, root_path};
pub(crate) use nearest::nearest;
pub(crate) use network::trust;
pub(crate) use number::{
    account, intensity, limit, mask, path, port, show_intensity, show_limit, show_workers, whole,
    workers,
};
pub(crate) use size::{
    MOST_BYTES, OFF, OFF_WORDS, bytes, is_off, limit_of_bytes, memory, share, show_bytes,
    show_limit_of_bytes, show_memory, show_share, some_share,
};
