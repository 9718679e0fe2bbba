//! The words of STATUS: how things are, in one line.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brigade_shared::id::{SlotId, WorkerId};

use crate::plan::{Change, Condition, Despair, Failure, Health, Refusal};

/// What is told beside the numbers.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Besides<'a> {
    pub(super) rate: Option<u64>,
    /// How the last reload or upgrade ended.
    pub(super) last: Option<&'a str>,
    /// What went wrong last.
    pub(super) trouble: Option<&'a str>,
    /// Why the fleet is given up.
    pub(super) despair: Option<&'a str>,
    /// No sign of life is given.
    pub(super) is_withheld: bool,
}

/// What a change needs to be told.
pub(super) struct Around<'a> {
    /// The time of day, in UTC as in the log.
    pub(super) at: SystemTime,
    /// Why something could not be had.
    pub(super) reason: &'a str,
    /// The slot of a worker.
    pub(super) slot: &'a dyn Fn(WorkerId) -> Option<SlotId>,
}

/// The status of a fleet.
pub(super) fn status(health: &Health, besides: Besides<'_>) -> String {
    let mut parts = Vec::new();
    match health.phase {
        Condition::Starting => parts.push("starting".to_owned()),
        Condition::Serving => {}
        Condition::Reloading => parts.push("reloading".to_owned()),
        Condition::Upgrading => parts.push("upgrading".to_owned()),
        Condition::Stopping => {
            let stopping = besides.despair.unwrap_or("stopping").to_owned();
            return match health.leaving {
                0 => stopping,
                1 => format!("{stopping}, 1 worker still has to leave"),
                many => format!("{stopping}, {many} workers still have to leave"),
            };
        }
    }
    let (ready, wanted, blocked) = (health.ready, health.wanted, health.blocked);
    parts.push(format!("{ready}/{wanted} workers ready"));
    if blocked > 0 {
        parts.push(format!("{blocked} blocked"));
    }
    if !health.is_ready && health.needed < wanted {
        parts.push(format!("{} needed", health.needed));
    }
    parts.extend(besides.rate.map(|rate| format!("{} req/s", grouped(rate))));
    if besides.is_withheld {
        parts.push("the watchdog gets no sign of life".to_owned());
    }
    parts.extend(besides.last.map(str::to_owned));
    if !health.is_ready {
        parts.extend(besides.trouble.map(str::to_owned));
    }
    parts.join(", ")
}

/// Why no sign of life is given.
pub(super) fn ailment(health: &Health) -> String {
    match (health.ready, health.wanted) {
        (0, 1) => "the only worker is not ready".to_owned(),
        (0, wanted) => format!("none of {wanted} workers is ready"),
        (1, _) => "the only worker that is ready makes no progress".to_owned(),
        (ready, _) => format!("none of the {ready} workers that are ready makes progress"),
    }
}

/// How a reload or an upgrade ended, if this is such an end.
pub(super) fn outcome(change: &Change, around: &Around<'_>) -> Option<String> {
    let reason = first_line(around.reason);
    let (what, how) = match change {
        Change::ReloadDone(_) => ("reload", "done".to_owned()),
        Change::CertificatesRenewed(_) => ("reload", "done, certificates only".to_owned()),
        Change::ReloadRefused => ("reload", format!("refused: {reason}")),
        Change::ReloadRolledBack {
            worker, failure, ..
        } => {
            let who = who(*worker, around);
            let how = match failure {
                Failure::Ended(exit) => format!("{who} ended with {exit}"),
                Failure::NotMade => format!("{who} could not be made: {reason}"),
                Failure::Late => format!("{who} was not ready in time"),
                Failure::Blocked => format!("{who} made no progress"),
            };
            ("reload", format!("rolled back: {how}"))
        }
        Change::UpgradeDone(_) => ("upgrade", "done".to_owned()),
        Change::UpgradeRefused(Refusal::Busy) => {
            ("upgrade", "refused: another was under way".to_owned())
        }
        Change::UpgradeRefused(Refusal::Sentinel | Refusal::Exec) => {
            ("upgrade", format!("refused: {reason}"))
        }
        Change::UpgradeRolledBack { .. } => ("upgrade", "rolled back".to_owned()),
        Change::UpgradeStranded { .. } => {
            let how = "failed, the workers of the old version serve on";
            ("upgrade", how.to_owned())
        }
        _ => return None,
    };
    Some(format!("last {what} {} {how}", time_of_day(around.at)))
}

/// What is wrong, if this is such a change.
pub(super) fn trouble(change: &Change, around: &Around<'_>) -> Option<String> {
    match change {
        Change::WorkerCrashed { worker, exit, .. } => {
            Some(format!("{} ended with {exit}", who(*worker, around)))
        }
        Change::SpawnFailed { slot, .. } => {
            let reason = first_line(around.reason);
            Some(format!("worker {slot} could not be made: {reason}"))
        }
        Change::SlotParked(slot) => Some(format!("worker {slot} asked not to be started again")),
        Change::WorkerOverdue {
            worker,
            deadline: crate::plan::Deadline::Start,
        } => Some(format!("{} was not ready in time", who(*worker, around))),
        _ => None,
    }
}

/// Why the fleet is given up, and what went wrong last.
pub(super) fn despair(why: Despair, trouble: Option<&str>) -> String {
    let why = match why {
        Despair::NeverReady { attempts } => {
            format!("giving up: no worker became ready, with up to {attempts} attempts each")
        }
        Despair::TooManyCrashes(limit) => {
            let (crashes, seconds) = (limit.crashes, limit.period.as_secs_f64());
            format!("giving up: more than {crashes} crashes within {seconds} s")
        }
    };
    match trouble {
        Some(trouble) => format!("{why}; {trouble}"),
        None => why,
    }
}

/// The line of a refused start.
pub(super) fn refused(problem: &str) -> String {
    format!("could not start: {}", first_line(problem))
}

/// The number that std writes behind the kernel's words: `(os error 98)`.
pub(super) fn errno(problem: &str) -> Option<u32> {
    let (_, rest) = problem.split_once("(os error ")?;
    let (number, _) = rest.split_once(')')?;
    number.parse().ok()
}

fn who(worker: WorkerId, around: &Around<'_>) -> String {
    match (around.slot)(worker) {
        Some(slot) => format!("worker {slot}"),
        None => "a worker".to_owned(),
    }
}

/// Without the word with which problems are shown to people.
fn first_line(text: &str) -> &str {
    let mut lines = text.lines().map(str::trim);
    let line = lines.find(|line| !line.is_empty()).unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line)
}

/// `12:03`, in UTC.
fn time_of_day(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let minutes = since.as_secs() / 60;
    format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
}

/// `1,204`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use brigade_shared::exit::Exit;
    use brigade_shared::id::{Generation, SlotId, WorkerId};

    use super::{
        Around, Besides, ailment, despair, errno, grouped, outcome, refused, status, trouble,
    };
    use crate::plan::{Change, Condition, Despair, Failure, Health};

    const WELL: Health = Health {
        phase: Condition::Serving,
        wanted: 8,
        needed: 8,
        ready: 8,
        blocked: 0,
        leaving: 0,
        is_started: true,
        is_ready: true,
        is_alive: true,
    };

    fn told(change: &Change, reason: &str) -> Option<String> {
        let around = Around {
            at: UNIX_EPOCH + Duration::from_secs(86_400 * 3 + 12 * 3_600 + 3 * 60 + 59),
            reason,
            slot: &|worker| (worker.0 == 9).then_some(SlotId(2)),
        };
        outcome(change, &around).or_else(|| trouble(change, &around))
    }

    #[test]
    fn a_fleet_that_serves_is_told_in_numbers_and_by_its_last_reload() {
        let failed = Change::ReloadRolledBack {
            generation: Generation(4),
            worker: WorkerId(9),
            failure: Failure::Ended(Exit::Code(3)),
        };
        let last = told(&failed, "");
        let besides = Besides {
            rate: Some(1_204),
            last: last.as_deref(),
            ..Besides::default()
        };
        assert_eq!(
            status(&WELL, besides),
            "8/8 workers ready, 1,204 req/s, last reload 12:03 rolled back: worker 2 ended with exit code 3"
        );
    }

    #[test]
    fn what_is_wrong_is_told_as_long_as_it_is() {
        let crash = Change::WorkerCrashed {
            worker: WorkerId(7),
            exit: Exit::Signal(9),
            was_ready: false,
            uptime: Duration::ZERO,
            next: crate::plan::Next::Now,
        };
        let trouble = told(&crash, "");
        let besides = Besides {
            trouble: trouble.as_deref(),
            ..Besides::default()
        };
        let starting = Health {
            phase: Condition::Starting,
            needed: 4,
            ready: 3,
            is_ready: false,
            ..WELL
        };
        let said = status(&starting, besides);
        assert!(
            said.starts_with("starting, 3/8 workers ready, 4 needed, a worker ended with"),
            "{said}"
        );
        assert_eq!(status(&WELL, besides), "8/8 workers ready");
        let stuck = Health {
            blocked: 8,
            is_ready: false,
            is_alive: false,
            ..WELL
        };
        let besides = Besides {
            is_withheld: true,
            ..Besides::default()
        };
        assert_eq!(
            status(&stuck, besides),
            "8/8 workers ready, 8 blocked, the watchdog gets no sign of life"
        );
        assert_eq!(
            ailment(&stuck),
            "none of the 8 workers that are ready makes progress"
        );
    }

    #[test]
    fn a_stop_counts_those_who_still_have_to_leave() {
        let stopping = Health {
            phase: Condition::Stopping,
            ready: 0,
            leaving: 2,
            is_ready: false,
            ..WELL
        };
        let said = status(&stopping, Besides::default());
        assert_eq!(said, "stopping, 2 workers still have to leave");
        let last = Health {
            leaving: 1,
            ..stopping
        };
        let attempts = 3;
        let why = despair(Despair::NeverReady { attempts }, Some("worker 0 ended"));
        let besides = Besides {
            despair: Some(&why),
            ..Besides::default()
        };
        assert_eq!(
            status(&last, besides),
            "giving up: no worker became ready, with up to 3 attempts each; worker 0 ended, 1 worker still has to leave"
        );
    }

    #[test]
    fn only_the_first_line_of_a_problem_is_told() {
        let said = told(
            &Change::ReloadRefused,
            "\nerror: workers: 0 is no number\n  at line 3\n",
        );
        let expected = "last reload 12:03 refused: workers: 0 is no number";
        assert_eq!(said.as_deref(), Some(expected));
        assert_eq!(refused("one\ntwo"), "could not start: one");
    }

    #[test]
    fn the_kernels_number_is_found_in_its_words() {
        let problem = std::io::Error::from_raw_os_error(98).to_string();
        assert_eq!(errno(&format!("cannot listen: {problem}")), Some(98));
        assert_eq!(errno("no such user"), None);
    }

    #[test]
    fn large_numbers_are_grouped() {
        let shown = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }
}
