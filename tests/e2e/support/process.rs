//! What the kernel says of processes: read from /proc, reaped by pid.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

/// A process as seen from outside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Process(pub(crate) i32);

impl Process {
    fn file(self, name: &str) -> io::Result<String> {
        let bytes = fs::read(format!("/proc/{}/{name}", self.0))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The value of a line of /proc/PID/status, for example of `Uid`.
    pub(crate) fn status(self, key: &str) -> String {
        let text = self.file("status").unwrap_or_default();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The command line as `ps` shows it.
    pub(crate) fn title(self) -> String {
        let text = self.file("cmdline").unwrap_or_default();
        text.trim_end_matches('\0')
            .replace('\0', " ")
            .trim_end()
            .to_owned()
    }

    /// A limit of /proc/PID/limits, soft and hard.
    pub(crate) fn limit(self, name: &str) -> (String, String) {
        let text = self.file("limits").unwrap_or_default();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_default();
        let mut words = line.split_whitespace().map(str::to_owned);
        (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        )
    }

    /// What its descriptors lead to, without inode numbers, sorted.
    pub(crate) fn descriptors(self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(format!("/proc/{}/fd", self.0)) else {
            return Vec::new();
        };
        let target = |entry: io::Result<fs::DirEntry>| fs::read_link(entry.ok()?.path()).ok();
        let mut targets: Vec<String> = entries
            .filter_map(target)
            .map(|path| {
                path.to_string_lossy()
                    .split(":[")
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect();
        targets.sort();
        targets
    }

    /// Whether it has this file open by the name that the file bears now.
    pub(crate) fn has_open(self, file: &Path) -> bool {
        let file = file.to_string_lossy();
        self.descriptors().iter().any(|open| *open == file)
    }

    /// The inode of the socket behind a descriptor, or what else it leads to.
    pub(crate) fn descriptor(self, number: u32) -> Option<String> {
        let target = fs::read_link(format!("/proc/{}/fd/{number}", self.0)).ok()?;
        Some(target.to_string_lossy().into_owned())
    }

    /// Its state letter (`R`, `S`, `Z` ...) and its parent; nothing if there is no such process.
    fn stat(self) -> Option<(char, i32)> {
        let text = self.file("stat").ok()?;
        let (_, rest) = text.rsplit_once(") ")?;
        let mut fields = rest.split(' ');
        Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
    }

    /// Whether it has ended and nobody has waited for it.
    pub(crate) fn is_zombie(self) -> bool {
        self.stat().is_some_and(|(state, _)| state == 'Z')
    }

    /// Its parent's pid.
    pub(crate) fn parent(self) -> Option<i32> {
        self.stat().map(|(_, parent)| parent)
    }

    /// Processor time used so far, in clock ticks.
    pub(crate) fn ticks(self) -> u64 {
        let text = self.file("stat").unwrap_or_default();
        let rest = text
            .rsplit_once(") ")
            .map(|(_, rest)| rest)
            .unwrap_or_default();
        rest.split(' ')
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum()
    }

    /// For how long in all its main thread was ready to run and had no processor
    /// (proc_pid_schedstat(5)).
    pub(crate) fn starved(self) -> Duration {
        let text = self.file("schedstat").unwrap();
        let waited = text.split(' ').nth(1).unwrap();
        Duration::from_nanos(waited.parse().unwrap())
    }

    /// In which system call it waits; `running` if in none.
    pub(crate) fn waits_in(self) -> String {
        let text = self.file("syscall").unwrap_or_default();
        text.split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned()
    }

    /// Its children, dead and unreaped ones included.
    pub(crate) fn children(self) -> Vec<Self> {
        all()
            .into_iter()
            .filter(|process| process.parent() == Some(self.0))
            .collect()
    }
}

fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pid = |entry: io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    entries.filter_map(pid).map(Process).collect()
}

/// Every living process whose working directory is `dir`: that of one Brigade, of its workers and
/// of whatever these have started, for each works in the private directory of its test.
pub(crate) fn processes_in(dir: &Path) -> Vec<Process> {
    let works_there = |process: &Process| {
        fs::read_link(format!("/proc/{}/cwd", process.0)).is_ok_and(|cwd| cwd == dir)
    };
    all().into_iter().filter(works_there).collect()
}

/// Waits for the end of a process that the death of its parent has made our child.
pub(crate) fn reap(process: Process, patience: Duration) -> Option<WaitStatus> {
    let (told, hear) = mpsc::channel();
    thread::spawn(move || told.send(waitpid(Pid::from_raw(process.0), None).ok()));
    hear.recv_timeout(patience).ok().flatten()
}
