//! A power meter like the board's INA3221s: it averages for 430 ms, then shows the mean until the
//! next one is ready.

use crate::orin_agx_model::Draws;

/// How often there is a new value, in seconds: 512 samples of three channels at 140 µs twice.
pub(super) const REFRESH: f64 = 0.43;

/// The meter, with all its channels.
#[derive(Debug)]
pub(super) struct Meter {
    shown: Draws,
    mean: Draws,
    /// How much of the window the mean covers, in seconds.
    covered: f64,
    windows: u64,
    began: f64,
}

impl Meter {
    pub(super) fn new(now: f64, draws: Draws) -> Self {
        Self { shown: draws, mean: draws, covered: 0.0, windows: 0, began: now }
    }

    /// What it shows.
    pub(super) fn shown(&self) -> Draws {
        self.shown
    }

    /// When the next value is ready.
    pub(super) fn next(&self) -> f64 {
        self.began + REFRESH * (self.windows + 1) as f64
    }

    /// Lets some seconds pass at constant draws.
    pub(super) fn pass(&mut self, draws: Draws, seconds: f64) {
        if self.covered == 0.0 {
            self.mean = draws;
        }
        self.covered += seconds;
        if self.covered == 0.0 {
            return;
        }
        let share = seconds / self.covered;
        // Moving the mean by a share of the difference keeps it exact where nothing changes.
        let moved = |mean: f64, now: f64| mean + (now - mean) * share;
        let Draws { base, mem, gpu, cpu } = self.mean;
        self.mean = Draws {
            base: moved(base, draws.base),
            mem: moved(mem, draws.mem),
            gpu: moved(gpu, draws.gpu),
            cpu: moved(cpu, draws.cpu),
        };
    }

    /// Shows the mean of the window that has ended, off by a factor.
    pub(super) fn latch(&mut self, factor: f64) {
        self.shown = self.mean.scaled(factor);
        self.covered = 0.0;
        self.windows += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(watts: f64) -> Draws {
        Draws { base: watts, mem: 0.1, gpu: 0.7, cpu: 0.3 }
    }

    #[test]
    fn it_shows_the_mean_of_a_window_that_has_ended() {
        let mut meter = Meter::new(0.0, draws(10.0));
        meter.pass(draws(10.0), 0.215);
        meter.pass(draws(20.0), 0.215);
        assert_eq!(meter.shown(), draws(10.0));
        meter.latch(1.0);
        assert!((meter.shown().base - 15.0).abs() < 1e-9);
        assert!((meter.next() - 0.86).abs() < 1e-12);
    }

    #[test]
    fn a_constant_power_shows_as_it_is() {
        let mut meter = Meter::new(0.0, draws(3.0));
        let constant = draws(0.1 + 0.2);
        for window in 0..3 {
            for _ in 0..97 {
                meter.pass(constant, REFRESH / 97.0);
            }
            meter.latch(1.0);
            assert_eq!(meter.shown(), constant, "window {window}");
        }
    }
}
