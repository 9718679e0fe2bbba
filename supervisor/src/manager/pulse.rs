//! The watchdog: a sign of life at half of the time that the manager waits for one, but only from a
//! service that is well. It is given by the loop itself, so one that does not turn gives none.
//!
//! ```text
//!              half a period, alive: WATCHDOG=1
//!   Due { at } <------------------------------+
//!       |                                     |
//!       | half a period, not alive            | alive: WATCHDOG=1, at once
//!       +-----------------------> Withheld ---+
//! ```

use std::time::Duration;

use crate::plan::Moment;

/// No manager that means it waits for less.
const SHORTEST: Duration = Duration::from_millis(10);

/// When the next sign of life is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pulse {
    every: Duration,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Due { at: Moment },
    Withheld,
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Beat {
    /// Nothing.
    None,
    /// A sign of life.
    Give,
    /// A sign of life, the first after some that were not given.
    GiveAgain,
    /// Nothing, although it is due; said once.
    Withhold,
}

impl Pulse {
    /// For a manager that waits for so long.
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            every: (patience / 2).max(SHORTEST),
            state: State::Due { at: Moment::ZERO },
        }
    }

    /// Whether the manager waits in vain.
    pub(super) fn is_withheld(&self) -> bool {
        self.state == State::Withheld
    }

    /// When to come back. Whoever is not well comes back with an event.
    pub(super) fn deadline(&self) -> Option<Moment> {
        match self.state {
            State::Due { at } => Some(at),
            State::Withheld => None,
        }
    }

    /// What is due now.
    pub(super) fn tick(&mut self, is_alive: bool, now: Moment) -> Beat {
        let (beat, state) = match (self.state, is_alive) {
            (State::Due { at }, _) if at > now => return Beat::None,
            (State::Withheld, false) => return Beat::None,
            (State::Due { .. }, true) => (Beat::Give, self.due(now)),
            (State::Withheld, true) => (Beat::GiveAgain, self.due(now)),
            (State::Due { .. }, false) => (Beat::Withhold, State::Withheld),
        };
        self.state = state;
        beat
    }

    fn due(&self, now: Moment) -> State {
        State::Due {
            at: now + self.every,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Beat, Pulse};

    #[test]
    fn a_sign_of_life_is_given_at_half_of_the_time_withheld_from_the_unwell_and_given_at_once_again()
     {
        let seconds = Duration::from_secs;
        let mut pulse = Pulse::new(seconds(10));
        assert_eq!(pulse.tick(true, seconds(0)), Beat::Give);
        assert_eq!(pulse.deadline(), Some(seconds(5)));
        assert_eq!(pulse.tick(true, seconds(4)), Beat::None);
        assert_eq!(pulse.tick(false, seconds(4)), Beat::None, "not asked yet");
        assert_eq!(pulse.tick(true, seconds(6)), Beat::Give);
        assert_eq!(pulse.tick(false, seconds(11)), Beat::Withhold);
        assert_eq!(pulse.tick(false, seconds(12)), Beat::None, "said once");
        assert_eq!(pulse.deadline(), None, "it would wake up in vain");
        assert_eq!(pulse.tick(true, seconds(13)), Beat::GiveAgain);
        assert_eq!(pulse.deadline(), Some(seconds(18)));
    }

    #[test]
    fn a_time_that_nobody_can_mean_is_no_busy_loop() {
        let mut pulse = Pulse::new(Duration::from_micros(1));
        pulse.tick(true, Duration::ZERO);
        assert_eq!(pulse.deadline(), Some(Duration::from_millis(10)));
    }
}
