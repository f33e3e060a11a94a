//! Moments on whatever clock drives the turns.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment, in nanoseconds since its clock began: of the system's monotonic clock in an agent, of
/// virtual time in a simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(u64);

impl Moment {
    /// When the clock began.
    pub const START: Self = Self(0);
    /// Later than any other.
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment at so many nanoseconds.
    pub const fn at_ns(ns: u64) -> Self {
        Self(ns)
    }

    /// The nanoseconds since the clock began.
    pub const fn ns(self) -> u64 {
        self.0
    }

    /// The time since an earlier moment; zero if it is not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;
    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;
    fn sub(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)))
    }
}
