//! WebSockets, whatever library the app speaks them with: a connection that was answered with 101
//! and `upgrade: websocket` is followed frame by frame, so that it can be closed in order when the
//! worker leaves, and when a message is too big.

mod register;

mod watch;

mod frames;
mod switch;
#[cfg(test)]
mod tests;

pub(crate) use register::{Register, begin, close_all};
pub(crate) use switch::{Spoken, Switch};
pub(crate) use watch::Watch;
