//! The books of the upgrade in place: who is asked, which binary runs, and what each may do.

use std::time::Duration;

use brigade_shared::id::Generation;
use brigade_supervisor::plan::{Action, Change, Moment, Refusal, Settings};

use super::ledger::{Broken, Course, Due, Ledger, Rule, hold};

/// How long an answer is awaited.
const PATIENCE: Duration = Duration::from_secs(30);

impl Ledger {
    pub(crate) fn hear_upgrade(&mut self, now: Moment) {
        if self.course == Course::Idle {
            let until = now + PATIENCE;
            self.course = Course::Asking { until };
            self.owe(Due::Say(Change::UpgradeStarted));
        } else {
            self.owe(refused(Refusal::Busy));
        }
    }

    pub(crate) fn see_sentinel_asked(&self) -> Result<(), Broken> {
        let asked = matches!(self.course, Course::Asking { .. });
        let told = self.said.contains(&Change::UpgradeStarted);
        hold(asked && told, Rule::Upgrade, || {
            format!("a sentinel is asked during {:?}", self.course)
        })
    }

    pub(crate) fn hear_sentinel(&mut self, agrees: bool) {
        if !matches!(self.course, Course::Asking { .. }) {
            return;
        }
        if agrees {
            self.course = Course::Departing;
            self.leap = Some(Action::ExecNew);
        } else {
            self.course = Course::Idle;
            self.owe(refused(Refusal::Sentinel));
        }
    }

    /// An answer that did not come in time.
    pub(crate) fn note_late_answers(&mut self, now: Moment) {
        match self.course {
            Course::Asking { until } if until <= now => self.hear_sentinel(false),
            Course::Departed { until } | Course::Returned { until, .. } if until <= now => {
                self.hear_exec_failed();
            }
            _ => {}
        }
    }

    pub(crate) fn hear_exec_failed(&mut self) {
        match self.course {
            Course::Departed { .. } => {
                self.course = Course::Idle;
                self.owe(refused(Refusal::Exec));
            }
            Course::Returned {
                failed: generation, ..
            } => {
                self.course = Course::Idle;
                self.forgets = true;
                self.owe(Due::Say(Change::UpgradeStranded { generation }));
            }
            _ => {}
        }
    }

    /// The order to become another binary: the last of its turn.
    pub(crate) fn see_leap(&mut self, action: &Action, now: Moment) -> Result<(), Broken> {
        let right = self.leap.take().as_ref() == Some(action) && self.stop.is_none();
        hold(right, Rule::Upgrade, || {
            format!("{action:?} during {:?}", self.course)
        })?;
        let until = now + PATIENCE;
        self.course = match std::mem::replace(&mut self.course, Course::Idle) {
            Course::Returning(failed) => Course::Returned { failed, until },
            _ => Course::Departed { until },
        };
        self.gone = true;
        Ok(())
    }

    pub(crate) fn see_forget(&mut self) -> Result<(), Broken> {
        let due = std::mem::take(&mut self.forgets);
        hold(due, Rule::Upgrade, || {
            "the old binary is forgotten without reason".to_owned()
        })
    }

    /// The new binary goes on, with these settings.
    pub(crate) fn hear_new_binary(&mut self, settings: &Settings) {
        if matches!(self.course, Course::Departed { .. }) {
            self.course = Course::Arrived(settings.clone());
        }
    }

    /// The old binary goes on.
    pub(crate) fn hear_old_binary(&mut self) {
        if let Course::Returned {
            failed: generation, ..
        } = self.course
        {
            self.course = Course::Idle;
            self.owe(Due::Say(Change::UpgradeRolledBack { generation }));
        }
    }

    /// The generation of a new binary has failed.
    pub(crate) fn owe_return(&mut self, generation: Generation) {
        self.course = Course::Returning(generation);
        self.leap = Some(Action::ExecOld);
    }

    /// Whether empty slots may get workers of the committed generation: those of the old binary can
    /// be made by it alone, so only if nobody serves at all.
    pub(crate) fn may_refill(&self) -> bool {
        match self.course {
            Course::Returning(_) | Course::Returned { .. } => false,
            Course::Staged { .. } if self.is_upgrade => {
                !self.alive().any(|(_, record)| record.serves())
            }
            _ => true,
        }
    }

    /// At the end of a turn nothing of an upgrade is left undone.
    pub(crate) fn check_leap(&mut self) -> Result<(), Broken> {
        self.gone = false;
        let left = self.leap.is_some() || self.forgets;
        hold(!left || self.stop.is_some(), Rule::Upgrade, || {
            format!("{:?} never came, to forget {}", self.leap, self.forgets)
        })?;
        (self.leap, self.forgets) = (None, false);
        Ok(())
    }

    /// When an answer will be late.
    pub(crate) fn answer_moment(&self) -> Option<(Moment, String)> {
        match self.course {
            Course::Asking { until }
            | Course::Departed { until }
            | Course::Returned { until, .. } => Some((until, "an answer is late".to_owned())),
            _ => None,
        }
    }
}

fn refused(why: Refusal) -> Due {
    Due::Say(Change::UpgradeRefused(why))
}
