//! When requests arrive.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp1, Gamma};

use crate::moment::Moment;

/// How requests arrive at one inference.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrivals {
    /// How the times between them scatter.
    pub process: Process,
    /// How many a second there are.
    pub rate: Rate,
}

/// How the times between requests scatter.
#[derive(Debug, Clone, PartialEq)]
pub enum Process {
    /// Evenly spaced, as from a camera.
    Constant,
    /// Independent of each other.
    Poisson,
    /// Gamma-distributed times with this coefficient of variation: 1 as Poisson, 2 in bursts.
    Gamma {
        /// Standard deviation over mean.
        cv: f64,
    },
    /// Evenly spaced at twice the rate for a while, then none for as long: exponentially
    /// distributed spells of this mean.
    OnOff {
        /// The mean length of a spell.
        spell: Duration,
    },
    /// At exactly these moments, ascending; the rate is of no meaning.
    Traced(Vec<Moment>),
}

/// A rate that may change.
#[derive(Debug, Clone, PartialEq)]
pub enum Rate {
    /// So many a second, always.
    Steady(f64),
    /// From each of these moments on so many a second, ascending, the first at the start.
    Steps(Vec<(Moment, f64)>),
}

impl Rate {
    /// Requests a second at a moment.
    pub fn at(&self, moment: Moment) -> f64 {
        match self {
            Self::Steady(rate) => *rate,
            Self::Steps(steps) => {
                let next = steps.partition_point(|(from, _)| *from <= moment);
                steps.get(next.saturating_sub(1)).map_or(0.0, |(_, rate)| *rate)
            }
        }
    }

    /// When the rate next changes after a moment.
    fn changes_after(&self, moment: Moment) -> Moment {
        match self {
            Self::Steady(_) => Moment::NEVER,
            Self::Steps(steps) => {
                let next = steps.partition_point(|(from, _)| *from <= moment);
                steps.get(next).map_or(Moment::NEVER, |(from, _)| *from)
            }
        }
    }
}

impl Arrivals {
    /// Evenly spaced requests at a steady rate.
    pub fn constant(rate: f64) -> Self {
        Self { process: Process::Constant, rate: Rate::Steady(rate) }
    }

    /// Independent requests at a steady rate.
    pub fn poisson(rate: f64) -> Self {
        Self { process: Process::Poisson, rate: Rate::Steady(rate) }
    }

    /// Requests in bursts at a steady rate: gamma-distributed times with a coefficient of variation
    /// of 2.
    pub fn bursty(rate: f64) -> Self {
        Self { process: Process::Gamma { cv: 2.0 }, rate: Rate::Steady(rate) }
    }
}

impl Arrivals {
    /// The moments of arrival, one after the other; a seed draws the same ones again.
    pub fn moments(self, seed: u64) -> impl Iterator<Item = Moment> {
        let mut drawn = Drawn::new(self, ChaCha8Rng::seed_from_u64(seed));
        std::iter::from_fn(move || drawn.next())
    }
}

/// Draws one arrival after the other.
#[derive(Debug, Clone)]
pub(super) struct Drawn {
    arrivals: Arrivals,
    random: ChaCha8Rng,
    last: Moment,
    count: usize,
    /// Until when requests come in the present spell.
    spell_ends: Moment,
}

impl Drawn {
    pub(super) fn new(arrivals: Arrivals, random: ChaCha8Rng) -> Self {
        Self { arrivals, random, last: Moment::START, count: 0, spell_ends: Moment::START }
    }

    /// The next arrival; none when there are no more.
    pub(super) fn next(&mut self) -> Option<Moment> {
        self.count += 1;
        let next = match &self.arrivals.process {
            Process::Traced(moments) => return moments.get(self.count - 1).copied(),
            Process::Constant => self.spaced(1.0),
            Process::Poisson => {
                let units = self.random.sample::<f64, _>(Exp1);
                self.spaced(units)
            }
            Process::Gamma { cv } => {
                let shape = 1.0 / (cv * cv);
                let units =
                    Gamma::new(shape, 1.0 / shape).map_or(1.0, |g| g.sample(&mut self.random));
                self.spaced(units)
            }
            Process::OnOff { spell } => {
                let spell = *spell;
                self.in_spells(spell)
            }
        };
        self.last = next?;
        next
    }

    /// The moment at which so many more requests would have come at the rates until then.
    fn spaced(&self, units: f64) -> Option<Moment> {
        let (mut from, mut left) = (self.last, units);
        loop {
            let rate = self.arrivals.rate.at(from);
            let changes = self.arrivals.rate.changes_after(from);
            let span = changes.since(from).as_secs_f64();
            if rate > 0.0 && left <= rate * span {
                return Some(from + Duration::from_secs_f64(left / rate));
            }
            if changes == Moment::NEVER {
                return None;
            }
            left -= rate * span;
            from = changes;
        }
    }

    fn in_spells(&mut self, mean: Duration) -> Option<Moment> {
        if self.spell_ends == Moment::START {
            self.spell_ends = Moment::START + self.spell(mean);
        }
        // Twice the rate, in half of the time.
        let (mut from, mut left) = (self.last, 0.5);
        loop {
            let rate = self.arrivals.rate.at(from);
            if rate <= 0.0 {
                from = self.arrivals.rate.changes_after(from);
                if from == Moment::NEVER {
                    return None;
                }
            }
            while from > self.spell_ends {
                let begins = self.spell_ends + self.spell(mean);
                self.spell_ends = begins + self.spell(mean);
                from = from.max(begins);
            }
            if rate > 0.0 {
                let next = from + Duration::from_secs_f64(left / rate);
                if next <= self.spell_ends {
                    return Some(next);
                }
                left -= rate * self.spell_ends.since(from).as_secs_f64();
                from = self.spell_ends + self.spell(mean);
                self.spell_ends = from + self.spell(mean);
            }
        }
    }

    fn spell(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(self.random.sample(Exp1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_process_keeps_its_rate(rate in 1.0..200.0f64, seed in any::<u64>()) {
            let steps = Rate::Steps(vec![(Moment::START, rate), (Moment::at_ns(500_000_000_000), 0.0),
                (Moment::at_ns(1_000_000_000_000), 2.0 * rate)]);
            for process in [Process::Constant, Process::Poisson, Process::Gamma { cv: 2.0 },
                Process::OnOff { spell: Duration::from_millis(500) }] {
                let arrivals = Arrivals { process: process.clone(), rate: steps.clone() };
                let mut drawn = Drawn::new(arrivals, ChaCha8Rng::seed_from_u64(seed));
                let mut count = 0.0;
                let mut last = Moment::START;
                let end = Moment::at_ns(1_500_000_000_000);
                while let Some(at) = drawn.next().filter(|at| *at <= end) {
                    prop_assert!(at >= last, "{process:?}");
                    last = at;
                    count += 1.0;
                }
                let expected = 3.0 * 500.0 * rate;
                // Of spells there are few, so what comes in them scatters widely.
                let tolerance = match process { Process::OnOff { .. } => 0.25, _ => 10.0 / expected.sqrt() };
                prop_assert!((count / expected - 1.0f64).abs() < tolerance.max(0.01),
                    "{process:?}: {count} {expected}");
            }
        }
    }
}
