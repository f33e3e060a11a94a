//! Counting in buckets.

/// Bounds for how long calls take, in seconds: two a doubling, from 1 ms to 16 s.
pub const LATENCY_SECONDS: [f64; 29] = [
    0.001, 0.0014, 0.002, 0.0028, 0.004, 0.0056, 0.008, 0.011, 0.016, 0.022, 0.032, 0.045, 0.064,
    0.09, 0.128, 0.18, 0.256, 0.36, 0.512, 0.72, 1.024, 1.45, 2.048, 2.9, 4.096, 5.8, 8.192, 11.6,
    16.384,
];

/// Bounds for the latencies of requests, in seconds, from 1 ms to 20 s: the numbers that people choose
/// for budgets, so that what keeps to one is seen to.
pub const BUDGET_SECONDS: [f64; 52] = [
    0.001, 0.0012, 0.0015, 0.002, 0.0025, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009, //
    0.01, 0.012, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, //
    0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, //
    1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, //
    10.0, 12.0, 15.0, 20.0,
];

/// Counts values in buckets by their upper bounds; what is above the last bound is in one more.
#[derive(Debug, Clone)]
pub struct Histogram {
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    /// Begins with nothing counted. The bounds ascend.
    pub fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0.0 }
    }

    /// Counts a value.
    pub fn observe(&mut self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket] += 1;
        self.sum += value;
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Their sum.
    pub const fn sum(&self) -> f64 {
        self.sum
    }

    /// Each bucket's upper bound and how many values are in it alone.
    pub(crate) fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        bounds.zip(self.counts.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_value_is_in_one_bucket_at_or_below_its_bound(
            values in prop::collection::vec(0.0..40.0f64, 0..100),
        ) {
            let mut histogram = Histogram::new(&LATENCY_SECONDS);
            for value in &values {
                histogram.observe(*value);
            }
            prop_assert_eq!(histogram.count(), values.len() as u64);
            let mut up_to = 0;
            for (bound, count) in histogram.buckets() {
                up_to += count;
                prop_assert_eq!(up_to, values.iter().filter(|v| **v <= bound).count() as u64);
            }
        }
    }

    #[test]
    fn bounds_ascend() {
        assert!(LATENCY_SECONDS.is_sorted_by(|a, b| a < b));
    }
}
