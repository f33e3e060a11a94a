//! The temperature of the chip, as of one body that warms with its power and cools to its
//! surroundings, and what the firmware does when it is too hot.

/// Kelvins above the surroundings for each watt. A guess for a module with its fan; with it the
/// board stays under its limit at 25 °C whatever it runs.
const KELVINS_PER_WATT: f64 = 1.0;
/// How fast the temperature follows, in seconds; measuring studies wait a minute for it to settle.
const TIME_CONSTANT: f64 = 30.0;
/// Where the clocks are held down: the passive trip of every Orin zone.
const LIMIT_CELSIUS: f64 = 99.0;
/// How far below the limit they are let go again.
const HYSTERESIS: f64 = 3.0;
/// How often the firmware looks, in seconds: the zones' polling interval.
const POLLING: f64 = 1.0;

/// What the firmware does about the temperature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Hold the clocks down further.
    Cool,
    /// Let them go up again.
    Relax,
    /// Nothing.
    Keep,
}

/// The chip's temperature.
#[derive(Debug)]
pub(super) struct Heat {
    ambient: f64,
    celsius: f64,
    next_look: f64,
}

impl Heat {
    pub(super) fn new(ambient: f64, now: f64) -> Self {
        Self { ambient, celsius: ambient, next_look: now + POLLING }
    }

    pub(super) fn celsius(&self) -> f64 {
        self.celsius
    }

    /// Lets some seconds pass at a constant power.
    pub(super) fn pass(&mut self, watts: f64, seconds: f64) {
        let end = self.ambient + KELVINS_PER_WATT * watts;
        self.celsius = end + (self.celsius - end) * (-seconds / TIME_CONSTANT).exp();
    }

    /// When the firmware looks again.
    pub(super) fn next(&self) -> f64 {
        self.next_look
    }

    /// The firmware looks.
    pub(super) fn look(&mut self) -> Reaction {
        self.next_look += POLLING;
        if self.celsius >= LIMIT_CELSIUS {
            Reaction::Cool
        } else if self.celsius < LIMIT_CELSIUS - HYSTERESIS {
            Reaction::Relax
        } else {
            Reaction::Keep
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_warms_towards_what_the_power_makes_and_no_further() {
        let mut heat = Heat::new(25.0, 0.0);
        let mut last = 25.0;
        for _ in 0..600 {
            heat.pass(40.0, 1.0);
            assert!(heat.celsius() >= last && heat.celsius() <= 65.0);
            last = heat.celsius();
        }
        assert!((last - 65.0).abs() < 1e-3, "{last}");
        heat.pass(0.0, 1e6);
        assert!((heat.celsius() - 25.0).abs() < 1e-9);
    }

    #[test]
    fn the_same_heat_however_the_time_is_cut() {
        let (mut once, mut often) = (Heat::new(25.0, 0.0), Heat::new(25.0, 0.0));
        once.pass(50.0, 10.0);
        for _ in 0..1000 {
            often.pass(50.0, 0.01);
        }
        assert!((once.celsius() - often.celsius()).abs() < 1e-9);
    }
}
