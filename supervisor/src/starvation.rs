//! The time in which a worker was ready to run and got no processor. It makes no progress then, and
//! is not to blame.
//!
//! The kernel counts how long a thread waited when the wait is over, so for one that waits now what it
//! did not run counts: a thread that is ready at both looks ran or waited in between.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use brigade_shared::id::WorkerId;
use brigade_shared::sys::process::{self, Share};
use nix::unistd::Pid;

/// What was read in this look, and in the one before.
#[derive(Debug, Default)]
pub(crate) struct Starvation {
    before: BTreeMap<WorkerId, Reading>,
    now: BTreeMap<WorkerId, Reading>,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    share: Share,
}

impl Starvation {
    /// A new look begins.
    pub(crate) fn begin(&mut self) {
        self.before = std::mem::take(&mut self.now);
    }

    /// For how long since the last look this worker got no processor; zero if it was not asked then.
    pub(crate) fn of(&mut self, worker: WorkerId, process: Pid) -> Duration {
        let Some(share) = process::share(process) else {
            return Duration::ZERO;
        };
        let at = Instant::now();
        let reading = Reading { at, share };
        self.now.insert(worker, reading);
        let before = self.before.get(&worker);
        before.map_or(Duration::ZERO, |before| between(before, &reading))
    }
}

fn between(before: &Reading, now: &Reading) -> Duration {
    let waited = now.share.waited.saturating_sub(before.share.waited);
    let (passed, ran) = (now.at - before.at, now.share.ran);
    let not_run = passed.saturating_sub(ran.saturating_sub(before.share.ran));
    if now.share.is_ready {
        waited.max(not_run)
    } else {
        waited
    }
}

#[cfg(test)]
mod tests {
    use super::{Reading, between};
    use brigade_shared::sys::process::Share;
    use std::time::{Duration, Instant};

    #[test]
    fn who_waits_still_has_waited_for_as_long_as_it_did_not_run() {
        let begin = Instant::now();
        let reading = |at, ran, waited, is_ready| {
            let [at, ran, waited] = [at, ran, waited].map(Duration::from_millis);
            let share = Share {
                ran,
                waited,
                is_ready,
            };
            Reading {
                at: begin + at,
                share,
            }
        };
        let starved = |before, now| between(&before, &now).as_millis();
        let first = reading(0, 50, 70, true);
        assert_eq!(starved(first, reading(30, 50, 70, true)), 30);
        assert_eq!(starved(first, reading(30, 60, 70, true)), 20);
        assert_eq!(starved(first, reading(30, 80, 70, true)), 0, "it spins");
        let asleep = reading(30, 50, 70, false);
        assert_eq!(starved(first, asleep), 0, "it waits for something else");
        assert_eq!(starved(first, reading(30, 60, 85, false)), 15);
    }
}
