//! What the supervisor decides, without doing any of it. Nothing here knows a pid, a descriptor, a
//! clock, a random source, a logger or any other part of an operating system.
//!
//! [`Fleet`] has two doors, `start` and `handle`, and one question, `next_deadline`. Drawings of
//! its states stand in `slot`, `stop`, `reload` and `fleet`, and together in `docs/lifecycle.md`.

#![deny(clippy::wildcard_enum_match_arm)]

mod change;
mod check;
mod fleet;
mod hear;
mod reload;
mod restart;
mod scale;
mod slot;
mod steer;
mod stop;
mod turn;
mod view;
mod vocabulary;
mod worker;

pub use fleet::Fleet;
pub use view::{SlotState, SlotView};
pub use vocabulary::*;
