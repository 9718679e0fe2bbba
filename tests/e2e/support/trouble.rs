//! Trouble that a test makes: workers that block, freeze, or are suspended with everybody else.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::brigade::{Brigade, Worker};
use super::http::Connection;
use super::process::Process;

impl Process {
    /// Sends a signal.
    pub(crate) fn signal(self, signal: Signal) {
        kill(Pid::from_raw(self.0), signal).unwrap();
    }

    /// How often it has gone to sleep of its own accord.
    pub(crate) fn naps(self) -> u64 {
        let switches = self.status("voluntary_ctxt_switches");
        switches.parse().expect("a living process")
    }
}

impl Brigade {
    /// Asks one worker, whichever it is, to block its event loop for so many milliseconds. The
    /// answer is still to come.
    pub(crate) fn block_any(&self, milliseconds: u32) -> (Worker, Connection) {
        self.expect("worker.blocked");
        let mut connection = self.connect();
        let pid = connection.get("/").unwrap().number("pid");
        let workers = self.workers().into_iter();
        let mut blocked = workers.filter(|worker| Some(worker.process.0.into()) == pid);
        let blocked = blocked.next().expect("a worker of the log");
        let path = format!("/blocking?ms={milliseconds}");
        let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n");
        connection.send(request).unwrap();
        (blocked, connection)
    }

    /// Lets time pass, in which something must not happen. Nothing else can tell that.
    pub(crate) fn watch_for(&self, time: Duration) {
        let begin = Instant::now();
        self.until("time has passed", || begin.elapsed() >= time);
    }

    /// Waits until nobody does anything any more.
    pub(crate) fn calm(&self) {
        let naps = || -> Vec<_> { self.processes().into_iter().map(Process::naps).collect() };
        let (mut last, mut since) = (naps(), Instant::now());
        self.until("everybody is idle", || {
            let now = naps();
            if now != last {
                (last, since) = (now, Instant::now());
            }
            since.elapsed() > Duration::from_secs(1)
        });
    }
}
