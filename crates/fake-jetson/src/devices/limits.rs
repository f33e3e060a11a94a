//! A clock between two limits, as cpufreq and devfreq hold it.

use super::errno::{EINVAL, Errno};

/// What a kernel does with a lower limit above the upper one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelProfile {
    /// Kernel 4.9: it is refused with `EINVAL`.
    Rejecting,
    /// Kernel 5.10 and later: both limits are requests; the upper one wins, and the lower one
    /// comes into its own when the upper one makes room.
    Clamping,
}

#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// The clocks there are, ascending.
    pub(crate) table: Vec<u64>,
    pub(crate) profile: KernelProfile,
    wanted_min: u64,
    wanted_max: u64,
    /// What a cooling device holds the clock at or below, whatever is wanted.
    pub(crate) cooled: Option<u64>,
}

impl Limits {
    pub(crate) fn new(table: Vec<u64>, profile: KernelProfile) -> Self {
        let (wanted_min, wanted_max) = (table[0], table[table.len() - 1]);
        Self { table, profile, wanted_min, wanted_max, cooled: None }
    }

    pub(crate) fn bottom(&self) -> u64 {
        self.table[0]
    }

    pub(crate) fn top(&self) -> u64 {
        self.table[self.table.len() - 1]
    }

    /// The whole range, as at boot.
    pub(crate) fn reset(&mut self) {
        (self.wanted_min, self.wanted_max) = (self.bottom(), self.top());
    }

    pub(crate) fn max(&self) -> u64 {
        self.at_most(self.wanted_max.min(self.cooled.unwrap_or(u64::MAX)))
    }

    pub(crate) fn min(&self) -> u64 {
        self.at_least(self.wanted_min).min(self.max())
    }

    /// The highest clock of the table up to this one, or the lowest.
    pub(crate) fn at_most(&self, clock: u64) -> u64 {
        let place = self.table.partition_point(|&c| c <= clock);
        self.table[place.saturating_sub(1)]
    }

    /// The lowest clock of the table from this one, or the highest.
    fn at_least(&self, clock: u64) -> u64 {
        let place = self.table.partition_point(|&c| c < clock);
        self.table[place.min(self.table.len() - 1)]
    }

    /// The clock that runs where this one would do.
    pub(crate) fn run(&self, clock: u64) -> u64 {
        self.at_most(clock.clamp(self.min(), self.max())).max(self.min())
    }

    pub(crate) fn set_min(&mut self, clock: u64) -> Result<(), Errno> {
        if self.profile == KernelProfile::Rejecting && self.at_least(clock) > self.max() {
            return Err(EINVAL);
        }
        self.wanted_min = clock;
        Ok(())
    }

    pub(crate) fn set_max(&mut self, clock: u64) -> Result<(), Errno> {
        if self.profile == KernelProfile::Rejecting && self.at_most(clock) < self.min() {
            return Err(EINVAL);
        }
        self.wanted_max = clock;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn writes() -> impl Strategy<Value = Vec<(bool, u64)>> {
        prop::collection::vec((any::<bool>(), 0..2_500_000_u64), 0..20)
    }

    proptest! {
        #[test]
        fn limits_stay_in_order_and_in_the_table_whatever_is_written(
            writes in writes(),
            rejecting in any::<bool>(),
            wish in 0..2_500_000_u64,
        ) {
            let profile =
                if rejecting { KernelProfile::Rejecting } else { KernelProfile::Clamping };
            let table: Vec<u64> = (115_200..=2_188_800).step_by(76_800).collect();
            let mut limits = Limits::new(table, profile);
            for (upper, clock) in writes {
                let before = (limits.min(), limits.max());
                let written = if upper { limits.set_max(clock) } else { limits.set_min(clock) };
                prop_assert!(rejecting || written.is_ok());
                prop_assert!(written.is_ok() || (limits.min(), limits.max()) == before);
                let run = limits.run(wish);
                for clock in [limits.min(), limits.max(), run] {
                    prop_assert!(limits.table.contains(&clock));
                }
                prop_assert!(limits.min() <= run && run <= limits.max());
            }
        }
    }
}
