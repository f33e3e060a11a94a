//! Time as boards and agents see it, so that a test or a simulated board can run it faster.

use std::ops::{Add, Sub};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A moment on a monotonic clock: the time since that clock began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(Duration);

impl Moment {
    /// The moment at which the clock began.
    pub const START: Self = Self(Duration::ZERO);

    /// The moment this long after the clock began.
    pub const fn after(start: Duration) -> Self {
        Self(start)
    }

    /// The time since the clock began.
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// The time from an earlier moment to this one; zero if it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;
    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;
    fn sub(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(time))
    }
}

/// A monotonic clock.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Moment;

    /// The real time that this much time of the clock takes, for whoever has to wait for it.
    fn real(&self, time: Duration) -> Duration;

    /// Tells the clock that someone has waited this long. A clock that runs by itself need not be
    /// told; one that does not goes on.
    fn pass(&self, time: Duration) {
        let _ = time;
    }
}

/// The system's monotonic clock, at its own speed or faster.
#[derive(Debug, Clone)]
pub struct SystemClock {
    began: Instant,
    speed: f64,
}

impl SystemClock {
    /// The system's clock as it is.
    pub fn new() -> Self {
        Self::faster(1.0)
    }

    /// A clock on which `speed` seconds pass in each real second; for simulated boards.
    pub fn faster(speed: f64) -> Self {
        Self { began: Instant::now(), speed: speed.max(f64::MIN_POSITIVE) }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment(self.began.elapsed().mul_f64(self.speed))
    }

    fn real(&self, time: Duration) -> Duration {
        time.div_f64(self.speed)
    }
}

/// A clock that stands still until it is told to go on: for tests, and for simulated boards, where
/// it makes a simulation the same however busy the machine is.
#[derive(Debug, Clone, Default)]
pub struct ManualClock {
    now: Arc<Mutex<Moment>>,
    /// The seconds that are to pass in each real second; none where nobody is to wait.
    speed: Option<f64>,
}

impl ManualClock {
    /// A clock at its beginning, for which nobody has to wait.
    pub fn new() -> Self {
        Self::default()
    }

    /// A clock at its beginning on which `speed` seconds are to pass in each real second.
    pub fn faster(speed: f64) -> Self {
        Self { speed: Some(speed.max(f64::MIN_POSITIVE)), ..Self::default() }
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = *now + time;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn real(&self, time: Duration) -> Duration {
        self.speed.map_or(Duration::ZERO, |speed| time.div_f64(speed))
    }

    fn pass(&self, time: Duration) {
        self.advance(time);
    }
}
