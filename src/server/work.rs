//! What is written of requests, and what is done beside the event loop.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use super::Server;

impl Server {
    /// Appends a line for every request to this file; `-`: to standard output.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let server = brigade::Server::new();
    /// server
    ///     .access_log("/var/log/shop/access.log")
    ///     .access_log_format("{remote} {method} {path} {status} {duration}")
    ///     .access_log_slower_than(Duration::from_millis(250))
    ///     .access_log_sample(100)
    /// # ;
    /// ```
    pub fn access_log(self, path: impl AsRef<Path>) -> Self {
        self.path("access-log", path.as_ref())
    }

    /// What a line says: `common`, `combined`, `json`, `json:FIELD,FIELD`, or text with fields in braces.
    pub fn access_log_format(self, format: impl Display) -> Self {
        self.set("access-log-format", format)
    }

    /// Writes one of so many requests, by chance; 0: all.
    pub fn access_log_sample(self, requests: u32) -> Self {
        self.set("access-log-sample", requests)
    }

    /// Writes all requests that took longer, and of the others only those that
    /// [`access_log_sample`](Self::access_log_sample) picks; zero: all alike.
    pub fn access_log_slower_than(self, time: Duration) -> Self {
        self.time("access-log-slower-than", time)
    }

    /// So many threads per worker for [`offload::blocking`](crate::offload::blocking), 1 to 4096.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let server = brigade::Server::new();
    /// server
    ///     .offload_threads(16)
    ///     .offload_queue(64)
    ///     .offload_wait(Duration::from_secs(1))
    ///     .offload_timeout(Duration::from_secs(20))
    /// # ;
    /// ```
    pub fn offload_threads(self, threads: u16) -> Self {
        self.set("offload-threads", threads)
    }

    /// So many threads per worker for [`offload::cpu`](crate::offload::cpu).
    pub fn offload_cpu_threads(self, threads: u16) -> Self {
        self.set("offload-cpu-threads", threads)
    }

    /// So many jobs may wait for a thread, 0 to 1000000.
    pub fn offload_queue(self, jobs: u32) -> Self {
        self.set("offload-queue", jobs)
    }

    /// How long a job may wait for a thread.
    pub fn offload_wait(self, time: Duration) -> Self {
        self.time("offload-wait", time)
    }

    /// How long a job may take, its wait included; zero: as long as it likes.
    pub fn offload_timeout(self, time: Duration) -> Self {
        self.time("offload-timeout", time)
    }
}
