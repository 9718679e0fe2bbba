//! From what happened to a line of the log: docs/events.md names every event.

mod change;
mod fleet;
mod reload;
mod stall;
mod words;
mod worker;

pub(crate) use change::{Telling, tell};
pub(crate) use words::last_words;
