//! What a mode and a batch size promise: how likely the budgets hold there, and how much better
//! than the best known plan it may be.

use fulcrum_domain::{Alternate, Assessment, BatchSize, Problem};

use super::outlook::Minibatch;
use super::slopes::Forecast;

/// Equally likely draws of a standard normal.
const DRAWS: [f64; 5] = [-1.28, -0.52, 0.0, 0.52, 1.28];
const ONE_DRAW: [f64; 1] = [0.0];
/// Luckier than any of the draws.
const LUCKIEST: f64 = 1.5;

/// Where no plan is known, what any plan is worth beside what it yields: as much as if the
/// background workload had the board to itself.
const FOOTHOLD: f64 = 1.0;

/// Looks at a problem with the guard that its readings need.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prospect<'a> {
    pub(super) problem: &'a Problem,
    pub(super) alternate: Alternate,
    /// What readings have to be multiplied with before they are held against the budgets.
    pub(super) guard: f64,
    /// The value of the best known plan; none without one.
    pub(super) best: Option<f64>,
}

impl Prospect<'_> {
    /// How good a plan is, in one number: throughput, or one over the latency.
    pub(super) fn value_of(assessment: &Assessment) -> f64 {
        match (assessment.throughput, assessment.latency) {
            (Some(throughput), _) => throughput.get(),
            (None, Some(latency)) => 1.0 / latency.get(),
            (None, None) => 0.0,
        }
    }

    /// The value at exact times, or none when the latency budget or the arrival rate is missed.
    fn value(&self, background: Option<f64>, urgent: Option<(BatchSize, f64)>) -> Option<f64> {
        let Some((batch, infer)) = urgent else { return Some(1.0 / background?) };
        let stream = self.problem.urgent()?;
        let cycle = batch.as_f64() / stream.rate.get();
        let slack = stream.latency.get() - cycle - infer;
        if slack < 0.0 || infer > cycle {
            return None;
        }
        let Some(background) = background else { return Some(1.0 / (cycle + infer)) };
        let share = (cycle - infer) / background;
        let whole = share.floor();
        let turns = match self.alternate {
            // Where the slack takes up what a minibatch runs over, none of the time is lost.
            Alternate::SlackAware if (whole + 1.0 - share) * background <= slack => share,
            _ => whole,
        };
        Some(turns / cycle)
    }

    /// How likely a power budget holds.
    fn holds(&self, power: Forecast) -> f64 {
        let margin = (self.problem.power().get() / (self.guard * power.value)).ln();
        if power.error <= 0.0 {
            return if margin >= 0.0 { 1.0 } else { 0.0 };
        }
        1.0 / (1.0 + (-1.702 * margin / power.error).exp())
    }

    /// A quick and hopeful look at times and powers that may be off by some: what could be gained,
    /// of no meaning but for ranking. With the background workload alone, no less than with any
    /// urgent one beside it.
    pub(super) fn hope(
        &self,
        background: Option<[f64; 2]>,
        urgent: Option<(BatchSize, [f64; 2])>,
    ) -> f64 {
        const LUCK: f64 = 0.9;
        /// Rough power above this many times the budget is not worth a look.
        const REACH: f64 = 1.5;
        /// The logistic curve of a normal error of a tenth, as a power of the ratio.
        const STEEPNESS: i32 = 17;
        let powers = background.into_iter().chain(urgent.map(|(_, m)| m)).map(|[_, power]| power);
        let overdraw = self.guard * powers.fold(0.0, f64::max) / self.problem.power().get();
        if overdraw > REACH {
            return 0.0;
        }
        let luck = self.guard * LUCK;
        let lucky = background.map(|[time, _]| time * luck);
        let value = self.value(lucky, urgent.map(|(batch, [time, _])| (batch, time * luck)));
        let gain = match (value, self.best) {
            (Some(value), Some(best)) => value - best,
            (Some(value), None) => FOOTHOLD / lucky.unwrap_or(1.0) + value,
            (None, _) => return 0.0,
        };
        gain.max(0.0) / (1.0 + overdraw.powi(STEEPNESS))
    }

    /// How many times over the tightest budget is met by these times and powers: 1 where it just
    /// holds, less where it does not.
    pub(super) fn room(
        &self,
        background: Option<[f64; 2]>,
        urgent: Option<(BatchSize, [f64; 2])>,
    ) -> f64 {
        let powers = background.into_iter().chain(urgent.map(|(_, m)| m)).map(|[_, power]| power);
        let power = self.problem.power().get() / powers.fold(0.0, f64::max);
        let time = match (urgent, self.problem.urgent()) {
            (Some((batch, [time, _])), Some(stream)) => {
                let cycle = batch.as_f64() / stream.rate.get();
                cycle.min(stream.latency.get() - cycle) / time
            }
            _ => f64::INFINITY,
        };
        power.min(time) / self.guard
    }

    /// How much better than the best known plan this is expected to be, as a share of it. Without
    /// a known plan: how likely it is one, more for a better one. Nothing where it cannot be more
    /// than `least`.
    pub(super) fn gain(
        &self,
        background: Option<Minibatch>,
        urgent: Option<(BatchSize, Minibatch)>,
        least: f64,
    ) -> f64 {
        let powers = background.into_iter().chain(urgent.map(|(_, m)| m)).map(|m| m.power);
        let holds = powers.map(|power| self.holds(power)).fold(1.0, f64::min);
        if holds < 0.01 {
            return 0.0;
        }
        let time = |m: Minibatch, z: f64| m.time.value * self.guard * (z * m.time.error).exp();
        let draws = |m: Option<Minibatch>| match m {
            Some(m) if m.time.error > 0.0 => DRAWS.as_slice(),
            _ => ONE_DRAW.as_slice(),
        };
        let slow = background.map_or(1.0, |m| time(m, 0.0));
        let gain = |value: f64| match self.best {
            Some(best) if best > 0.0 => (value / best - 1.0).max(0.0),
            Some(_) => value * slow,
            None => FOOTHOLD + value * slow,
        };
        // No draw is better than the luckiest times.
        let luckiest = self.value(
            background.map(|m| time(m, -LUCKIEST)),
            urgent.map(|(batch, m)| (batch, time(m, -LUCKIEST))),
        );
        if luckiest.is_none_or(|value| holds * gain(value) <= least) {
            return 0.0;
        }
        // The draws of the urgent workload's time serve for all of the other's.
        let (own, other) = (draws(background), draws(urgent.map(|(_, m)| m)));
        let mut times = [0.0; DRAWS.len()];
        if let Some((_, m)) = urgent {
            for (drawn, &z) in times.iter_mut().zip(other) {
                *drawn = time(m, z);
            }
        }
        let mut sum = 0.0;
        for &a in own {
            let background = background.map(|m| time(m, a));
            for &drawn in &times[..other.len()] {
                let value = self.value(background, urgent.map(|(batch, _)| (batch, drawn)));
                sum += value.map_or(0.0, gain);
            }
        }
        holds * sum / (own.len() * other.len()) as f64
    }
}
