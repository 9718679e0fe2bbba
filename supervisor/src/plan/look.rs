//! When to look at workers and queues.
//!
//! ```text
//!          somebody serves                   its moment: Look
//!   Off -------------------> Due { at } -----------------------> Looking
//!    ^                        ^  ^  ^                              |  |
//!    |                        |  |  +-- Looked: something goes on -+  |
//!    | nobody serves,         |  |      (or a program's own deadline) |
//!    | nothing to be known    |  +---------- Stirred ------+          |
//!    +--- from anywhere       |                            |          |
//!                             +-- somebody comes or goes --+ Dozing <-+
//!                                                              8 quiet looks: Doze
//! ```
//!
//! An idle fleet dozes: it has no deadline, and wakes when a loop turns, a connection waits, or
//! somebody comes or goes. So that a busy fleet does not doze between two requests, only several
//! quiet looks in a row lead there.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use brigade_shared::id::SlotId;

use super::fleet::Fleet;
use super::sign::Span;
use super::slot::Slot;
use super::vocabulary::{Action, Look, Moment, Settings};

/// So many quiet looks in a row lead to a doze.
const QUIET_LOOKS: u32 = 8;
/// Between two looks if nobody is watched for stalls.
const SLOW: Duration = Duration::from_millis(100);
/// Between two looks if stalls are watched for, at least and at most.
const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(100);
/// An answer that has not come after so long was lost with the process that was to give it (an
/// upgrade): the look is repeated.
const LOST: Duration = Duration::from_secs(1);

/// When the next look is due, and what the last one found waiting.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(super) struct Lookout {
    rhythm: Rhythm,
    /// When the last look was answered.
    previous: Moment,
    /// Quiet looks in a row.
    quiet: u32,
    waiting: Vec<(SlotId, u32)>,
    waiting_shared: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
enum Rhythm {
    #[default]
    Off,
    Due {
        at: Moment,
    },
    Looking {
        due: Moment,
        ordered: Moment,
    },
    Dozing,
}

/// Whether the fleet looks at its workers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attention {
    /// There is nothing to be learned from it.
    Off,
    /// In its rhythm.
    Looking,
    /// Nothing goes on; whoever stirs says so.
    Dozing,
}

/// What a look leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outlook {
    /// Something goes on.
    Active,
    /// Nothing goes on.
    Quiet,
    /// Nothing goes on, unless somebody is still silent at this moment.
    QuietUntil(Moment),
}

/// From one look to the next while something goes on.
fn pace(settings: &Settings) -> Duration {
    if settings.stall_warn.is_zero() {
        SLOW
    } else {
        (settings.stall_warn / 8).clamp(SHORTEST, LONGEST)
    }
}

impl Lookout {
    /// When a look is due.
    pub(super) fn deadline(&self) -> Option<Moment> {
        match self.rhythm {
            Rhythm::Due { at } => Some(at),
            Rhythm::Looking { ordered, .. } => Some(ordered + LOST),
            Rhythm::Off | Rhythm::Dozing => None,
        }
    }

    /// What the last look found waiting: for slots, and for all.
    pub(super) fn waiting(&self) -> (&[(SlotId, u32)], u32) {
        (&self.waiting, self.waiting_shared)
    }

    /// Something goes on again.
    pub(super) fn stir(&mut self, now: Moment) {
        match self.rhythm {
            Rhythm::Dozing => self.begin(now),
            Rhythm::Off | Rhythm::Due { .. } | Rhythm::Looking { .. } => {}
        }
    }

    /// There is nobody to look at, or no reason to.
    pub(super) fn stop(&mut self) {
        *self = Self::default();
    }

    fn is_off(&self) -> bool {
        self.rhythm == Rhythm::Off
    }

    fn is_dozing(&self) -> bool {
        self.rhythm == Rhythm::Dozing
    }

    fn begin(&mut self, at: Moment) {
        self.rhythm = Rhythm::Due { at };
        self.quiet = 0;
    }

    /// Somebody came or went, or there is somebody now: they are looked at at least so soon.
    fn rouse(&mut self, at: Moment) {
        match self.rhythm {
            Rhythm::Off | Rhythm::Dozing => self.begin(at),
            Rhythm::Due { at: before } => self.begin(before.min(at)),
            Rhythm::Looking { .. } => {}
        }
    }

    /// Whether a look is to be ordered now.
    fn order(&mut self, now: Moment) -> bool {
        let due = match self.rhythm {
            Rhythm::Due { at } if at <= now => at,
            Rhythm::Looking { ordered, .. } if ordered + LOST <= now => ordered + LOST,
            Rhythm::Off | Rhythm::Due { .. } | Rhythm::Looking { .. } | Rhythm::Dozing => {
                return false;
            }
        };
        self.rhythm = Rhythm::Looking { due, ordered: now };
        true
    }

    /// Takes an answer; when the look took place, if one was awaited.
    pub(super) fn answered(&mut self, look: &Look, now: Moment) -> Option<Span> {
        let Rhythm::Looking { due, ordered } = self.rhythm else {
            return None;
        };
        self.rhythm = Rhythm::Due { at: now };
        self.waiting.clone_from(&look.waiting);
        self.waiting_shared = look.waiting_shared;
        let previous = std::mem::replace(&mut self.previous, now);
        Some(Span {
            previous,
            due,
            ordered,
            answered: now,
        })
    }

    /// Arranges the next look; true if the fleet is to doze.
    pub(super) fn arrange(&mut self, outlook: Outlook, pace: Duration, now: Moment) -> bool {
        self.quiet = match outlook {
            Outlook::Active => 0,
            Outlook::Quiet | Outlook::QuietUntil(_) => self.quiet.saturating_add(1),
        };
        let next = Rhythm::Due { at: now + pace };
        self.rhythm = match outlook {
            Outlook::Quiet if self.quiet >= QUIET_LOOKS => Rhythm::Dozing,
            Outlook::QuietUntil(at) if self.quiet >= QUIET_LOOKS => Rhythm::Due { at: at.max(now) },
            Outlook::Active | Outlook::Quiet | Outlook::QuietUntil(_) => next,
        };
        self.rhythm == Rhythm::Dozing
    }
}

impl Fleet {
    /// Whether it looks at its workers.
    #[must_use]
    pub fn attention(&self) -> Attention {
        match self.lookout.rhythm {
            Rhythm::Off => Attention::Off,
            Rhythm::Due { .. } | Rhythm::Looking { .. } => Attention::Looking,
            Rhythm::Dozing => Attention::Dozing,
        }
    }

    /// Orders a look when it is due. `news`: somebody began or ceased to serve in this turn.
    pub(super) fn watch(&mut self, news: bool, now: Moment, out: &mut Vec<Action>) {
        if !self.is_watched() {
            self.lookout.stop();
            return;
        }
        let pace = self.pace();
        if news || self.lookout.is_off() || self.lookout.is_dozing() && !self.may_doze() {
            self.lookout.rouse(now + pace);
        }
        if self.lookout.order(now) {
            out.push(Action::Look);
        }
    }

    /// As often as those of a running reload need it, too: they are watched by their own limits.
    pub(super) fn pace(&self) -> Duration {
        let staged = self.reload.running();
        let staged = staged.map_or(SLOW, |staged| pace(&staged.settings));
        pace(&self.settings).min(staged)
    }

    /// Whether there is somebody to look at, and something to be learned: who stands still, who
    /// needs relief, how much there is to do, who is worn.
    fn is_watched(&self) -> bool {
        let settings = &self.settings;
        let staged = self.reload.running().map(|staged| &staged.settings);
        let wanted = !settings.stall_warn.is_zero()
            || staged.is_some_and(|settings| !settings.stall_warn.is_zero())
            || settings.elastic.is_some()
            || settings.recycle.requests.is_some()
            || settings.recycle.memory.is_some()
            || !self.slots.iter().all(Slot::serves_well);
        wanted && self.slots.iter().any(Slot::serves)
    }

    /// Whether nothing but what wakes a dozing fleet can happen next.
    pub(super) fn may_doze(&self) -> bool {
        let at_least = self
            .settings
            .elastic
            .is_none_or(|bounds| self.wanted_workers() <= bounds.least);
        let blocked = self
            .slots
            .iter()
            .flat_map(Slot::serving)
            .any(|w| w.is_blocked());
        at_least
            && !blocked
            && self.settings.recycle.memory.is_none()
            && self.reload.running().is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Lookout, Outlook, QUIET_LOOKS};
    use crate::plan::{Look, Moment};

    const PACE: Duration = Duration::from_millis(30);

    fn looks_once(lookout: &mut Lookout, outlook: Outlook) -> bool {
        let now = lookout.deadline().expect("a look is due");
        assert!(lookout.order(now) && !lookout.order(now), "ordered once");
        assert!(lookout.answered(&Look::default(), now).is_some());
        assert!(lookout.answered(&Look::default(), now).is_none());
        lookout.arrange(outlook, PACE, now)
    }

    #[test]
    fn several_quiet_looks_in_a_row_lead_to_a_doze_that_something_ends() {
        let mut lookout = Lookout::default();
        lookout.rouse(Moment::ZERO);
        for _ in 1..QUIET_LOOKS {
            assert!(!looks_once(&mut lookout, Outlook::Quiet));
        }
        assert!(!looks_once(&mut lookout, Outlook::Active), "it begins anew");
        for _ in 1..QUIET_LOOKS {
            assert!(!looks_once(&mut lookout, Outlook::Quiet));
        }
        assert!(looks_once(&mut lookout, Outlook::Quiet));
        assert_eq!(lookout.deadline(), None);
        lookout.stir(Duration::from_secs(9));
        assert_eq!(lookout.deadline(), Some(Duration::from_secs(9)));
    }

    #[test]
    fn where_only_silence_is_awaited_it_is_awaited_without_looks() {
        let mut lookout = Lookout::default();
        lookout.rouse(Moment::ZERO);
        let alarm = Duration::from_secs(5);
        for _ in 0..QUIET_LOOKS {
            assert!(!looks_once(&mut lookout, Outlook::QuietUntil(alarm)));
        }
        assert_eq!(lookout.deadline(), Some(alarm));
        lookout.rouse(Duration::from_secs(1));
        assert_eq!(
            lookout.deadline(),
            Some(Duration::from_secs(1)),
            "somebody came"
        );
    }

    #[test]
    fn an_answer_that_was_lost_is_asked_for_again() {
        let mut lookout = Lookout::default();
        lookout.rouse(Moment::ZERO);
        assert!(lookout.order(Moment::ZERO));
        let again = lookout.deadline().expect("not for ever");
        assert!(lookout.order(again));
    }
}
