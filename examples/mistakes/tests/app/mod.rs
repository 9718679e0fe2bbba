//! The example, running, and somebody to ask it.

mod client;
mod running;

pub(crate) use running::{App, Felt};
