//! The one seam between kinds of workers: how a fresh child becomes one.

use std::ffi::CString;
use std::fmt;

use brigade_config::WorkerConfig;
use brigade_shared::desk::Desk;
use brigade_shared::seat::Seat;

/// Runs a worker in a child and returns its exit code.
pub type Service = Box<dyn Fn(Seat, &WorkerConfig) -> i32>;

/// Answers at the admin address in a child and returns its exit code.
pub type AdminService = Box<dyn Fn(Desk) -> i32>;

/// What a child does once its surroundings are set up.
pub enum Launch {
    /// It runs code of this program.
    Service(Service),
    /// It becomes another program, which gets its sockets by the `LISTEN_FDS` protocol and may
    /// speak sd_notify(3) to the supervisor.
    Program(Program),
}

/// A program and its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    /// The name, looked up in `PATH`, and the arguments as given.
    pub arguments: Vec<CString>,
}

impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(_) => f.write_str("Service"),
            Self::Program(program) => program.fmt(f),
        }
    }
}
