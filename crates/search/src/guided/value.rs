//! How good an operating point is expected to be, before both halves of it are measured.

use std::sync::Arc;

use fulcrum_domain::{
    Alternate, Assessment, BatchSize, ModeId, OperatingPoint, Problem, ProblemKind, Profile, Role,
    Seconds, Watts,
};
use statrs::function::erf::{erf, erf_inv};

use super::belief::Belief;
use super::surface::Guess;

/// So many pairs of times are looked at to find an expected improvement.
const PAIRS: usize = 24;

/// So many standard errors inside of a budget a reading has to be before it is believed to meet it.
const MARGIN: f64 = 1.2;

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
        let longest = (stream.latency - cycle).min(self.problem.longest_urgent(cycle));
        if longest <= Seconds::ZERO {
            0.0
        } else {
            below(time, longest.get().ln() - self.margin_of(time))
        }
    }

    /// The probability that an operating point meets every budget; none if it is less than `least`.
    pub(super) fn feasible(
        &self,
        belief: &Belief,
        mode: usize,
        batch: usize,
        least: f64,
    ) -> Option<f64> {
        let mut feasible = 1.0;
        for &role in self.problem.roles() {
            let batch = if role == Role::Urgent { batch } else { 0 };
            feasible *= self.power_holds(belief.power(role, mode, batch));
            if feasible < least {
                return None;
            }
        }
        if self.problem.urgent().is_some() {
            let size = belief.prior().setting.urgent_batches[batch];
            feasible *= self.in_time(belief.time(Role::Urgent, mode, batch), size);
        }
        (feasible >= least).then_some(feasible)
    }

    /// What an operating point may deliver, as far as its times are known.
    pub(super) fn prospect(&self, belief: &Belief, mode: usize, batch: usize) -> Prospect<'_> {
        let size = belief.prior().setting.urgent_batches.get(batch).copied();
        Prospect {
            judge: self,
            mode: belief.prior().modes[mode],
            train: self.problem.background().map(|_| belief.time(Role::Background, mode, 0)),
            infer: self.problem.urgent().and(size).map(|size| {
                let time = belief.time(Role::Urgent, mode, batch);
                (size, time)
            }),
        }
    }
}

/// What an operating point may deliver if it meets the budgets.
#[derive(Debug)]
pub(super) struct Prospect<'a> {
    judge: &'a Judge,
    mode: ModeId,
    train: Option<Guess>,
    infer: Option<(BatchSize, Guess)>,
}

impl Prospect<'_> {
    /// What it does where the times are so many deviations off.
    fn at(&self, z_train: f64, z_infer: f64) -> Option<Assessment> {
        let exact = |guess: Guess, z: f64| {
            Profile::exact(Seconds::new((guess.mean + z * guess.deviation).exp()), Watts::ZERO)
        };
        let point = OperatingPoint {
            mode: self.mode,
            background: self.train.map(|guess| exact(guess, z_train)),
            urgent: self.infer.map(|(size, guess)| (size, exact(guess, z_infer))),
        };
        self.judge.problem.assess(self.judge.alternate, &point)
    }

    /// Its objective can hardly be more than this: no draw is likely to be better than both times
    /// two and a half deviations short.
    pub(super) fn most(&self) -> f64 {
        self.at(-2.5, -2.5).map_or(0.0, |found| self.judge.objective(&found))
    }

    /// How much more than this its objective is expected to be, where it meets the budgets.
    pub(super) fn above(&self, floor: f64) -> f64 {
        let known = |guess: Guess| guess.deviation <= 0.0;
        let all_known = self.train.is_none_or(known) && self.infer.is_none_or(|(_, t)| known(t));
        let pairs = if all_known { &[(0.0, 0.0)][..] } else { &self.judge.pairs };
        let (mut total, mut weight) = (0.0, 0.0);
        for &(z_train, z_infer) in pairs {
            let Some(found) = self.at(z_train, z_infer) else { continue };
            if found.feasible() {
                total += (self.judge.objective(&found) - floor).max(0.0);
                weight += 1.0;
            }
        }
        if weight > 0.0 { total / weight } else { 0.0 }
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
