//! The clock that all processes of a machine share.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

/// Now on the monotonic clock (the one behind `std::time::Instant`), in nanoseconds. Moments that
/// different processes read from it can be compared.
#[must_use]
pub fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux always has this clock");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}

/// A moment on the monotonic clock, for another program that goes on with it. Errs, if at all, by
/// the pause between two readings and to the earlier, so that time never goes back.
#[must_use]
pub fn ns_of(moment: Instant) -> u64 {
    let at = monotonic_ns();
    let now = Instant::now();
    match now.checked_duration_since(moment) {
        Some(ago) => at.saturating_sub(nanoseconds(ago)),
        None => at.saturating_add(nanoseconds(moment - now)),
    }
}

/// The moment that [`ns_of`] gave, in this program. Errs in the same direction.
#[must_use]
pub fn instant_of(ns: u64) -> Instant {
    let now = Instant::now();
    let at = monotonic_ns();
    let moved = match at.checked_sub(ns) {
        Some(ago) => now.checked_sub(Duration::from_nanos(ago)),
        None => now.checked_add(Duration::from_nanos(ns - at)),
    };
    moved.unwrap_or(now)
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{instant_of, monotonic_ns, ns_of};
    use std::time::{Duration, Instant};

    #[test]
    fn a_moment_comes_back_as_it_was_or_a_little_earlier() {
        let now = Instant::now();
        let past = now.checked_sub(Duration::from_millis(5)).unwrap();
        for moment in [past, now, now + Duration::from_secs(60)] {
            let back = instant_of(ns_of(moment));
            assert!(back <= moment, "{:?} later", back - moment);
            assert!(moment - back < Duration::from_secs(5));
        }
    }

    #[test]
    fn it_is_the_clock_of_instant() {
        let (before, start) = (monotonic_ns(), Instant::now());
        while start.elapsed().as_micros() < 50 {}
        let elapsed = monotonic_ns() - before;
        assert!(elapsed >= 50_000, "{elapsed}");
    }
}
