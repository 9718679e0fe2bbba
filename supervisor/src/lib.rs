//! The supervisor: one thread around poll(2). [`run()`] binds, forks, watches and replaces; `plan`
//! decides and the rest acts. It has no async runtime, no second thread and no `unsafe`.

#![forbid(unsafe_code)]

mod access;
mod act;
mod admin;
mod attend;
mod boot;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod handover;
mod hear;
mod launch;
mod listen;
mod look;
mod manager;
mod memory;
mod notify;
mod orders;
mod output;
mod overview;
mod passing;
mod pid_file;
pub mod plan;
mod probe;
mod processors;
mod random;
mod relief;
mod roster;
mod secrets;
mod settings;
mod spawn;
pub mod stack;
mod starvation;
mod store;
mod tell;
mod watch;

pub use boot::{Boot, LoadConfig, run};
pub use handover::Arrival;
pub use launch::{AdminService, Launch, Program, Service};
pub use listen::is_socket_activated;
pub use memory::{settle as settle_memory, surroundings};
pub use settings::level;
