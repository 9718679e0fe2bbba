//! The report, and how it is made.

use std::{fmt, fs};

use brigade_shared::sys::trace::{self, Refusal};
use nix::unistd::Pid;

use super::glance::{self, Glance};
use super::library::Library;
use super::{names, unwind};

/// Stack that is copied: what lies further out is the server's own.
const MOST_STACK: usize = 512 << 10;

/// What the main thread of a process does. `Display` is one line of state and one per frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// What it does, and why there are no frames if there are none: the end of a sentence that the
    /// process begins (`waits in read at pipe:[31]`).
    pub state: String,
    /// The function of the kernel in which it waits.
    pub kernel: Option<String>,
    /// Its functions, from the innermost out, without those of the server around it.
    pub frames: Vec<String>,
}

/// Looks at the main thread of `pid`. It takes some milliseconds at most 50 and leaves the process
/// as it was: running or stopped, with all its signals.
#[must_use]
pub fn of(pid: Pid) -> Report {
    let glance = Glance::at(pid);
    let (frames, lack) = match frames(pid, &glance) {
        Ok(frames) => (frames, None),
        Err(lack) => (Vec::new(), lack),
    };
    let state = match lack {
        Some(lack) => format!("{}; {lack}", glance.words()),
        None => glance.words(),
    };
    Report {
        state,
        kernel: glance.kernel(),
        frames,
    }
}

/// The frames, or why there are none, unless its state says it.
fn frames(pid: Pid, glance: &Glance) -> Result<Vec<String>, Option<String>> {
    match glance {
        Glance::Running | Glance::Waiting(_) | Glance::Stopped => {}
        // Who asked such a process to stop, or read its memory, might wait for as long as it does.
        Glance::Uninterruptible(_) => return Err(None),
        Glance::Held { .. } | Glance::Ended | Glance::Gone => return Err(None),
    }
    if glance::has_uninterruptible_thread(pid) {
        return Err(Some(
            "another thread of it waits in the kernel, so its memory is not read".to_owned(),
        ));
    }
    let captured =
        trace::capture(pid, MOST_STACK).map_err(|refusal| Some(refused(pid, &refusal)))?;
    let mut library = Library::of(pid);
    let frames = unwind::frames(pid, &captured, &mut library);
    let places: Vec<_> = frames
        .iter()
        .map(|frame| library.place(pid, frame.address))
        .collect();
    let names = library.names(&places);
    Ok(names::lines(&places, &names))
}

/// Why the kernel or the process did not let us look.
fn refused(pid: Pid, refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotAllowed => not_allowed(pid),
        Refusal::Filtered => {
            "its stack cannot be read: the filter of system calls (SystemCallFilter=) ends who calls ptrace".to_owned()
        }
        Refusal::Gone => "it ended meanwhile".to_owned(),
        Refusal::NotInTime => "it did not stop in time to be looked at".to_owned(),
        Refusal::Unknown => "its stack cannot be read on this kind of machine".to_owned(),
        Refusal::Failed(error) => format!("its stack cannot be read: {error}"),
    }
}

fn not_allowed(pid: Pid) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let tracer = status
        .lines()
        .find_map(|line| line.strip_prefix("TracerPid:"));
    if let Some(tracer) = tracer.map(str::trim).filter(|tracer| *tracer != "0") {
        return format!("process {tracer} traces it, so its stack cannot be read");
    }
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    match scope.trim() {
        "2" | "3" => format!(
            "its stack cannot be read: kernel.yama.ptrace_scope is {}, and 0 or 1 would allow it",
            scope.trim()
        ),
        _ => "its stack cannot be read: that needs the same user, or CAP_SYS_PTRACE".to_owned(),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it {}", self.state)?;
        if let Some(kernel) = &self.kernel {
            write!(f, " (kernel: {kernel})")?;
        }
        for frame in &self.frames {
            write!(f, "\n  {frame}")?;
        }
        Ok(())
    }
}
