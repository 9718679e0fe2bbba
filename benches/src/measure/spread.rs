//! Many figures of one thing: their middle and their ends.

use std::time::Duration;

/// Figures, sorted; at least one.
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    sorted: Vec<f64>,
}

impl Spread {
    /// Of at least one figure.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        assert!(!sorted.is_empty(), "a spread of nothing");
        sorted.sort_by(f64::total_cmp);
        Self { sorted }
    }

    /// Of at least one duration, in milliseconds.
    pub(crate) fn of_millis(times: &[Duration]) -> Self {
        Self::of(times.iter().map(|time| time.as_secs_f64() * 1e3))
    }

    pub(crate) fn median(&self) -> f64 {
        let middle = self.sorted.len() / 2;
        if self.sorted.len() % 2 == 1 {
            return self.sorted[middle];
        }
        f64::midpoint(self.sorted[middle - 1], self.sorted[middle])
    }

    /// The smallest figure that the given share (above 0, to 1) of all does not exceed.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let rank = (self.sorted.len() as f64 * share).ceil() as usize;
        self.sorted[rank.clamp(1, self.sorted.len()) - 1]
    }

    pub(crate) fn least(&self) -> f64 {
        self.sorted[0]
    }

    pub(crate) fn most(&self) -> f64 {
        self.sorted[self.sorted.len() - 1]
    }

    pub(crate) fn count(&self) -> usize {
        self.sorted.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_ends_of_a_few_figures() {
        let odd = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!((odd.least(), odd.median(), odd.most()), (1.0, 2.0, 3.0));
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]).median(), 2.5);
        let hundred = Spread::of((1..=100).map(f64::from));
        assert_eq!(
            (hundred.quantile(0.5), hundred.quantile(0.99)),
            (50.0, 99.0)
        );
    }
}
