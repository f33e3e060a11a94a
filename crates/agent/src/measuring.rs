//! Measuring, as a pure core: it is told of minibatches and samples, and says when enough is known.
//!
//! First the workload warms up, until the times of its minibatches and the power are steady. What
//! runs then counts, until there are enough minibatches and enough distinct values of the power.
//! A profile has the median time, which a few slow minibatches do not move, and the mean power.

use std::time::Duration;

use fulcrum_board::{Absence, Moment, SensorValue};
use fulcrum_domain::{Failure, Profile, Seconds, Watts};

use crate::energy::DistinctMean;
use crate::settling::alike;

/// How much is to be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// At least so many minibatches.
    pub minibatches: u32,
    /// At least so many distinct values of the power.
    pub power_samples: u32,
    /// Give up after this long.
    pub timeout: Duration,
}

impl Default for Demand {
    fn default() -> Self {
        Self { minibatches: 40, power_samples: 3, timeout: Duration::from_mins(2) }
    }
}

/// What runs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It does not count yet.
    WarmingUp,
    /// It counts.
    Measuring,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Not at its end.
    Running {
        /// What runs now.
        phase: Phase,
        /// Minibatches that count so far.
        minibatches: u32,
        /// Distinct values of the power that count so far.
        power_samples: u32,
    },
    /// Enough is known.
    Done(Measured),
    /// It gave no profile.
    Failed(Failure),
}

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Median time, mean power, and their error.
    pub profile: Profile,
    /// The interquartile range of the times.
    pub spread: Seconds,
    /// Minibatches that counted.
    pub minibatches: u32,
    /// Distinct values of the power that counted.
    pub power_samples: u32,
    /// The highest temperature meanwhile, in degrees Celsius.
    pub peak_temperature: SensorValue,
    /// Mean power times mean time, in joules.
    pub energy_per_minibatch_joules: f64,
}

/// Times are compared over windows of so many minibatches.
const WINDOW: usize = 8;
/// Two windows whose medians differ by less are steady.
const STEADY_TIME: f64 = 0.02;
/// After so many windows it counts in any case: some workloads never become steady, and their
/// profile says so by its error.
const PATIENCE: usize = 10;
/// After this long, warming up goes by fewer minibatches.
const SLOW: Duration = Duration::from_secs(10);
/// Fewer than so many minibatches say nothing.
const FEWEST: usize = 3;

/// One measurement.
#[derive(Debug)]
pub struct Measuring {
    demand: Demand,
    began: Moment,
    refresh: Option<Duration>,
    phase: Phase,
    times: Vec<f64>,
    power: DistinctMean,
    power_was_read: bool,
    peak: SensorValue,
    failure: Option<Failure>,
}

impl Measuring {
    /// A measurement that began when the mode was set; `power_refresh` is how often the power has a
    /// new value.
    pub fn new(demand: Demand, began: Moment, power_refresh: Option<Duration>) -> Self {
        Self {
            demand,
            began,
            refresh: power_refresh,
            phase: Phase::WarmingUp,
            times: Vec::new(),
            power: DistinctMean::default(),
            power_was_read: false,
            peak: Err(Absence::Missing),
            failure: None,
        }
    }

    /// A minibatch took so many seconds.
    pub fn minibatch(&mut self, seconds: f64, now: Moment) {
        self.times.push(seconds);
        if self.phase == Phase::WarmingUp && self.warm(now) {
            self.phase = Phase::Measuring;
            self.times.clear();
            self.power.forget();
            self.peak = Err(Absence::Missing);
        }
    }

    /// The power sensor said this.
    pub fn power(&mut self, at: Moment, value: &SensorValue) {
        if let Ok(watts) = *value {
            self.power_was_read = true;
            self.power.add(at, watts, self.refresh);
        }
    }

    /// The hottest part had this temperature.
    pub fn temperature(&mut self, celsius: &SensorValue) {
        match (&self.peak, celsius) {
            (Ok(peak), Ok(celsius)) if celsius <= peak => {}
            (Ok(_), Err(_)) => {}
            _ => self.peak.clone_from(celsius),
        }
    }

    /// The board did not hold the mode.
    pub fn throttled(&mut self) {
        self.failure.get_or_insert(Failure::Throttled);
    }

    /// How far it is now.
    pub fn state(&self, now: Moment) -> State {
        if let Some(failure) = self.failure {
            return State::Failed(failure);
        }
        let minibatches = u32::try_from(self.times.len()).unwrap_or(u32::MAX);
        let power_samples = self.power.count();
        if self.phase == Phase::Measuring && minibatches >= self.demand.minibatches {
            if power_samples >= self.demand.power_samples
                && let Some(power) = self.power.mean()
            {
                return State::Done(self.measured(power));
            }
            if !self.power_was_read {
                // A profile without its power is none.
                return State::Failed(Failure::Unavailable);
            }
        }
        if now.since(self.began) >= self.demand.timeout {
            return State::Failed(Failure::TimedOut);
        }
        let counts = self.phase == Phase::Measuring;
        State::Running {
            phase: self.phase,
            minibatches: if counts { minibatches } else { 0 },
            power_samples: if counts { power_samples } else { 0 },
        }
    }

    fn warm(&self, now: Moment) -> bool {
        let slow = now.since(self.began) >= SLOW;
        let window = if slow { FEWEST } else { WINDOW };
        let n = self.times.len();
        if n >= PATIENCE * WINDOW {
            return true;
        }
        // A minibatch that takes longer than all of the warming up may is warm after a few.
        if slow && self.times.iter().sum::<f64>() / n as f64 * WINDOW as f64 > SLOW.as_secs_f64() {
            return n >= FEWEST;
        }
        if n < 2 * window || !n.is_multiple_of(window) {
            return false;
        }
        let (before, last) =
            (median(&self.times[n - 2 * window..n - window]), median(&self.times[n - window..]));
        let steady_time = (last / before - 1.0).abs() < STEADY_TIME;
        let steady_power =
            !self.power_was_read || self.power.last_two().is_some_and(|(a, b)| alike(a, b));
        steady_time && steady_power
    }

    fn measured(&self, power: f64) -> Measured {
        let mut sorted = self.times.clone();
        sorted.sort_by(f64::total_cmp);
        let quartile = |share: f64| sorted[(share * (sorted.len() - 1) as f64).round() as usize];
        let (median, spread) = (median(&self.times), quartile(0.75) - quartile(0.25));
        // The standard error of a median of normal values, with the spread as a robust sigma.
        let sigma = spread / 1.349;
        let of_time = 1.2533 * sigma / (self.times.len() as f64).sqrt() / median;
        let first = self.times[0];
        let beyond: f64 = self.times.iter().map(|time| time - first).sum();
        let mean_time = first + beyond / self.times.len() as f64;
        Measured {
            profile: Profile {
                minibatch: Seconds::new(median),
                power: Watts::new(power),
                error: of_time.max(self.power.relative_error()),
            },
            spread: Seconds::new(spread),
            minibatches: u32::try_from(self.times.len()).unwrap_or(u32::MAX),
            power_samples: self.power.count(),
            peak_temperature: self.peak.clone(),
            energy_per_minibatch_joules: power * mean_time,
        }
    }
}

/// The middle value, or the mean of the two middle ones; exactly the common one where all are equal.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (a, b) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    a + (b - a) / 2.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Runs minibatches of these times, with a power that is read after each, until the end.
    fn run(
        demand: Demand,
        mut time: impl FnMut(usize) -> f64,
        mut power: impl FnMut(Duration) -> SensorValue,
    ) -> State {
        let mut now = Duration::ZERO;
        let mut measuring = Measuring::new(demand, Moment::START, Some(Duration::from_millis(430)));
        for i in 0.. {
            let seconds = time(i);
            now += Duration::from_secs_f64(seconds);
            let at = Moment::after(now);
            measuring.minibatch(seconds, at);
            measuring.power(at, &power(now));
            match measuring.state(at) {
                State::Running { .. } => {}
                end => return end,
            }
        }
        unreachable!("it ends")
    }

    fn done(state: State) -> Measured {
        match state {
            State::Done(measured) => measured,
            other => panic!("{other:?}"),
        }
    }

    proptest! {
        #[test]
        fn what_is_all_equal_is_measured_exactly(time in 0.001..3.0f64, watts in 1.0..60.0f64) {
            let demand = Demand { timeout: Duration::from_secs(1_000), ..Demand::default() };
            let measured = done(run(demand, |_| time, |_| Ok(watts)));
            prop_assert_eq!(measured.profile, Profile::exact(Seconds::new(time), Watts::new(watts)));
            prop_assert!(measured.minibatches >= 40 && measured.power_samples >= 3);
        }

        #[test]
        fn warming_up_does_not_count(time in 0.01..0.3f64, watts in 10.0..60.0f64) {
            // Slow at first, and the power rises late.
            let slow = |i: usize| if i < 20 { time * (2.0 - i as f64 / 20.0) } else { time };
            let late = |now: Duration| Ok(if now.as_secs_f64() < 30.0 * time { 9.0 } else { watts });
            let demand = Demand { timeout: Duration::from_secs(1_000), ..Demand::default() };
            let measured = done(run(demand, slow, late));
            prop_assert!((measured.profile.minibatch.get() / time - 1.0).abs() < 0.03);
        }

        #[test]
        fn the_error_says_how_far_another_measurement_may_lie(seed in 0..200u64) {
            let mut state = seed;
            let mut uniform = move || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 11) as f64 / (1u64 << 53) as f64
            };
            let noisy = move |_: usize| 0.1 * (1.0 + 0.1 * (uniform() + uniform() + uniform() - 1.5));
            let measured = done(run(Demand::default(), noisy, |_| Ok(30.0)));
            let off = (measured.profile.minibatch.get() / 0.1 - 1.0).abs();
            prop_assert!(off < 6.0 * measured.profile.error, "{off} {}", measured.profile.error);
        }
    }

    #[test]
    fn one_that_does_not_end_in_time_says_so() {
        let demand = Demand { timeout: Duration::from_secs(2), ..Demand::default() };
        assert_eq!(run(demand, |_| 0.5, |_| Ok(20.0)), State::Failed(Failure::TimedOut));
    }

    #[test]
    fn without_a_power_there_is_no_profile() {
        let state = run(Demand::default(), |_| 0.01, |_| Err(Absence::Denied));
        assert_eq!(state, State::Failed(Failure::Unavailable));
    }

    #[test]
    fn a_board_that_does_not_hold_the_mode_ends_it() {
        let mut measuring = Measuring::new(Demand::default(), Moment::START, None);
        measuring.minibatch(0.1, Moment::START);
        measuring.throttled();
        assert_eq!(measuring.state(Moment::START), State::Failed(Failure::Throttled));
    }
}
