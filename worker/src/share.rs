//! A worker's fair share of long-lived connections: whether to serve one that it has just
//! accepted, or to let a sibling have it.
//!
//! Queues spread what is new evenly; what stays for minutes gathers wherever workers lived longest.
//! So whoever holds more than its share passes on what it accepts. That costs the supervisor's
//! time, and is worth it only for connections that stay.

use brigade_shared::board::Load;

use crate::lately::Trend;

/// So many connections are passed on although nothing is known about how long they stay.
const ON_TRUST: u64 = 16;
/// Then one of so many is kept, to learn from it: otherwise a worker that holds too much for long
/// would never notice that what it passes on are single requests.
const SAMPLE: u64 = 16;

/// The most connections that a worker holds without being crowded, of `total` over `workers`: the
/// mean, and as much more as can't be avoided or isn't worth the trouble.
fn limit(total: u64, workers: u64) -> u64 {
    total
        .div_ceil(workers)
        .max(total.saturating_mul(6) / workers.saturating_mul(5))
}

/// Whether a worker that holds `mine` connections would hold more than its share with one more.
pub(crate) fn is_crowded(mine: u64, load: Load) -> bool {
    load.workers > 1 && mine + 1 > limit(load.connections + 1, load.workers)
}

/// Whether connections stay, as far as is known.
pub(crate) fn is_long_lived(trend: Trend) -> bool {
    let many_stay = trend.opened == 0 || trend.closed * 2 < trend.opened;
    many_stay && trend.passed < ON_TRUST + trend.opened * (SAMPLE - 1)
}

#[cfg(test)]
mod tests {
    use super::{ON_TRUST, SAMPLE, is_crowded, is_long_lived, limit};
    use crate::lately::Trend;
    use brigade_shared::board::Load;

    fn load(connections: u64, workers: u64) -> Load {
        Load {
            workers,
            connections,
        }
    }

    #[test]
    fn one_worker_is_never_crowded() {
        assert!(!is_crowded(1_000_000, load(1_000_000, 1)));
        assert!(!is_crowded(5, load(0, 0)));
    }

    #[test]
    fn the_first_connection_is_for_whoever_accepts_it() {
        for workers in 2..100 {
            assert!(!is_crowded(0, load(0, workers)));
            assert!(!is_crowded(0, load(1_000, workers)));
        }
    }

    #[test]
    fn a_second_one_is_passed_while_another_worker_has_none() {
        assert!(is_crowded(1, load(1, 2)));
        assert!(!is_crowded(1, load(2, 2)));
    }

    #[test]
    fn a_fifth_above_the_mean_is_allowed() {
        assert_eq!((limit(1_000, 10), limit(1_001, 10)), (120, 120));
        assert!(!is_crowded(119, load(999, 10)));
        assert!(is_crowded(120, load(999, 10)));
    }

    #[test]
    fn somebody_can_always_keep_it() {
        for workers in 2..20 {
            for total in 0..200 {
                let lightest = total / workers;
                assert!(!is_crowded(lightest, load(total, workers)));
            }
        }
    }

    /// Arrivals all come to one worker; the lightest sibling takes what it passes on.
    #[test]
    fn however_they_arrive_the_busiest_has_at_most_a_fifth_too_much() {
        for workers in [2, 4, 16] {
            let mut held = vec![0; workers];
            for arrival in 1..=2_000 {
                let sum = held.iter().sum();
                if is_crowded(held[0], load(sum, workers as u64)) {
                    *held.iter_mut().min().unwrap() += 1;
                } else {
                    held[0] += 1;
                }
                let busiest = *held.iter().max().unwrap();
                assert!(busiest <= limit(arrival, workers as u64), "{held:?}");
            }
        }
    }

    #[test]
    fn connections_that_come_and_go_are_served_where_they_come() {
        let trend = |opened, closed| Trend {
            opened,
            closed,
            passed: 0,
        };
        assert!(is_long_lived(trend(0, 0)));
        assert!(is_long_lived(trend(1, 0)));
        assert!(!is_long_lived(trend(1, 1)));
        assert!(is_long_lived(trend(100, 49)));
        assert!(!is_long_lived(trend(100, 50)));
    }

    /// Single requests come to a worker that holds too many websockets.
    #[test]
    fn who_passes_on_learns_in_time_that_it_is_not_worth_it() {
        let mut trend = Trend::default();
        let mut passed = 0;
        for _ in 0..10_000 {
            if is_long_lived(trend) {
                trend.passed += 1;
                passed += 1;
            } else {
                trend.opened += 1;
                trend.closed += 1;
            }
        }
        assert_eq!(passed, ON_TRUST);
    }

    /// A crowd of websockets comes to a worker that has enough of them.
    #[test]
    fn of_those_that_stay_few_are_kept_to_learn() {
        let mut trend = Trend::default();
        for _ in 0..10_000 {
            if is_long_lived(trend) {
                trend.passed += 1;
            } else {
                trend.opened += 1;
            }
        }
        assert!(trend.opened <= 10_000 / SAMPLE, "{trend:?}");
    }
}
