//! Whether a board has settled after its mode was changed.
//!
//! Clocks change within milliseconds, but what they draw follows as voltages, caches and the
//! sensor's own averaging do. So the power decides: two values in a row that are alike, of the
//! time after the change, while the board shows the mode.

use std::time::Duration;

use fulcrum_board::{Moment, SensorValue};

use crate::energy::DistinctMean;

/// Two values of the power that differ by less are steady, as a share.
pub const STEADY_POWER: f64 = 0.03;

/// A board after a change of its mode.
#[derive(Debug)]
pub struct Settling {
    changed: Moment,
    refresh: Option<Duration>,
    power: DistinctMean,
}

impl Settling {
    /// The mode was changed at a moment; `refresh` is how often the power has a new value.
    pub fn new(changed: Moment, refresh: Option<Duration>) -> Self {
        Self { changed, refresh, power: DistinctMean::default() }
    }

    /// The power sensor said this, and the board showed the mode or not. Says how long after the
    /// change it had settled, once it has.
    pub fn look(&mut self, at: Moment, power: &SensorValue, holds: bool) -> Option<Duration> {
        // A value that was there when the mode changed may rest on the time before it.
        let averaged = self.refresh.unwrap_or_default();
        if at.since(self.changed) <= averaged {
            return None;
        }
        if !holds {
            self.power.forget();
            return None;
        }
        self.power.add(at, *power.as_ref().ok()?, self.refresh);
        self.is_steady().then(|| at.since(self.changed))
    }

    fn is_steady(&self) -> bool {
        self.power.last_two().is_some_and(|(a, b)| alike(a, b))
    }
}

/// Whether two values of the power are near enough to be one.
pub fn alike(a: f64, b: f64) -> bool {
    (b / a - 1.0).abs() < STEADY_POWER
}

#[cfg(test)]
mod tests {
    use fulcrum_board::Absence;

    use super::*;

    const REFRESH: Option<Duration> = Some(Duration::from_millis(430));

    fn at(millis: u64) -> Moment {
        Moment::after(Duration::from_millis(millis))
    }

    fn settled(powers: &[(u64, f64, bool)]) -> Option<Duration> {
        let mut settling = Settling::new(at(1_000), REFRESH);
        let mut looks = powers.iter();
        looks.find_map(|&(millis, watts, holds)| settling.look(at(millis), &Ok(watts), holds))
    }

    #[test]
    fn two_values_alike_after_the_change_have_settled() {
        let rising = [
            (1_200, 20.0, true),
            (1_600, 20.0, true),
            (2_100, 30.0, true),
            (2_600, 35.0, true),
            (3_100, 35.5, true),
        ];
        assert_eq!(settled(&rising), Some(Duration::from_millis(2_100)));
        assert_eq!(settled(&rising[..4]), None);
    }

    #[test]
    fn values_that_rest_on_the_time_before_do_not_count() {
        assert_eq!(settled(&[(1_100, 20.0, true), (1_430, 20.0, true)]), None);
    }

    #[test]
    fn a_board_that_does_not_show_the_mode_has_not_settled() {
        let late = [(1_500, 20.0, false), (2_000, 20.0, false), (2_500, 20.0, true)];
        assert_eq!(settled(&late), None);
        let then = [&late[..], &[(3_000, 20.1, true)]].concat();
        assert_eq!(settled(&then), Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_power_that_is_not_known_never_settles() {
        let mut settling = Settling::new(at(0), None);
        for millis in 1..100 {
            assert_eq!(settling.look(at(millis * 100), &Err(Absence::Missing), true), None);
        }
    }
}
