//! What the kernel says of a process without touching it.

use std::fs;

use brigade_shared::sys::trace;
use nix::unistd::Pid;

/// What the main thread of a process does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Glance {
    /// It has a processor, or waits for one.
    Running,
    /// It waits for something, and a signal would wake it.
    Waiting(Wait),
    /// It waits for something, and no signal wakes it.
    Uninterruptible(Wait),
    /// A signal has stopped it, or a freezer.
    Stopped,
    /// Another process holds it: a debugger.
    Held { by: Option<i32> },
    /// It has ended and is not reaped.
    Ended,
    /// There is no such process.
    Gone,
}

/// What is waited for.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Wait {
    /// The system call.
    pub(super) call: Option<&'static str>,
    /// What its first argument is open at.
    pub(super) at: Option<String>,
    /// The function of the kernel that waits.
    pub(super) kernel: Option<String>,
}

impl Glance {
    /// Looks. None of these files is filled in by the process itself, so none of them waits for it.
    pub(super) fn at(pid: Pid) -> Self {
        let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else {
            return Self::Gone;
        };
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.map_or("", str::trim)
        };
        match field("State:").chars().next() {
            Some('R') => Self::Running,
            Some('S' | 'I') => Self::Waiting(Wait::of(pid)),
            Some('D' | 'P' | 'K') => Self::Uninterruptible(Wait::of(pid)),
            Some('T') => Self::Stopped,
            Some('t') => Self::Held {
                by: field("TracerPid:").parse().ok().filter(|by| *by != 0),
            },
            Some('Z') => Self::Ended,
            _ => Self::Gone,
        }
    }

    /// What the process does, as the end of a sentence that it begins.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Running => "runs".to_owned(),
            Self::Waiting(wait) => format!("waits{}", wait.words()),
            Self::Uninterruptible(wait) => {
                format!("waits{}, and no signal reaches it", wait.words())
            }
            Self::Stopped => "is stopped by a signal".to_owned(),
            Self::Held { by: Some(by) } => format!("is held by process {by}"),
            Self::Held { by: None } => "is held by another process".to_owned(),
            Self::Ended => "has ended".to_owned(),
            Self::Gone => "is gone".to_owned(),
        }
    }

    /// The function of the kernel that waits.
    pub(super) fn kernel(&self) -> Option<String> {
        match self {
            Self::Waiting(wait) | Self::Uninterruptible(wait) => wait.kernel.clone(),
            Self::Running | Self::Stopped | Self::Held { .. } | Self::Ended | Self::Gone => None,
        }
    }
}

/// Whether a thread of the process waits where no signal reaches it. It may hold the lock without which
/// nobody reads the process's memory.
pub(crate) fn has_uninterruptible_thread(pid: Pid) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    threads.into_iter().flatten().flatten().any(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // The name, in parentheses, may hold anything.
        let state = stat.rsplit(')').next().map(str::trim_start);
        state.is_some_and(|state| state.starts_with('D'))
    })
}

impl Wait {
    fn of(pid: Pid) -> Self {
        let wchan = fs::read_to_string(format!("/proc/{pid}/wchan")).unwrap_or_default();
        let kernel = Some(wchan.trim().to_owned()).filter(|name| !name.is_empty() && name != "0");
        let line = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
        let mut words = line.split_whitespace();
        let number = words.next().and_then(|word| word.parse().ok());
        let Some((call, takes_descriptor)) = number.and_then(trace::syscall) else {
            return Self {
                kernel,
                ..Self::default()
            };
        };
        let first = words.next().and_then(|word| word.strip_prefix("0x"));
        let descriptor = first
            .filter(|_| takes_descriptor)
            .and_then(|hex| i32::from_str_radix(hex, 16).ok());
        let at = descriptor
            .and_then(|number| fs::read_link(format!("/proc/{pid}/fd/{number}")).ok())
            .map(|path| path.to_string_lossy().into_owned());
        Self {
            call: Some(call),
            at,
            kernel,
        }
    }

    fn words(&self) -> String {
        match (self.call, &self.at) {
            (Some(call), Some(at)) => format!(" in {call} at {at}"),
            (Some(call), None) => format!(" in {call}"),
            (None, _) => String::new(),
        }
    }
}
