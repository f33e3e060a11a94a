//! Energy and averages of a power that has a new value only now and then.

use std::time::Duration;

use fulcrum_board::{Moment, SensorValue};

/// A gap between two readings that is longer than this is not counted.
const LONGEST_GAP: Duration = Duration::from_secs(5);

/// Tells new values of a sensor from old ones read again.
///
/// A value is new when it differs from the last, or when the sensor has had time for another that
/// happens to be equal.
#[derive(Debug, Clone, Copy, Default)]
struct Distinct {
    last: Option<(Moment, f64)>,
}

impl Distinct {
    fn is_new(&mut self, at: Moment, value: f64, refresh: Option<Duration>) -> bool {
        let new = self.last.is_none_or(|(since, last)| {
            value.to_bits() != last.to_bits() || at.since(since) >= refresh.unwrap_or_default()
        });
        if new {
            self.last = Some((at, value));
        }
        new
    }
}

/// Counts the energy drawn. It only grows.
#[derive(Debug, Clone, Default)]
pub struct EnergyCounter {
    joules: f64,
    covered: Duration,
    count: u64,
    distinct: Distinct,
    last: Option<(Moment, f64)>,
}

impl EnergyCounter {
    /// Takes in what the power sensor said, in watts.
    pub fn add(&mut self, at: Moment, power: &SensorValue, refresh: Option<Duration>) {
        let Ok(watts) = *power else {
            self.last = None;
            return;
        };
        if self.distinct.is_new(at, watts, refresh) {
            self.count += 1;
        }
        if let Some((before, then)) = self.last {
            let time = at.since(before);
            if time <= LONGEST_GAP.max(refresh.unwrap_or_default() * 4) {
                self.joules += 0.5 * (then + watts).max(0.0) * time.as_secs_f64();
                self.covered += time;
            }
        }
        self.last = Some((at, watts));
    }

    /// The energy drawn while there was a reading, in joules.
    pub fn joules(&self) -> f64 {
        self.joules
    }

    /// How long there was a reading.
    pub fn covered(&self) -> Duration {
        self.covered
    }

    /// How many distinct values it rests on.
    pub fn distinct(&self) -> u64 {
        self.count
    }
}

/// The mean of the distinct values of a power.
#[derive(Debug, Clone, Default)]
pub struct DistinctMean {
    distinct: Distinct,
    values: Vec<f64>,
}

impl DistinctMean {
    /// Takes in a value in watts; says whether it was a new one.
    pub fn add(&mut self, at: Moment, watts: f64, refresh: Option<Duration>) -> bool {
        let new = self.distinct.is_new(at, watts, refresh);
        if new {
            self.values.push(watts);
        }
        new
    }

    /// The last two distinct values, if there are as many.
    pub fn last_two(&self) -> Option<(f64, f64)> {
        let n = self.values.len();
        (n >= 2).then(|| (self.values[n - 2], self.values[n - 1]))
    }

    /// Forgets all values; what was read already is not new again.
    pub fn forget(&mut self) {
        self.values.clear();
    }

    /// How many distinct values there were.
    pub fn count(&self) -> u32 {
        u32::try_from(self.values.len()).unwrap_or(u32::MAX)
    }

    /// Their mean; none without any.
    pub fn mean(&self) -> Option<f64> {
        mean(&self.values)
    }

    /// The standard error of the mean, as a share of it.
    pub fn relative_error(&self) -> f64 {
        let n = self.values.len() as f64;
        let (Some(mean), true) = (self.mean(), n >= 2.0) else { return 0.0 };
        let squares: f64 = self.values.iter().map(|v| (v - mean).powi(2)).sum();
        (squares / (n - 1.0) / n).sqrt() / mean
    }
}

/// The mean, exactly the common value where all are equal.
fn mean(values: &[f64]) -> Option<f64> {
    let first = *values.first()?;
    let beyond: f64 = values.iter().map(|value| value - first).sum();
    Some(first + beyond / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use fulcrum_board::Absence;
    use proptest::prelude::*;

    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::after(Duration::from_millis(millis))
    }

    #[test]
    fn a_steady_power_is_power_times_time() {
        let mut energy = EnergyCounter::default();
        for i in 0..=20 {
            energy.add(at(100 * i), &Ok(10.0), Some(Duration::from_millis(430)));
        }
        assert!((energy.joules() - 20.0).abs() < 1e-9);
        assert_eq!(energy.covered(), Duration::from_secs(2));
        // 2 s hold five values of 430 ms: at 0, 500, 1000, 1500 and 2000 ms as it was read.
        assert_eq!(energy.distinct(), 5);
    }

    #[test]
    fn time_without_a_reading_is_not_counted() {
        let mut energy = EnergyCounter::default();
        energy.add(at(0), &Ok(10.0), None);
        energy.add(at(1_000), &Err(Absence::Missing), None);
        energy.add(at(2_000), &Ok(10.0), None);
        energy.add(at(20_000), &Ok(10.0), None);
        assert_eq!(energy.joules(), 0.0);
        assert_eq!(energy.covered(), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn energy_never_falls(
            readings in prop::collection::vec((0..9_000u64, prop::option::of(0.0..100.0f64)), 1..60),
        ) {
            let mut energy = EnergyCounter::default();
            let (mut now, mut before) = (0, 0.0);
            for (later, power) in readings {
                now += later;
                energy.add(at(now), &power.ok_or(Absence::Gated), Some(Duration::from_millis(430)));
                prop_assert!(energy.joules() >= before);
                prop_assert!(energy.covered() <= Duration::from_millis(now));
                before = energy.joules();
            }
        }

        #[test]
        fn equal_values_have_exactly_their_mean(value in 0.1..100.0f64, count in 1..50u64) {
            let mut mean = DistinctMean::default();
            for i in 0..count {
                mean.add(at(500 * i), value, Some(Duration::from_millis(430)));
            }
            prop_assert_eq!(mean.mean(), Some(value));
            prop_assert_eq!(mean.relative_error(), 0.0);
            prop_assert_eq!(u64::from(mean.count()), count);
        }
    }
}
