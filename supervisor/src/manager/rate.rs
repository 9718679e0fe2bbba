//! How many requests a second are answered, measured only while the supervisor looks anyway.

use std::time::Duration;

use crate::plan::{Attention, Moment};

/// Over so long at least.
const WINDOW: Duration = Duration::from_secs(5);

/// The rate.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Rate {
    began: Option<(Moment, u64)>,
    per_second: Option<u64>,
}

impl Rate {
    /// The last one that was measured; none if that is too long ago.
    pub(super) fn per_second(self) -> Option<u64> {
        self.per_second
    }

    /// Takes note of how many requests were answered in all, if it is time to.
    pub(super) fn tick(
        &mut self,
        attention: Attention,
        now: Moment,
        answered: impl FnOnce() -> u64,
    ) {
        *self = match attention {
            Attention::Off => Self::default(),
            Attention::Dozing => Self {
                began: None,
                per_second: Some(0),
            },
            Attention::Looking => match self.began {
                None => Self {
                    began: Some((now, answered())),
                    ..*self
                },
                Some((began, _)) if now.saturating_sub(began) < WINDOW => return,
                Some((began, before)) => {
                    let count = answered();
                    let time = now.saturating_sub(began).as_millis().max(1);
                    let more = u128::from(count.saturating_sub(before));
                    Self {
                        began: Some((now, count)),
                        per_second: u64::try_from((more * 1000 + time / 2) / time).ok(),
                    }
                }
            },
        };
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Rate;
    use crate::plan::Attention::{Dozing, Looking, Off};

    #[test]
    fn it_is_measured_while_somebody_looks_and_zero_while_everybody_dozes() {
        let seconds = Duration::from_secs;
        let unasked = || unreachable!("the board is read without need");
        let mut rate = Rate::default();
        rate.tick(Looking, seconds(1), || 100);
        assert_eq!(rate.per_second(), None);
        rate.tick(Looking, seconds(5), unasked);
        rate.tick(Looking, seconds(6), || 6_120);
        assert_eq!(rate.per_second(), Some(1_204));
        rate.tick(Dozing, seconds(7), unasked);
        assert_eq!(rate.per_second(), Some(0));
        rate.tick(Looking, seconds(60), || 7_000);
        assert_eq!(rate.per_second(), Some(0), "until there is another");
        rate.tick(Looking, seconds(70), || 7_007);
        assert_eq!(rate.per_second(), Some(1));
        rate.tick(Off, seconds(71), unasked);
        assert_eq!(rate.per_second(), None);
    }
}
