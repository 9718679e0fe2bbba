//! What has become of the connections of the last second or two: whether they stay, or come and
//! go.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// The length of an age, as a power of two of nanoseconds: 1.07 s.
const AGE_BITS: u32 = 30;

/// The age in which a connection was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Age(u64);

/// Counts of this age and the one before. Written by the worker's thread; a connection that an
/// app has taken to another thread may end there, and a count that is lost then does no harm.
#[derive(Default, Debug)]
pub(crate) struct Lately {
    age: AtomicU64,
    opened: [AtomicU64; 2],
    closed: [AtomicU64; 2],
    passed: [AtomicU64; 2],
}

/// A copy to judge by.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Trend {
    /// Connections whose service began lately.
    pub(crate) opened: u64,
    /// Those of them that have ended.
    pub(crate) closed: u64,
    /// Connections passed on lately: what became of them is not known here.
    pub(crate) passed: u64,
}

impl Lately {
    /// A connection's service begins.
    pub(crate) fn opened(&self, now_ns: u64) -> Age {
        let age = self.turn_to(now_ns);
        add(&self.opened[slot(age)]);
        Age(age)
    }

    /// A connection of that age has ended.
    pub(crate) fn closed(&self, age: Age) {
        if age.0 + 1 >= self.age.load(Relaxed) {
            add(&self.closed[slot(age.0)]);
        }
    }

    /// A connection was passed on.
    pub(crate) fn passed(&self, now_ns: u64) {
        let age = self.turn_to(now_ns);
        add(&self.passed[slot(age)]);
    }

    /// How things stand.
    pub(crate) fn trend(&self, now_ns: u64) -> Trend {
        self.turn_to(now_ns);
        let sum = |counts: &[AtomicU64; 2]| counts.iter().map(|count| count.load(Relaxed)).sum();
        Trend {
            opened: sum(&self.opened),
            closed: sum(&self.closed),
            passed: sum(&self.passed),
        }
    }

    /// Forgets what is older than the age before this one.
    fn turn_to(&self, now_ns: u64) -> u64 {
        let (before, age) = (self.age.load(Relaxed), now_ns >> AGE_BITS);
        if age != before {
            self.age.store(age, Relaxed);
            let is_next = age == before + 1;
            for counts in [&self.opened, &self.closed, &self.passed] {
                counts[slot(age)].store(0, Relaxed);
                if !is_next {
                    counts[slot(age + 1)].store(0, Relaxed);
                }
            }
        }
        age
    }
}

fn slot(age: u64) -> usize {
    (age % 2) as usize
}

fn add(count: &AtomicU64) {
    count.store(count.load(Relaxed) + 1, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::{AGE_BITS, Lately, Trend};

    const AGE: u64 = 1 << AGE_BITS;

    fn trend(opened: u64, closed: u64, passed: u64) -> Trend {
        Trend {
            opened,
            closed,
            passed,
        }
    }

    #[test]
    fn this_age_and_the_one_before_are_remembered_and_no_more() {
        let lately = Lately::default();
        let start = 7 * AGE;
        lately.opened(start);
        lately.opened(start + AGE - 1);
        lately.passed(start + AGE);
        assert_eq!(lately.trend(start + AGE), trend(2, 0, 1));
        lately.opened(start + 2 * AGE);
        assert_eq!(lately.trend(start + 2 * AGE), trend(1, 0, 1));
        assert_eq!(lately.trend(start + 4 * AGE), trend(0, 0, 0));
    }

    #[test]
    fn the_end_of_an_old_connection_says_nothing_about_new_ones() {
        let lately = Lately::default();
        let old = lately.opened(AGE);
        let young = lately.opened(2 * AGE);
        let new = lately.opened(3 * AGE);
        lately.closed(old);
        lately.closed(young);
        lately.closed(new);
        assert_eq!(lately.trend(3 * AGE), trend(2, 2, 0));
    }
}
