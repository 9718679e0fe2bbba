//! What the manager is told, from how the fleet is and what the manager believes.
//!
//! ```text
//!            enough serve: READY        a reload or upgrade: RELOADING
//!   Starting ------------------> Ready <-------------------------------> Reloading
//!      |                           |       over, however: READY              |
//!      +---------------------------+-------- a stop: STOPPING ---------------+--> Stopping
//! ```
//!
//! It compares and remembers little, so nothing that happened meanwhile leaves the manager with a
//! wrong belief. An order to reload is told in any case, also if it is refused in the same breath:
//! `systemctl reload` waits for the word.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::plan::{Condition, Health, Moment};

/// How often the manager is asked for more time, and for how much: a supervisor that hangs
/// meanwhile is waited for so long and no longer.
const ASK_EVERY: Duration = Duration::from_secs(5);
const MOST_ASKED: Duration = Duration::from_secs(20);
/// Beyond a deadline, for what follows it.
const MARGIN: Duration = Duration::from_secs(5);
/// Between two messages that only tell of the status.
const STATUS_PAUSE: Duration = Duration::from_millis(200);

/// What the manager believes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(super) enum Belief {
    #[default]
    Starting,
    Ready,
    Reloading,
    Stopping,
}

/// What one message says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Word {
    Ready,
    Reloading,
    Stopping,
    /// So much more time is needed.
    MoreTime(Duration),
    Status(String),
}

/// What was said so far.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Speech {
    pub(super) belief: Belief,
    /// The last status.
    pub(super) status: String,
    /// An order to reload came that was not told yet.
    asked: bool,
    /// When more time is to be asked for again.
    ask_at: Option<Moment>,
    /// When the status may be told again.
    pause_until: Moment,
    /// A status waits for that.
    waits: bool,
}

impl Speech {
    /// Goes on where another program was.
    pub(super) fn resume(belief: Belief, status: String) -> Self {
        Self {
            belief,
            status,
            ..Self::default()
        }
    }

    /// Somebody orders a reload.
    pub(super) fn reload_asked(&mut self) {
        self.asked = true;
    }

    /// When to come back although nothing has happened.
    pub(super) fn deadline(&self) -> Option<Moment> {
        let status = self.waits.then_some(self.pause_until);
        status.into_iter().chain(self.ask_at).min()
    }

    /// The messages that are due.
    pub(super) fn tick(
        &mut self,
        health: &Health,
        busy_until: Option<Moment>,
        status: String,
        now: Moment,
    ) -> Vec<Vec<Word>> {
        let mut phases = self.follow(health);
        let more_time = self.more_time(busy_until, !phases.is_empty(), now);
        let is_news = status != self.status;
        self.waits = is_news && phases.is_empty() && now < self.pause_until;
        let mut last = Vec::new();
        last.extend(phases.pop());
        if (is_news && !self.waits) || !last.is_empty() {
            self.status.clone_from(&status);
            self.pause_until = now + STATUS_PAUSE;
            last.push(Word::Status(status));
        }
        let mut messages: Vec<_> = phases.into_iter().map(|word| vec![word]).collect();
        match more_time {
            // In one message, so that it counts for the state that begins.
            Some(time) if !last.is_empty() => last.push(Word::MoreTime(time)),
            Some(time) => messages.push(vec![Word::MoreTime(time)]),
            None => {}
        }
        if !last.is_empty() {
            messages.push(last);
        }
        messages
    }

    /// What the manager has to hear to believe what is true.
    fn follow(&mut self, health: &Health) -> Vec<Word> {
        let mut words = Vec::new();
        let was_asked = std::mem::take(&mut self.asked);
        if self.belief == Belief::Stopping {
            return words;
        }
        if health.phase == Condition::Stopping {
            self.say(Word::Stopping, &mut words);
            return words;
        }
        if self.belief == Belief::Starting {
            if !health.is_started {
                return words;
            }
            self.say(Word::Ready, &mut words);
        }
        let is_changing = match health.phase {
            Condition::Reloading | Condition::Upgrading => true,
            Condition::Starting | Condition::Serving | Condition::Stopping => false,
        };
        if was_asked || is_changing && self.belief == Belief::Ready {
            self.say(Word::Reloading, &mut words);
        }
        if !is_changing && self.belief == Belief::Reloading {
            self.say(Word::Ready, &mut words);
        }
        words
    }

    fn say(&mut self, word: Word, words: &mut Vec<Word>) {
        self.belief = match word {
            Word::Ready => Belief::Ready,
            Word::Reloading => Belief::Reloading,
            Word::Stopping => Belief::Stopping,
            Word::MoreTime(_) | Word::Status(_) => self.belief,
        };
        words.push(word);
    }

    /// How much more time to ask for, if it is time to.
    fn more_time(
        &mut self,
        busy_until: Option<Moment>,
        is_news: bool,
        now: Moment,
    ) -> Option<Duration> {
        let Some(until) = busy_until else {
            self.ask_at = None;
            return None;
        };
        if !is_news && self.ask_at.is_some_and(|at| at > now) {
            return None;
        }
        self.ask_at = Some(now + ASK_EVERY);
        Some((until.saturating_sub(now) + MARGIN).min(MOST_ASKED))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Word::{MoreTime, Ready, Reloading, Status, Stopping};
    use super::{Speech, Word};
    use crate::plan::{Condition, Health, Moment};

    /// A speech, and a clock that the test winds.
    #[derive(Default)]
    struct Spoken {
        speech: Speech,
        now: Moment,
        busy: Option<Moment>,
    }

    impl Spoken {
        fn serving() -> Self {
            let mut spoken = Self::default();
            spoken.is(Condition::Serving);
            spoken
        }

        /// What is said of a fleet that does this now, without status.
        fn is(&mut self, phase: Condition) -> Vec<Word> {
            let words = self.says(phase, "as ever").concat();
            let status = |word: &Word| !matches!(word, Status(_));
            words.into_iter().filter(status).collect()
        }

        fn says(&mut self, phase: Condition, status: &str) -> Vec<Vec<Word>> {
            let is_started = phase != Condition::Starting;
            let health = Health {
                phase,
                wanted: 1,
                needed: 1,
                ready: 1,
                blocked: 0,
                leaving: 0,
                is_started,
                is_ready: is_started,
                is_alive: true,
            };
            self.speech
                .tick(&health, self.busy, status.to_owned(), self.now)
        }

        fn after(&mut self, millis: u64) -> &mut Self {
            self.now += Duration::from_millis(millis);
            self
        }
    }

    #[test]
    fn readiness_is_told_once_and_with_it_the_status() {
        let mut spoken = Spoken::default();
        let first = spoken.says(Condition::Starting, "starting");
        assert_eq!(first, [[Status("starting".into())]]);
        let then = spoken.says(Condition::Serving, "1/1");
        assert_eq!(then, [[Ready, Status("1/1".into())]]);
        assert!(spoken.says(Condition::Serving, "1/1").is_empty());
    }

    #[test]
    fn a_reload_is_told_when_it_begins_and_when_it_is_over_whatever_came_of_it() {
        let mut spoken = Spoken::serving();
        spoken.speech.reload_asked();
        assert_eq!(spoken.is(Condition::Reloading), [Reloading]);
        assert_eq!(spoken.is(Condition::Reloading), []);
        assert_eq!(spoken.is(Condition::Serving), [Ready]);
        assert_eq!(spoken.is(Condition::Upgrading), [Reloading]);
        assert_eq!(spoken.is(Condition::Serving), [Ready]);
    }

    #[test]
    fn a_reload_that_is_refused_in_the_same_breath_is_told_too() {
        let mut spoken = Spoken::serving();
        spoken.speech.reload_asked();
        let said = spoken.says(Condition::Serving, "refused");
        let ready = vec![Ready, Status("refused".into())];
        assert_eq!(said, [vec![Reloading], ready]);
    }

    #[test]
    fn every_order_is_answered_and_readiness_told_after_the_last() {
        let mut spoken = Spoken::serving();
        for _ in 0..3 {
            spoken.speech.reload_asked();
            assert_eq!(spoken.is(Condition::Reloading), [Reloading]);
        }
        assert_eq!(spoken.is(Condition::Serving), [Ready]);
    }

    #[test]
    fn a_reload_before_readiness_is_told_after_it() {
        let mut spoken = Spoken::default();
        spoken.speech.reload_asked();
        assert_eq!(spoken.is(Condition::Starting), []);
        assert_eq!(spoken.is(Condition::Reloading), [Ready, Reloading]);
        assert_eq!(spoken.is(Condition::Serving), [Ready]);
    }

    #[test]
    fn a_stop_is_told_once_and_nothing_else_after_it() {
        for phase in [
            Condition::Starting,
            Condition::Serving,
            Condition::Reloading,
        ] {
            let mut spoken = Spoken::default();
            spoken.is(phase);
            assert_eq!(spoken.is(Condition::Stopping), [Stopping]);
            spoken.speech.reload_asked();
            assert_eq!(spoken.is(Condition::Stopping), []);
        }
    }

    #[test]
    fn a_status_that_changes_often_is_told_now_and_then_and_the_last_one_in_the_end() {
        let mut spoken = Spoken::serving();
        assert_eq!(spoken.after(1).says(Condition::Serving, "2").len(), 0);
        assert_eq!(spoken.after(1).says(Condition::Serving, "3").len(), 0);
        let due = spoken.speech.deadline().expect("something waits");
        spoken.now = due;
        let said = spoken.says(Condition::Serving, "3");
        assert_eq!(said, [[Status("3".into())]]);
        assert_eq!(spoken.speech.deadline(), None);
    }

    #[test]
    fn more_time_is_asked_for_again_and_again_while_a_deadline_lies_ahead_and_never_for_much() {
        let seconds = Duration::from_secs;
        let mut spoken = Spoken::serving();
        assert_eq!(spoken.speech.deadline(), None, "nobody waits");
        spoken.busy = Some(seconds(30));
        assert_eq!(
            spoken.is(Condition::Reloading),
            [Reloading, MoreTime(seconds(20))]
        );
        assert_eq!(spoken.speech.deadline(), Some(seconds(5)));
        assert_eq!(spoken.after(4_000).is(Condition::Reloading), []);
        let again = spoken.after(1_000).is(Condition::Reloading);
        assert_eq!(again, [MoreTime(seconds(20))]);
        spoken.after(20_000);
        assert_eq!(spoken.is(Condition::Reloading), [MoreTime(seconds(10))]);
        spoken.busy = None;
        assert_eq!(spoken.is(Condition::Reloading), []);
        assert_eq!(spoken.speech.deadline(), None, "no deadline of the plan");
        spoken.busy = Some(seconds(60));
        assert_eq!(
            spoken.is(Condition::Stopping),
            [Stopping, MoreTime(seconds(20))]
        );
    }

    #[test]
    fn what_another_program_has_told_is_not_told_again() {
        let mut spoken = Spoken::serving();
        spoken.is(Condition::Upgrading);
        let Speech { belief, status, .. } = spoken.speech;
        spoken.speech = Speech::resume(belief, status);
        assert_eq!(spoken.is(Condition::Upgrading), []);
        assert_eq!(spoken.is(Condition::Serving), [Ready]);
    }
}
