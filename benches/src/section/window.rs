//! Windows of measurement that somebody else may disturb.

use std::time::Duration;

use crate::bench::Bench;
use crate::outcome::Outcome;

/// A window in which others kept more of a CPU busy than this is measured again.
pub(super) const DISTURBED: f64 = 0.15;
/// Before that, whoever it is may come to an end.
const PAUSE: Duration = Duration::from_secs(2);

/// What was measured in one.
pub(super) trait Window {
    /// How much of a CPU others kept busy.
    fn others(&self) -> f64;
    /// Answers that were not as they should be.
    fn faults(&mut self) -> &mut u64;
}

/// A window with little else going on, or the last one if that is not to be had. Faults count also
/// where times do not.
pub(super) fn undisturbed<W: Window>(
    bench: &Bench,
    discarded: &mut usize,
    measure: impl Fn() -> Outcome<W>,
) -> Outcome<W> {
    let mut window = measure()?;
    for _ in 0..bench.effort.again {
        if window.others() <= DISTURBED {
            break;
        }
        *discarded += 1;
        std::thread::sleep(PAUSE);
        let faults = *window.faults();
        window = measure()?;
        *window.faults() += faults;
    }
    Ok(window)
}
