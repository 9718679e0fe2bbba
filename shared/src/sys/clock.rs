//! The clock that all processes of a machine share.

use nix::time::{ClockId, clock_gettime};

/// Now on the monotonic clock (the one behind `std::time::Instant`), in nanoseconds. Moments that
/// different processes read from it can be compared.
#[must_use]
pub fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux always has this clock");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}

#[cfg(test)]
mod tests {
    use super::monotonic_ns;
    use std::time::Instant;

    #[test]
    fn it_is_the_clock_of_instant() {
        let (before, start) = (monotonic_ns(), Instant::now());
        while start.elapsed().as_micros() < 50 {}
        let elapsed = monotonic_ns() - before;
        assert!(elapsed >= 50_000, "{elapsed}");
    }
}
