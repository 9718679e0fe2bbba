//! Upgrade in place: the supervisor becomes another program in the same process, and its workers
//! stay its children. What it knows goes along as one JSON document in a sealed memfd, what it
//! holds as descriptors that survive the exec. docs/upgrade.md, decision 0010.

mod adrift;
mod arrival;
mod configs;
mod document;
mod formats;
mod luggage;
mod members;
mod pack;
mod sentinel;
mod start;
mod takeover;
mod told;
mod upgrade;

pub use arrival::Arrival;
pub(crate) use arrival::Purpose;
pub(crate) use luggage::{Carried, Packing, Unpacking};
pub(crate) use pack::take;
pub(crate) use takeover::{Takeover, rehearse, take_over};
pub(crate) use told::{Words, tell};
pub(crate) use upgrade::{Leap, Upgrade};
