//! The report, and how it is made.

use std::fmt;

use nix::unistd::Pid;

use super::glance::Glance;

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
    Report {
        state: glance.words(),
        kernel: glance.kernel(),
        frames: Vec::new(),
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
