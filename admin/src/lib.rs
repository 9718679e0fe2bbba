//! The process behind the admin address: answers `/startupz`, `/livez`, `/readyz` and `/metrics`
//! from the scoreboard, so that it answers while every worker hangs. It asks the supervisor one
//! thing: whether it turns.
//!
//! It is a child of the supervisor like a worker and touches nothing of the serving path: one
//! thread, a few connections at a time, each with deadlines, and no word of it costs a worker more
//! than a cache line that is read. It hears no signal; the supervisor says when to leave.

#![forbid(unsafe_code)]

mod run;

mod guests;
mod pulse;
mod reply;

mod metrics;
mod probe;

pub use run::run;
