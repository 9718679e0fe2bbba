//! How long things took: the middle, the tail, the worst.

use std::fmt;
use std::time::Duration;

/// Durations, in order.
#[derive(Clone, Debug)]
pub(crate) struct Timing(Vec<Duration>);

impl Timing {
    /// Of these.
    pub(crate) fn of(durations: impl IntoIterator<Item = Duration>) -> Self {
        let mut all: Vec<_> = durations.into_iter().collect();
        all.sort_unstable();
        Self(all)
    }

    /// So many of a thousand took no longer.
    pub(crate) fn permille(&self, part: usize) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0
            .get((self.0.len() * part / 1000).min(last))
            .copied()
            .unwrap_or_default()
    }

    /// The longest.
    pub(crate) fn worst(&self) -> Duration {
        self.permille(1000)
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |part| self.permille(part).as_secs_f64() * 1e3;
        let (count, half, tail, worst) = (self.0.len(), ms(500), ms(990), ms(1000));
        write!(
            f,
            "{count} times: p50 {half:.2} ms, p99 {tail:.2} ms, worst {worst:.1} ms"
        )
    }
}
