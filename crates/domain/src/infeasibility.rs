//! "Infeasible" as a useful answer: which budget binds, and the nearest that would work.

use crate::alternate::Alternate;
use crate::assessment::OperatingPoint;
use crate::mode_space::ModeId;
use crate::problem::{Budget, BudgetValue, Problem};
use crate::units::{Hertz, Seconds};
use crate::workload::BatchSize;

/// Why no operating point meets the budgets.
#[derive(Debug, Clone, PartialEq)]
pub struct Infeasibility {
    /// The budget that binds: the one whose smallest change, as a share, would make it work, or
    /// the one that is missed by most where no single one would.
    pub binding: Budget,
    /// What is known to work instead, the smallest change first. Each is one remedy; more than one
    /// budget changes only where no single one would do.
    pub remedies: Vec<Remedy>,
    /// How sure it is.
    pub basis: Basis,
}

/// Budgets that would work, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Remedy {
    /// The budgets to change, with the values that would work.
    pub budgets: Vec<BudgetValue>,
    /// The power mode at which they are met.
    pub mode: ModeId,
    /// The batch size at which they are met.
    pub batch_size: Option<BatchSize>,
}

/// On what "infeasible" rests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Basis {
    /// Every mode and batch size is known.
    Exhausted,
    /// The most favourable mode was measured and fails: every other draws more or is slower.
    Monotone,
    /// A model gives every operating point together at most this probability of meeting the
    /// budgets.
    Believed {
        /// The probability that some operating point works after all.
        probability: f64,
    },
    /// None of the operating points that were measured works.
    Measured,
}

impl Infeasibility {
    /// Reads from the known operating points what would work instead.
    pub fn of(
        problem: &Problem,
        alternate: Alternate,
        points: &[OperatingPoint],
        basis: Basis,
    ) -> Self {
        let mut remedies: Vec<(f64, Remedy)> =
            [Budget::Power, Budget::Latency, Budget::ArrivalRate]
                .into_iter()
                .filter_map(|budget| {
                    points
                        .iter()
                        .filter_map(|point| single(problem, alternate, point, budget))
                        .min_by(|a, b| a.0.total_cmp(&b.0))
                })
                .collect();
        if remedies.is_empty() {
            let joint = points.iter().filter_map(|point| joint(problem, alternate, point));
            remedies.extend(joint.min_by(|a, b| a.0.total_cmp(&b.0)));
        }
        remedies.sort_by(|a, b| a.0.total_cmp(&b.0));
        let binding = remedies.first().map_or(Budget::Power, |(_, remedy)| {
            let change = |value: &&BudgetValue| relative_change(problem, **value);
            let worst = remedy.budgets.iter().max_by(|a, b| change(a).total_cmp(&change(b)));
            worst.map_or(Budget::Power, |value| value.budget())
        });
        Self { binding, remedies: remedies.into_iter().map(|(_, remedy)| remedy).collect(), basis }
    }
}

/// The value of one budget that makes one operating point work, with its relative change.
fn single(
    problem: &Problem,
    alternate: Alternate,
    point: &OperatingPoint,
    budget: Budget,
) -> Option<(f64, Remedy)> {
    let value = match budget {
        Budget::Power => BudgetValue::Power(problem.assess(alternate, point)?.power),
        Budget::Latency => BudgetValue::Latency(latency_needed(problem, point)?),
        Budget::ArrivalRate => BudgetValue::ArrivalRate(rate_needed(problem, point)?),
    };
    remedy(problem, alternate, point, vec![value])
}

/// The values of all budgets that make one operating point work: power and latency as it has
/// them, and the rate only if it cannot keep up.
fn joint(problem: &Problem, alternate: Alternate, point: &OperatingPoint) -> Option<(f64, Remedy)> {
    let mut changed = problem.clone();
    let mut values = Vec::new();
    let mut change = |changed: &mut Problem, value| {
        *changed = changed.with(value);
        values.push(value);
    };
    let found = problem.assess(alternate, point)?;
    if found.misses(Budget::Power) {
        change(&mut changed, BudgetValue::Power(found.power));
    }
    if let (true, Some((batch, profile))) = (found.misses(Budget::ArrivalRate), point.urgent) {
        let rate = Hertz::new(batch.as_f64() / profile.minibatch.get() * ROUNDING);
        change(&mut changed, BudgetValue::ArrivalRate(rate));
    }
    if changed.assess(alternate, point)?.misses(Budget::Latency) {
        let latency = latency_needed(&changed, point)?;
        change(&mut changed, BudgetValue::Latency(latency));
    }
    remedy(problem, alternate, point, values)
}

/// Checks that the values work, and says how large the largest change is.
fn remedy(
    problem: &Problem,
    alternate: Alternate,
    point: &OperatingPoint,
    budgets: Vec<BudgetValue>,
) -> Option<(f64, Remedy)> {
    let changed = budgets.iter().fold(problem.clone(), |problem, value| problem.with(*value));
    if !changed.assess(alternate, point)?.feasible() {
        return None;
    }
    let largest = budgets.iter().map(|value| relative_change(problem, *value)).fold(0.0, f64::max);
    Some((largest, Remedy { budgets, mode: point.mode, batch_size: point.batch_size() }))
}

/// A hair's breadth inside of a boundary, so that rounding does not put it outside.
const ROUNDING: f64 = 1.0 - 1e-12;

fn latency_needed(problem: &Problem, point: &OperatingPoint) -> Option<Seconds> {
    let (batch, profile) = point.urgent?;
    Some(problem.urgent()?.rate.period() * batch.as_f64() + profile.minibatch)
}

/// The rate nearest to the problem's at which the point keeps up and answers in time: a minibatch
/// must fill soon enough, and must not fill faster than it is answered.
fn rate_needed(problem: &Problem, point: &OperatingPoint) -> Option<Hertz> {
    let (batch, profile) = point.urgent?;
    let stream = problem.urgent()?;
    let room = stream.latency - profile.minibatch;
    if room <= Seconds::ZERO {
        return None;
    }
    let slowest = batch.as_f64() / room.get() / ROUNDING;
    let fastest = problem.most_utilisation() * batch.as_f64() / profile.minibatch.get() * ROUNDING;
    (slowest <= fastest).then(|| Hertz::new(stream.rate.get().clamp(slowest, fastest)))
}

/// How far a value is from the problem's own, as a factor: 0 is no change, and doubling is as far
/// as halving.
fn relative_change(problem: &Problem, value: BudgetValue) -> f64 {
    let own = |old: f64, new: f64| (new / old).ln().abs();
    match (value, problem.urgent()) {
        (BudgetValue::Power(power), _) => own(problem.power().get(), power.get()),
        (BudgetValue::Latency(latency), Some(s)) => own(s.latency.get(), latency.get()),
        (BudgetValue::ArrivalRate(rate), Some(s)) => own(s.rate.get(), rate.get()),
        (_, None) => f64::INFINITY,
    }
}
