//! Latencies of any number of requests in a bounded space.

use std::time::Duration;

/// Neighbouring counters differ by this factor: a percentile is at most this much too high.
const STEP: f64 = 1.002;
/// Shorter ones count as this.
const SHORTEST_NS: f64 = 1_000.0;

/// Counts latencies.
#[derive(Debug, Clone, Default)]
pub struct Latencies {
    counts: Vec<u64>,
    count: u64,
    longest: Duration,
}

impl Latencies {
    /// One more.
    pub fn add(&mut self, latency: Duration) {
        let ns = (latency.as_nanos() as f64).max(SHORTEST_NS);
        let place = ((ns / SHORTEST_NS).ln() / STEP.ln()).ceil() as usize;
        if place >= self.counts.len() {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] += 1;
        self.count += 1;
        self.longest = self.longest.max(latency);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest.
    pub fn longest(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.longest)
    }

    /// What this share of them does not exceed, to a fifth of a per cent; none where there are none.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let rank = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut below = 0;
        let place = self.counts.iter().position(|count| {
            below += count;
            below >= rank
        })?;
        let ns = SHORTEST_NS * STEP.powi(i32::try_from(place).unwrap_or(i32::MAX));
        Some(Duration::from_nanos(ns as u64).min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_quantile_is_that_of_the_sorted_list(
            mut ns in prop::collection::vec(1_000..1_000_000_000u64, 1..200), share in 0.01..1.0f64,
        ) {
            let mut latencies = Latencies::default();
            for &ns in &ns {
                latencies.add(Duration::from_nanos(ns));
            }
            ns.sort_unstable();
            let exact = ns[((ns.len() as f64 * share).ceil() as usize).max(1) - 1] as f64;
            let found = latencies.quantile(share).unwrap().as_nanos() as f64;
            prop_assert!(found >= exact * 0.998 && found <= exact * 1.005, "{found} {exact}");
        }
    }
}
