//! Log-linear histograms of microseconds: eight buckets per power of two, so that a bucket is at
//! most an eighth wider than its lower bound. Two of them merge by addition.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::word;

/// Buckets of a histogram. The last one also holds everything longer than 67 seconds.
pub const BUCKETS: usize = 192;

/// Buckets per power of two.
const STEPS: u64 = 8;
const STEP_BITS: u32 = STEPS.trailing_zeros();

/// The bucket of a duration.
fn bucket(duration: Duration) -> usize {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    if micros < STEPS {
        return micros as usize;
    }
    let power = micros.ilog2() - STEP_BITS;
    let step = (micros >> power) - STEPS;
    let index = (u64::from(power) + 1) * STEPS + step;
    (index as usize).min(BUCKETS - 1)
}

/// The first microsecond after a bucket.
fn end(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < STEPS {
        return bucket + 1;
    }
    let power = bucket / STEPS - 1;
    (bucket % STEPS + STEPS + 1) << power
}

/// A histogram in shared memory: the sum of all samples in nanoseconds, then the buckets.
#[derive(Clone, Copy, Debug)]
pub struct Histogram<'a>(pub(super) &'a [AtomicU64; BUCKETS + 1]);

impl Histogram<'_> {
    /// Counts one sample. For the row's single writer.
    pub fn record(self, sample: Duration) {
        let [sum, buckets @ ..] = self.0;
        word::add(sum, u64::try_from(sample.as_nanos()).unwrap_or(u64::MAX));
        word::add(&buckets[bucket(sample)], 1);
    }

    /// The sum of all samples, in nanoseconds.
    pub(super) fn sum_ns(self) -> u64 {
        word::get(&self.0[0])
    }

    /// A copy to calculate with.
    #[must_use]
    pub fn read(self) -> Distribution {
        let [sum, buckets @ ..] = self.0;
        let sum_ns = word::get(sum);
        let counts = buckets.each_ref().map(word::get);
        Distribution { sum_ns, counts }
    }
}

/// A histogram's figures, at rest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Distribution {
    /// The sum of all samples in nanoseconds.
    pub sum_ns: u64,
    /// Samples per bucket.
    pub counts: [u64; BUCKETS],
}

impl Default for Distribution {
    fn default() -> Self {
        Self {
            sum_ns: 0,
            counts: [0; BUCKETS],
        }
    }
}

impl Distribution {
    /// How many samples there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// An upper bound of the shortest time that `share` (0.0 to 1.0) of the samples did not
    /// exceed, at most an eighth too high; none without samples.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let count = self.count();
        let rank = (share.clamp(0.0, 1.0) * count as f64).ceil().max(1.0) as u64;
        let mut seen = 0_u64;
        let bucket = self.counts.iter().position(|n| {
            seen = seen.saturating_add(*n);
            seen >= rank
        })?;
        Some(Duration::from_micros(end(bucket)))
    }

    /// Each bucket's upper bound and count, in ascending order.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> {
        let ends = (0..BUCKETS).map(|bucket| Duration::from_micros(end(bucket)));
        ends.zip(self.counts)
    }

    /// Adds the samples of another histogram.
    pub fn merge(&mut self, other: &Self) {
        self.sum_ns = self.sum_ns.wrapping_add(other.sum_ns);
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts) {
            *mine = mine.wrapping_add(theirs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, Distribution, Histogram, bucket, end};
    use std::sync::atomic::AtomicU64;
    use std::time::Duration;

    #[test]
    fn every_duration_falls_into_the_bucket_that_ends_after_it() {
        let samples = (0..10_000).chain((10_000..67_000_000).step_by(9973));
        for micros in samples {
            let index = bucket(Duration::from_micros(micros));
            assert!(micros < end(index), "{micros} us in bucket {index}");
            assert!(
                index == 0 || micros >= end(index - 1),
                "{micros} us in bucket {index}"
            );
            assert!(end(index) - micros <= micros / 8 + 1);
        }
        assert_eq!(bucket(Duration::MAX), BUCKETS - 1);
        assert_eq!(end(BUCKETS - 1), 1 << 26);
    }

    #[test]
    fn quantiles_bound_the_samples_and_merging_adds_them() {
        let words = std::array::from_fn(|_| AtomicU64::new(0));
        let histogram = Histogram(&words);
        assert_eq!(histogram.read().quantile(0.5), None);
        for micros in 1..=1000 {
            histogram.record(Duration::from_micros(micros));
        }
        let mut sum = histogram.read();
        let median = sum.quantile(0.5).unwrap().as_micros();
        assert!((501..=564).contains(&median), "{median}");
        assert!(sum.quantile(1.0).unwrap() > Duration::from_micros(1000));
        sum.merge(&histogram.read());
        assert_eq!((sum.count(), sum.sum_ns), (2000, 1_001_000_000));
        assert_eq!(sum.quantile(0.5).unwrap().as_micros(), median);
        assert_eq!(Distribution::default().count(), 0);
    }

    #[test]
    fn any_bytes_in_memory_can_be_read() {
        let words = std::array::from_fn(|_| AtomicU64::new(u64::MAX));
        let distribution = Histogram(&words).read();
        assert_eq!(distribution.count(), u64::MAX);
        assert!(distribution.quantile(f64::NAN).is_some());
    }
}
