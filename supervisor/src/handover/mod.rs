//! Upgrade in place: the supervisor becomes another program in the same process, and its workers
//! stay its children. What it knows goes along as one JSON document in a sealed memfd, what it
//! holds as descriptors that survive the exec. docs/upgrade.md, decision 0010.

mod luggage;

pub(crate) use luggage::{Carried, Packing, Unpacking};
