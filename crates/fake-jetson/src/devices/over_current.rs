//! The over-current counters: the firmware counts, and publishes every two seconds.

use std::time::Duration;

const BATCH: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Default)]
pub(crate) struct OverCurrent {
    pub(crate) shown: [u32; 3],
    /// Events a second, by counter.
    pub(crate) rates: [f64; 3],
    counted: [f64; 3],
    since_batch: Duration,
}

impl OverCurrent {
    pub(crate) fn advance(&mut self, time: Duration) {
        self.since_batch += time;
        for (counted, rate) in self.counted.iter_mut().zip(self.rates) {
            *counted += rate * time.as_secs_f64();
        }
        if self.since_batch >= BATCH {
            let over = self.since_batch.as_nanos() % BATCH.as_nanos();
            self.since_batch = Duration::from_nanos(over as u64);
            self.shown = self.counted.map(|counted| counted.round() as u32);
        }
    }

    /// A boot starts them at zero.
    pub(crate) fn reset(&mut self) {
        *self = Self { rates: self.rates, ..Self::default() };
    }
}
