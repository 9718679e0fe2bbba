//! How a process ended, and what Brigade's own exit codes mean.

use std::fmt;

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// It called `exit` with this code, 0 to 255.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

/// Exit codes that a worker may choose; every other code, and every signal, is a crash.
pub mod worker {
    /// Retired as ordered.
    pub const RETIRED: i32 = 0;
    /// The system refused something before the worker could start.
    pub const SYSTEM: i32 = 71;
    /// Short of resources: respawn slowly (`EX_TEMPFAIL`, sysexits.h).
    pub const SHORT_OF_RESOURCES: i32 = 75;
    /// Do not respawn me (`EX_CONFIG`, sysexits.h).
    pub const DO_NOT_RESPAWN: i32 = 78;
}

/// Exit codes of the supervisor.
pub mod supervisor {
    /// Stopped as asked.
    pub const STOPPED: u8 = 0;
    /// Gave up: no worker ever became ready, or the configured restart intensity was exceeded.
    pub const GAVE_UP: u8 = 1;
    /// Wrong usage of the command line.
    pub const USAGE: u8 = 2;
    /// The system refused: bind, fork, memory (`EX_OSERR`, sysexits.h).
    pub const SYSTEM: u8 = 71;
    /// Bad configuration (`EX_CONFIG`, sysexits.h).
    pub const CONFIG: u8 = 78;
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(number) => match nix::sys::signal::Signal::try_from(number) {
                Ok(signal) => write!(f, "signal {signal}"),
                Err(_) => write!(f, "signal {number}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn a_signal_is_named() {
        assert_eq!(Exit::Signal(11).to_string(), "signal SIGSEGV");
        assert_eq!(Exit::Signal(63).to_string(), "signal 63");
        assert_eq!(Exit::Code(3).to_string(), "exit code 3");
    }
}
