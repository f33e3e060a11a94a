//! How good an operating point is expected to be, before both halves of it are measured.

use std::sync::Arc;

use fulcrum_domain::{
    Alternate, Assessment, BatchSize, OperatingPoint, Problem, ProblemKind, Profile, Role, Seconds,
    Watts,
};
use statrs::function::erf::{erf, erf_inv};

use super::belief::Belief;
use super::surface::Guess;

/// So many pairs of times are looked at to find an expected improvement.
const PAIRS: usize = 24;

/// So many standard errors inside of a budget a reading has to be before it is believed to meet it.
const MARGIN: f64 = 1.2;

/// What an operating point promises.
#[derive(Debug, Clone, Copy)]
pub(super) struct Promise {
    /// The probability that it meets every budget.
    pub(super) feasible: f64,
    /// The expected gain of the objective over the best plan so far if it meets them, as a share;
    /// without a plan, the expected objective itself.
    pub(super) gain: f64,
}

/// Judges operating points for one problem.
#[derive(Debug, Clone)]
pub(crate) struct Judge {
    problem: Problem,
    alternate: Alternate,
    pairs: Arc<[(f64, f64)]>,
    /// How far inside of a budget, as a share, a reading has to be.
    margin: f64,
}

impl Judge {
    pub(crate) fn new(problem: Problem, alternate: Alternate) -> Self {
        Self { problem, alternate, pairs: normal_pairs(), margin: 0.0 }
    }

    /// The same problem where further readings are expected to have this standard error.
    pub(super) fn expecting(&self, error: f64) -> Self {
        Self { margin: MARGIN * error, ..self.clone() }
    }

    pub(super) fn alternate(&self) -> Alternate {
        self.alternate
    }

    pub(super) fn problem(&self) -> &Problem {
        &self.problem
    }

    /// The objective as a number to maximise: throughput, or how many answers fit into a second
    /// of latency.
    pub(super) fn objective(&self, assessment: &Assessment) -> f64 {
        match (self.problem.kind(), assessment.throughput, assessment.latency) {
            (ProblemKind::Infer, _, Some(latency)) => 1.0 / latency.get(),
            (_, Some(throughput), _) => throughput.get(),
            _ => 0.0,
        }
    }

    /// What is not read yet will be believed only if it reads well inside of a budget.
    fn margin_of(&self, guess: Guess) -> f64 {
        if guess.read { 0.0 } else { self.margin }
    }

    /// The probability that the power budget holds for a role.
    pub(super) fn power_holds(&self, power: Guess) -> f64 {
        below(power, self.problem.power().get().ln() - self.margin_of(power))
    }

    /// The probability that both budgets hold for the requests: that they are answered in time and
    /// that the device keeps up.
    pub(super) fn in_time(&self, time: Guess, batch: BatchSize) -> f64 {
        let Some(stream) = self.problem.urgent() else { return 1.0 };
        let cycle = stream.rate.period() * batch.as_f64();
        let longest = (stream.latency - cycle).min(cycle);
        if longest <= Seconds::ZERO {
            0.0
        } else {
            below(time, longest.get().ln() - self.margin_of(time))
        }
    }

    /// What an operating point promises over a plan of this objective.
    pub(super) fn promise(
        &self,
        belief: &Belief,
        mode: usize,
        batch: usize,
        best: Option<f64>,
        least: f64,
    ) -> Option<Promise> {
        let mut feasible = 1.0;
        for &role in self.problem.roles() {
            let batch = if role == Role::Urgent { batch } else { 0 };
            feasible *= self.power_holds(belief.power(role, mode, batch));
            if feasible < least {
                return None;
            }
        }
        let batches = &belief.prior().setting.urgent_batches;
        let urgent = self.problem.urgent().map(|_| batches[batch]);
        let infer = urgent.map(|size| (size, belief.time(Role::Urgent, mode, batch)));
        if let Some((size, time)) = infer {
            feasible *= self.in_time(time, size);
            if feasible < least {
                return None;
            }
        }
        let train = self.problem.background().map(|_| belief.time(Role::Background, mode, 0));
        let floor = best.unwrap_or(0.0);
        // No draw is likely to be better than both times two and a half deviations short.
        let at = |z_train: f64, z_infer: f64| {
            let exact = |guess: Guess, z: f64| {
                Profile::exact(Seconds::new((guess.mean + z * guess.deviation).exp()), Watts::ZERO)
            };
            let point = OperatingPoint {
                mode: belief.prior().modes[mode],
                background: train.map(|guess| exact(guess, z_train)),
                urgent: infer.map(|(size, guess)| (size, exact(guess, z_infer))),
            };
            self.problem.assess(self.alternate, &point)
        };
        let luckiest = at(-2.5, -2.5).map_or(0.0, |found| self.objective(&found));
        if best.is_some() && luckiest <= floor {
            return None;
        }
        let (mut total, mut weight) = (0.0, 0.0);
        for &(z_train, z_infer) in self.pairs.iter() {
            let Some(found) = at(z_train, z_infer) else { continue };
            if found.feasible() {
                total += (self.objective(&found) - floor).max(0.0);
                weight += 1.0;
            }
        }
        let gain = if weight > 0.0 { total / weight } else { 0.0 };
        Some(Promise { feasible, gain: if floor > 0.0 { gain / floor } else { gain } })
    }
}

/// The probability that a guessed logarithm is at most this.
fn below(guess: Guess, limit: f64) -> f64 {
    if guess.deviation <= 0.0 {
        return if guess.mean <= limit { 1.0 } else { 0.0 };
    }
    normal_cdf((limit - guess.mean) / guess.deviation)
}

fn normal_cdf(z: f64) -> f64 {
    // Beyond these nothing is decided by how small the rest is.
    if z < -3.5 {
        0.0
    } else if z > 3.5 {
        1.0
    } else {
        0.5 * (1.0 + erf(z / std::f64::consts::SQRT_2))
    }
}

/// Fixed quasi-random pairs of standard normal values.
fn normal_pairs() -> Arc<[(f64, f64)]> {
    let normal = |u: f64| std::f64::consts::SQRT_2 * erf_inv(2.0 * u - 1.0);
    (0..PAIRS as u32)
        .map(|i| {
            let at = |dimension| f64::from(sobol_burley::sample(i, dimension, 7));
            (normal(at(0).clamp(1e-6, 1.0 - 1e-6)), normal(at(1).clamp(1e-6, 1.0 - 1e-6)))
        })
        .collect()
}
