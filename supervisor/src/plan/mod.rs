//! What the supervisor decides, without doing any of it. Nothing here knows a pid, a descriptor, a
//! clock, a random source, a logger or any other part of an operating system.
//!
//! [`Fleet`] has two doors, `start` and `handle`, and one question, `next_deadline`. Drawings of
//! its states stand in `slot`, `stop`, `reload`, `vigil`, `look`, `health` and `fleet`, and together in `docs/lifecycle.md`.

#![deny(clippy::wildcard_enum_match_arm)]

mod aide;
mod change;
mod check;
mod elastic;
mod fleet;
mod health;
mod hear;
mod look;
mod recycle;
mod relief;
mod reload;
mod restart;
mod scale;
mod sign;
mod slot;
mod stall;
mod steer;
mod stop;
mod tickets;
mod transaction;
mod turn;
mod upgrade;
mod view;
mod vigil;
mod vocabulary;
mod worker;

pub use aide::{Aide, AideAction, AideChange, AideEvent, AideId};
pub use fleet::Fleet;
pub use health::{Condition, Health};
pub use look::Attention;
pub use view::{SlotState, SlotView};
pub use vocabulary::*;
