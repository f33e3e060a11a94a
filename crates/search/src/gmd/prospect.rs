//! What a mode and a batch size promise: how likely the budgets hold there, and how much better
//! than the best known plan it may be.

use fulcrum_domain::{Alternate, Assessment, BatchSize, Problem};

use super::outlook::Minibatch;
use super::slopes::Forecast;

/// Equally likely draws of a standard normal.
const DRAWS: [f64; 5] = [-1.28, -0.52, 0.0, 0.52, 1.28];
const ONE_DRAW: [f64; 1] = [0.0];

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
    pub(super) fn holds(&self, power: Forecast) -> f64 {
        let margin = (self.problem.power().get() / (self.guard * power.value)).ln();
        if power.error <= 0.0 {
            return if margin >= 0.0 { 1.0 } else { 0.0 };
        }
        1.0 / (1.0 + (-1.702 * margin / power.error).exp())
    }

    /// Whether a rough estimate of power is too far above the budget to be worth a look.
    pub(super) fn out_of_reach(&self, power: f64) -> bool {
        power * self.guard > 1.5 * self.problem.power().get()
    }

    /// A quick and hopeful look at times and powers that may be off by some: what could be gained,
    /// of no meaning but for ranking.
    pub(super) fn hope(
        &self,
        background: Option<[f64; 2]>,
        urgent: Option<(BatchSize, [f64; 2])>,
    ) -> f64 {
        const LUCK: f64 = 0.9;
        const DOUBT: f64 = 0.1;
        let powers = background.into_iter().chain(urgent.map(|(_, m)| m)).map(|[_, power]| power);
        let power = powers.fold(0.0, f64::max);
        if self.out_of_reach(power) {
            return 0.0;
        }
        let luck = self.guard * LUCK;
        let lucky = background.map(|[time, _]| time * luck);
        let value = self.value(lucky, urgent.map(|(batch, [time, _])| (batch, time * luck)));
        let gain = match (value, self.best) {
            (Some(value), Some(best)) => value - best,
            (Some(value), None) => 0.1 / lucky.unwrap_or(1.0) + value,
            (None, _) => return 0.0,
        };
        if gain <= 0.0 {
            return 0.0;
        }
        gain * self.holds(Forecast { value: power, error: DOUBT })
    }

    /// By how much the tightest budget holds, on a logarithmic scale; negative where it does not.
    pub(super) fn margin(
        &self,
        background: Option<Minibatch>,
        urgent: Option<(BatchSize, Minibatch)>,
    ) -> f64 {
        let mut margin = f64::INFINITY;
        for minibatch in background.into_iter().chain(urgent.map(|(_, m)| m)) {
            let ratio = self.problem.power().get() / (self.guard * minibatch.power.value);
            margin = margin.min(ratio.ln());
        }
        if let (Some((batch, minibatch)), Some(stream)) = (urgent, self.problem.urgent()) {
            let cycle = batch.as_f64() / stream.rate.get();
            let room = cycle.min(stream.latency.get() - cycle);
            margin = margin.min((room / (self.guard * minibatch.time.value)).ln());
        }
        margin
    }

    /// How much better than the best known plan this is expected to be, as a share of it. Without
    /// a known plan: how likely it is one, more for a better one.
    pub(super) fn gain(
        &self,
        background: Option<Minibatch>,
        urgent: Option<(BatchSize, Minibatch)>,
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
        let slow = background.map(|m| time(m, 0.0));
        let (own, other) = (draws(background), draws(urgent.map(|(_, m)| m)));
        // Nothing to be had where even the luckiest times are no better.
        let lucky = self.value(
            background.map(|m| time(m, -1.5)),
            urgent.map(|(batch, m)| (batch, time(m, -1.5))),
        );
        if lucky.is_none_or(|value| self.best.is_some_and(|best| value <= best)) {
            return 0.0;
        }
        // The draws of the urgent workload's time serve for all of the other's.
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
                sum += match (value, self.best) {
                    (Some(value), Some(best)) if best > 0.0 => (value / best - 1.0).max(0.0),
                    (Some(value), Some(_)) => value * slow.unwrap_or(1.0),
                    (Some(value), None) => 0.1 + value * slow.unwrap_or(1.0),
                    (None, _) => 0.0,
                };
            }
        }
        holds * sum / (own.len() * other.len()) as f64
    }
}
