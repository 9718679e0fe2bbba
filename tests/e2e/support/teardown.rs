//! The end of every test: the Brigade has left with the right code and nothing stays behind.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

use super::brigade::Brigade;
use super::contract;
use super::http::{Address, Connection, Trouble};
use super::log::PATIENCE;

/// Events that mean trouble: unless the test has named them, it did not provoke them.
const TROUBLE: [&str; 20] = [
    "manager.unreachable",
    "manager.watchdog_withheld",
    "admin.crashed",
    "admin.overdue",
    "admin.failed",
    "admin.panicked",
    "worker.crashed",
    "worker.overdue",
    "worker.hidden",
    "worker.blocked",
    "worker.spawn_failed",
    "reload.refused",
    "reload.rolled_back",
    "upgrade.refused",
    "upgrade.rolled_back",
    "upgrade.stranded",
    "supervisor.giving_up",
    "log.dropped",
    "request.panicked",
    "app.failed",
];

impl Brigade {
    /// Asks it to stop and checks everything that must hold afterwards.
    pub(crate) fn stop_and_check(self) {
        self.check_children();
        self.signal(Signal::SIGTERM);
        self.ended(0);
    }

    /// Waits for its end, which somebody else has caused, and checks everything that must hold
    /// afterwards: the code, no process, no socket file, no pid file, a log that keeps its word.
    pub(crate) fn ended(self, code: i32) {
        let addresses = self.addresses();
        let status = self.log.wait_exit(PATIENCE).expect("the supervisor leaves");
        assert_eq!(
            status.code(),
            Some(code),
            "exit code of the supervisor ({status})"
        );
        self.check_nothing_stays();
        self.check_no_files();
        self.check_log();
        if self.captured {
            let stopped = self.wait_for("supervisor.stopped", |_| true);
            assert_eq!(
                stopped.number("code"),
                Some(code.into()),
                "what it said of its end"
            );
        }
        let inherited = |event: &super::Event| {
            ["fd:", "systemd:"]
                .iter()
                .any(|kind| event.text("bind").starts_with(kind))
        };
        if !self.events("supervisor.listening").iter().any(inherited)
            && !self.is_expected("other listeners")
        {
            addresses.iter().for_each(nobody_listens);
        }
    }

    /// No dead child is left unwaited for while the supervisor lives.
    pub(crate) fn check_children(&self) {
        let unreaped = || {
            self.supervisor()
                .children()
                .iter()
                .any(|child| child.is_zombie())
        };
        self.until("the supervisor has reaped its children", || !unreaped());
    }

    /// No process of this Brigade is left, neither alive nor dead and unreaped.
    pub(crate) fn check_nothing_stays(&self) {
        let closed = !self.captured || self.log.wait_closed(PATIENCE);
        assert!(
            closed,
            "standard error is still open in {:?}",
            self.processes()
        );
        // Who was killed a moment ago may still be on his way out.
        self.log.until(|| self.processes().is_empty());
        let alive = self.processes();
        let told: Vec<_> = alive
            .iter()
            .map(|process| (process.0, process.title()))
            .collect();
        assert!(told.is_empty(), "orphans are left: {told:?}");
        let all = self.all_workers();
        let unreaped: Vec<_> = all.iter().filter(|worker| worker.is_zombie()).collect();
        assert!(
            unreaped.is_empty(),
            "workers died and nobody waited for them: {unreaped:?}"
        );
    }

    fn is_expected(&self, name: &str) -> bool {
        self.expected.lock().unwrap().contains(&name)
    }

    fn check_no_files(&self) {
        for entry in fs::read_dir(self.dir()).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name();
            let stale = entry.file_type().unwrap().is_socket() && !self.is_expected("socket files");
            assert!(!stale, "a stale socket is left: {name:?}");
            let name = name.to_string_lossy();
            assert!(
                !name.ends_with(".pid"),
                "a stale pid file is left: {name:?}"
            );
        }
    }

    /// Every line is what docs/events.md promises, and no trouble is told but the expected.
    pub(crate) fn check_log(&self) {
        let events = self.log.events(|_| true);
        let faults: Vec<_> = events.iter().filter_map(contract::fault).collect();
        assert!(
            faults.is_empty(),
            "the log breaks its contract: {faults:#?}"
        );
        let strays = self.log.strays();
        let clean = strays.is_empty() || self.is_expected("stray lines");
        assert!(clean, "lines of the log that are not JSON: {strays:#?}");
        let surprise = |event: &&super::Event| {
            TROUBLE.contains(&event.name()) && !self.is_expected(event.name())
        };
        let surprises: Vec<_> = events
            .iter()
            .filter(surprise)
            .map(|event| &event.value)
            .collect();
        assert!(
            surprises.is_empty(),
            "trouble that nobody provoked: {surprises:#?}"
        );
    }
}

fn nobody_listens(address: &Address) {
    match Connection::open(address) {
        Err(Trouble::Refused | Trouble::NoFile) => {}
        other => panic!("somebody still listens at {address:?}: {other:?}"),
    }
}

impl Drop for Brigade {
    /// Kills what is left, and nothing but that: each process is known by its working directory.
    /// Bounded: whoever makes processes faster than this loop kills them wins.
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the log of the failed test:\n{}", self.tell());
        }
        let supervisor = self.supervisor();
        if self.log.status().is_none() {
            // Fails only if it has just ended by itself.
            let _ended = kill(Pid::from_raw(supervisor.0), Signal::SIGKILL);
            self.log.wait_exit(Duration::from_secs(10));
        }
        for _ in 0..10 {
            let left = self.processes();
            for process in &left {
                let _ended = kill(Pid::from_raw(process.0), Signal::SIGKILL);
            }
            for process in left.iter().chain(&self.all_workers()) {
                // Orphans are our children now; the rest is none of ours, which is fine.
                let options = Some(WaitPidFlag::WNOHANG);
                let _reaped = waitpid(Pid::from_raw(process.0), options);
            }
            if left.is_empty() {
                break;
            }
        }
    }
}
