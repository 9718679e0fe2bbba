//! How much of the supervisor's time stacks may take: when many workers stand still at once, those
//! that don't must not wait for their stories.

use std::cell::Cell;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use super::report::{Report, of};

/// So much time within each of these spans; one that has begun is read to its end.
const MOST: Duration = Duration::from_millis(50);
const SPAN: Duration = Duration::from_secs(1);

/// What was spent.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    since: Cell<Option<Instant>>,
    spent: Cell<Duration>,
}

impl Budget {
    /// What the process does, or that there is no time to look.
    pub(crate) fn report(&self, pid: Pid) -> String {
        let begin = Instant::now();
        let is_over = |since| begin.duration_since(since) >= SPAN;
        if self.since.get().is_none_or(is_over) {
            self.since.set(Some(begin));
            self.spent.set(Duration::ZERO);
        }
        if self.spent.get() >= MOST {
            return "its stack is not read, since others' have just been".to_owned();
        }
        let report: Report = of(pid);
        self.spent.set(self.spent.get() + begin.elapsed());
        report.to_string()
    }
}
