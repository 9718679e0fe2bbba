//! Durations in buckets of less than one percent: bounded memory however long the run.

use std::time::Duration;

/// Each power of two is cut into so many buckets of the same width.
const CUTS_LOG2: u32 = 7;
const CUTS: u64 = 1 << CUTS_LOG2;
const BUCKETS: usize = ((64 - CUTS_LOG2 + 1) as usize) << CUTS_LOG2;

/// How long each request took, to the nanosecond below 128 ns and to 0.8 % above.
#[derive(Clone)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    worst: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; BUCKETS],
            total: 0,
            worst: 0,
        }
    }
}

impl Histogram {
    pub(crate) fn record(&mut self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(nanos)] += 1;
        self.total += 1;
        self.worst = self.worst.max(nanos);
    }

    /// The duration that the given share (0 to 1) of all stayed within; zero if there is none.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let rank = ((self.total as f64 * share).ceil() as u64).clamp(1, self.total.max(1));
        let mut seen = 0;
        for (bucket, &count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(upper_edge(bucket).min(self.worst));
            }
        }
        Duration::ZERO
    }

    pub(crate) fn worst(&self) -> Duration {
        Duration::from_nanos(self.worst)
    }
}

fn bucket(nanos: u64) -> usize {
    if nanos < CUTS {
        return nanos as usize;
    }
    let shift = nanos.ilog2() - CUTS_LOG2;
    let octave = u64::from(shift + 1) << CUTS_LOG2;
    (octave + (nanos >> shift) - CUTS) as usize
}

fn upper_edge(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < CUTS {
        return bucket;
    }
    let shift = (bucket >> CUTS_LOG2) - 1;
    let within = (bucket & (CUTS - 1)) + CUTS;
    (within << shift) + ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_its_own_edge_and_the_next_nanosecond_is_in_the_next() {
        for bucket_at in 0..BUCKETS - 1 {
            assert_eq!(bucket(upper_edge(bucket_at)), bucket_at);
            assert_eq!(bucket(upper_edge(bucket_at) + 1), bucket_at + 1);
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_within_one_percent() {
        let mut histogram = Histogram::default();
        for micros in 1..=10_000 {
            histogram.record(Duration::from_micros(micros));
        }
        for (share, micros) in [(0.5, 5_000.0), (0.99, 9_900.0), (1.0, 10_000.0)] {
            let got = histogram.quantile(share).as_secs_f64() * 1e6;
            assert!(
                (got / micros - 1.0).abs() < 0.01,
                "{share}: expected {micros}, got {got}"
            );
        }
        assert_eq!(histogram.worst(), Duration::from_millis(10));
    }
}
