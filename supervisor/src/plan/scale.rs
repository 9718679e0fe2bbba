//! From a number of workers and an order to change it to the number that is wanted then.

use brigade_config::MAX_WORKERS;

/// The number that was asked for, or `None` if it is not to be had: fewer than one worker, or more
/// than [`MAX_WORKERS`].
pub(super) fn changed(wanted: u16, by: i64) -> Option<u16> {
    let asked = i64::from(wanted).checked_add(by)?;
    let asked = u16::try_from(asked).ok()?;
    (1..=MAX_WORKERS).contains(&asked).then_some(asked)
}

/// The nearest number that is to be had.
pub(super) fn bounded(wanted: u16, by: i64) -> u16 {
    let asked = i64::from(wanted)
        .saturating_add(by)
        .clamp(1, i64::from(MAX_WORKERS));
    u16::try_from(asked).unwrap_or(MAX_WORKERS)
}

#[cfg(test)]
mod tests {
    use super::{MAX_WORKERS, bounded, changed};

    #[test]
    fn the_last_worker_is_not_scaled_away() {
        assert_eq!(changed(2, -1), Some(1));
        assert_eq!(changed(1, -1), None);
        assert_eq!(changed(3, i64::from(i32::MIN)), None);
    }

    #[test]
    fn there_is_a_most() {
        assert_eq!(changed(MAX_WORKERS - 1, 1), Some(MAX_WORKERS));
        assert_eq!(changed(MAX_WORKERS, 1), None);
        assert_eq!(changed(1, i64::MAX), None);
    }

    #[test]
    fn an_order_that_waited_too_long_is_followed_as_far_as_it_goes() {
        assert_eq!(bounded(4, -9), 1);
        assert_eq!(bounded(4, 9_000), MAX_WORKERS);
        assert_eq!(bounded(4, 2), 6);
    }
}
