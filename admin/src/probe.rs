//! What the probes say: pure, from what is known to an answer.

use std::fmt::Write as _;

use brigade_shared::board::{Condition, Phase};

/// A question of an orchestrator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Probe {
    /// Has it started? Asked until the first yes.
    Startup,
    /// Is it alive? A no means: restart it.
    Live,
    /// May it get new connections? A no means: leave it out.
    Ready,
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Check {
    is_well: bool,
    words: String,
}

/// The answer to a probe.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Verdict {
    probe: Probe,
    checks: Vec<Check>,
}

impl Probe {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Startup, Self::Live, Self::Ready];

    /// Where it is asked.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Startup => "/startupz",
            Self::Live => "/livez",
            Self::Ready => "/readyz",
        }
    }

    /// The answer. `turns`: whether the supervisor has answered, if it was asked.
    pub(crate) fn judge(self, condition: Option<Condition>, turns: Option<bool>) -> Verdict {
        let mut checks = Vec::new();
        if let Some(is_well) = turns {
            let words = match is_well {
                true => "the supervisor answers",
                false => "the supervisor does not answer: it is stopped or stuck",
            };
            checks.push(Check {
                is_well,
                words: words.to_owned(),
            });
        }
        checks.push(match condition {
            Some(condition) => self.look_at(condition),
            None => Check {
                is_well: self == Self::Live,
                words: "the supervisor has not said anything yet".to_owned(),
            },
        });
        Verdict {
            probe: self,
            checks,
        }
    }

    fn look_at(self, condition: Condition) -> Check {
        let Condition { ready, wanted, .. } = condition;
        let serve = match condition.blocked {
            0 => format!("{ready} of {wanted} workers serve"),
            blocked => format!("{ready} of {wanted} workers serve, {blocked} of them stand still"),
        };
        let (is_well, words) = match self {
            Self::Startup => match condition.is_started {
                true => (true, format!("it has started: {serve}")),
                false => (false, format!("it has not started yet: {serve}")),
            },
            Self::Live => match condition.is_alive {
                true => (true, serve),
                false => (false, format!("nobody serves who turns: {serve}")),
            },
            Self::Ready => match (condition.is_ready, condition.phase) {
                (true, _) => (true, serve),
                (false, Phase::Stopping) => (
                    false,
                    "it stops: send nothing new; what is here is finished".to_owned(),
                ),
                (false, Phase::Starting) => (false, format!("it starts: {serve}")),
                (false, Phase::Serving | Phase::Reloading | Phase::Upgrading) => {
                    (false, format!("too few serve: {serve}"))
                }
            },
        };
        Check { is_well, words }
    }
}

impl Verdict {
    /// Whether the answer is yes.
    pub(crate) fn is_well(&self) -> bool {
        self.checks.iter().all(|check| check.is_well)
    }

    /// In one line: what is wrong, or how things are.
    pub(crate) fn sentence(&self) -> String {
        let is_well = self.is_well();
        let told = self.checks.iter().filter(|check| check.is_well == is_well);
        let words: Vec<&str> = told.map(|check| check.words.as_str()).collect();
        let word = if is_well { "ok" } else { "not ok" };
        format!("{word}: {}\n", words.join("; "))
    }

    /// Check by check.
    pub(crate) fn list(&self) -> String {
        let mut text = String::new();
        for check in &self.checks {
            let sign = if check.is_well { '+' } else { '-' };
            let _ = writeln!(text, "[{sign}] {}", check.words);
        }
        let word = if self.is_well() { "ok" } else { "not ok" };
        let _ = writeln!(text, "{} {word}", self.probe.path());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Probe;
    use brigade_shared::board::{Condition, Phase};

    const SERVING: Condition = Condition {
        phase: Phase::Serving,
        is_started: true,
        is_ready: true,
        is_alive: true,
        wanted: 4,
        ready: 4,
        blocked: 0,
    };

    #[test]
    fn who_serves_is_well() {
        for probe in Probe::ALL {
            let verdict = probe.judge(Some(SERVING), Some(true));
            assert!(verdict.is_well(), "{verdict:?}");
            assert!(verdict.sentence().starts_with("ok: "), "{verdict:?}");
            assert!(verdict.sentence().contains("4 of 4 workers serve"));
            assert!(
                verdict
                    .list()
                    .starts_with("[+] the supervisor answers\n[+] ")
            );
        }
    }

    #[test]
    fn who_starts_is_alive_and_not_ready() {
        let starting = Condition {
            phase: Phase::Starting,
            is_started: false,
            is_ready: false,
            ready: 1,
            ..SERVING
        };
        let say = |probe: Probe| probe.judge(Some(starting), Some(true));
        assert!(say(Probe::Live).is_well());
        let words = say(Probe::Startup).sentence();
        assert_eq!(
            words,
            "not ok: it has not started yet: 1 of 4 workers serve\n"
        );
        let words = say(Probe::Ready).sentence();
        assert_eq!(words, "not ok: it starts: 1 of 4 workers serve\n");
    }

    #[test]
    fn who_stops_has_started_and_lives_and_wants_nothing_new() {
        let stopping = Condition {
            phase: Phase::Stopping,
            is_ready: false,
            ..SERVING
        };
        assert!(Probe::Live.judge(Some(stopping), Some(true)).is_well());
        assert!(Probe::Startup.judge(Some(stopping), None).is_well());
        let ready = Probe::Ready.judge(Some(stopping), None);
        assert!(!ready.is_well());
        assert!(ready.sentence().starts_with("not ok: it stops"));
    }

    #[test]
    fn a_supervisor_that_does_not_answer_is_not_alive_whatever_the_board_says() {
        let verdict = Probe::Live.judge(Some(SERVING), Some(false));
        assert!(!verdict.is_well());
        let words = "not ok: the supervisor does not answer: it is stopped or stuck\n";
        assert_eq!(verdict.sentence(), words, "only what is wrong");
        let list = verdict.list();
        assert!(
            list.contains("[-] the supervisor") && list.contains("[+] 4 of 4"),
            "{list}"
        );
        assert!(list.ends_with("/livez not ok\n"), "{list}");
    }

    #[test]
    fn a_fleet_that_stands_still_is_told_with_numbers() {
        let stuck = Condition {
            is_alive: false,
            is_ready: false,
            blocked: 4,
            ..SERVING
        };
        let words = Probe::Live.judge(Some(stuck), Some(true)).sentence();
        let told = "4 of 4 workers serve, 4 of them stand still";
        assert_eq!(words, format!("not ok: nobody serves who turns: {told}\n"));
        let words = Probe::Ready.judge(Some(stuck), None).sentence();
        assert_eq!(words, format!("not ok: too few serve: {told}\n"));
    }

    #[test]
    fn before_the_supervisor_has_spoken_nothing_is_ready_and_nothing_to_be_restarted() {
        assert!(!Probe::Startup.judge(None, None).is_well());
        assert!(!Probe::Ready.judge(None, None).is_well());
        assert!(Probe::Live.judge(None, Some(true)).is_well());
    }
}
