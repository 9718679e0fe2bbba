//! The pools for work that would block the event loop.

use std::time::Duration;

/// The pools for work that would block the event loop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offload {
    /// The most threads of the pool for what waits, in each worker; at least 1.
    pub threads: u16,
    /// The most threads of the pool for what computes, in each worker; at least 1.
    pub cpu_threads: u16,
    /// The most jobs that wait for a thread of one pool.
    pub queue: u32,
    /// The longest wait for a thread.
    pub wait: Duration,
    /// From the call to the result, at most.
    pub timeout: Duration,
}

impl Default for Offload {
    /// The defaults of the table of keys; a test holds the two together.
    fn default() -> Self {
        Self {
            threads: 40,
            cpu_threads: 1,
            queue: 400,
            wait: Duration::from_secs(5),
            timeout: Duration::from_secs(60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Offload;
    use crate::types::Config;

    #[test]
    fn the_defaults_are_those_of_the_keys() {
        assert_eq!(Config::default().worker.offload, Offload::default());
    }
}
