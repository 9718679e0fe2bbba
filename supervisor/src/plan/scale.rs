//! From a number of workers and an order to change it to the number that is wanted then.

use brigade_config::MAX_WORKERS;

use super::vocabulary::{Elastic, Settings};

/// Between which numbers of workers one may choose.
pub(super) fn bounds(settings: &Settings) -> Elastic {
    match settings.elastic {
        None => Elastic {
            least: 1,
            most: MAX_WORKERS,
        },
        Some(Elastic { least, most }) => {
            let least = least.clamp(1, MAX_WORKERS);
            Elastic {
                least,
                most: most.clamp(least, MAX_WORKERS),
            }
        }
    }
}

/// The number that was asked for, or `None` if it is not to be had.
pub(super) fn changed(wanted: u16, by: i64, bounds: Elastic) -> Option<u16> {
    let asked = i64::from(wanted).checked_add(by)?;
    let asked = u16::try_from(asked).ok()?;
    (bounds.least..=bounds.most)
        .contains(&asked)
        .then_some(asked)
}

/// The nearest number that is to be had.
pub(super) fn bounded(wanted: u16, by: i64, bounds: Elastic) -> u16 {
    let asked = i64::from(wanted)
        .saturating_add(by)
        .clamp(i64::from(bounds.least), i64::from(bounds.most));
    u16::try_from(asked).unwrap_or(bounds.most)
}

#[cfg(test)]
mod tests {
    use super::{Elastic, MAX_WORKERS, bounded, changed};

    const ANY: Elastic = Elastic {
        least: 1,
        most: MAX_WORKERS,
    };

    #[test]
    fn the_last_worker_is_not_scaled_away() {
        assert_eq!(changed(2, -1, ANY), Some(1));
        assert_eq!(changed(1, -1, ANY), None);
        assert_eq!(changed(3, i64::from(i32::MIN), ANY), None);
    }

    #[test]
    fn there_is_a_most() {
        assert_eq!(changed(MAX_WORKERS - 1, 1, ANY), Some(MAX_WORKERS));
        assert_eq!(changed(MAX_WORKERS, 1, ANY), None);
        assert_eq!(changed(1, i64::MAX, ANY), None);
    }

    #[test]
    fn an_elastic_number_stays_within_its_bounds() {
        let bounds = Elastic { least: 2, most: 5 };
        assert_eq!(changed(4, 1, bounds), Some(5));
        assert_eq!(changed(5, 1, bounds), None);
        assert_eq!(changed(2, -1, bounds), None);
        assert_eq!(bounded(9, 0, bounds), 5);
        assert_eq!(bounded(1, 0, bounds), 2);
    }

    #[test]
    fn an_order_that_waited_too_long_is_followed_as_far_as_it_goes() {
        assert_eq!(bounded(4, -9, ANY), 1);
        assert_eq!(bounded(4, 9_000, ANY), MAX_WORKERS);
        assert_eq!(bounded(4, 2, ANY), 6);
    }
}
