//! systemd's sd_notify(3), spoken upwards: how this service is, for the manager that started it.
//! docs/systemd.md.
//!
//! [`Voice`] asks after every turn of the loop how the fleet is. `speech`, `words`, `pulse` and
//! `rate` decide what is said of it, without a socket or a clock; `line` brings it to the manager,
//! and never waits.

mod line;
mod pulse;
mod queue;
mod rate;
mod refusal;
mod speak;
mod speech;
mod voice;
mod words;

pub(crate) use line::{Line, LineState, Unsent};
pub(crate) use refusal::refused;
pub(crate) use voice::{Voice, VoiceState};
