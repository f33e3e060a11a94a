//! Fronts: the operating points worth keeping, which answer every later budget and rate without
//! a measurement.

use std::cmp::Ordering;

use crate::alternate::Alternate;
use crate::assessment::OperatingPoint;
use crate::infeasibility::{Basis, Infeasibility};
use crate::outcome::{Evidence, Outcome, Plan};
use crate::problem::Problem;
use crate::units::Watts;
use crate::workload::Role;

/// The Pareto-optimal operating points of a workload or of a pair: none is at once slower at
/// everything and hungrier than another of the same batch size.
#[derive(Debug, Clone, PartialEq)]
pub struct Front {
    points: Vec<OperatingPoint>,
    evidence: Evidence,
}

impl Front {
    /// Keeps the points that no other dominates, in the order of batch size, then power.
    pub fn new(points: impl IntoIterator<Item = OperatingPoint>, evidence: Evidence) -> Self {
        let mut points: Vec<OperatingPoint> = points.into_iter().collect();
        points.sort_by(|a, b| {
            let costs = costs(a).into_iter().zip(costs(b));
            let by_costs = costs.map(|(a, b)| a.total_cmp(&b)).find(|order| order.is_ne());
            a.batch_size()
                .cmp(&b.batch_size())
                .then(by_costs.unwrap_or(Ordering::Equal))
                .then(a.mode.cmp(&b.mode))
        });
        // In this order a point is dominated by one before it, if by any.
        let mut kept: Vec<OperatingPoint> = Vec::with_capacity(points.len());
        for point in points {
            let same_batch = kept.iter().rev().take_while(|k| k.batch_size() == point.batch_size());
            if !same_batch.into_iter().any(|k| dominates(k, &point)) {
                kept.push(point);
            }
        }
        Self { points: kept, evidence }
    }

    /// A front of points that were chosen already, in the order that [`points`](Self::points) gave
    /// them: choosing takes longer than reading them.
    pub fn of_chosen(points: Vec<OperatingPoint>, evidence: Evidence) -> Self {
        Self { points, evidence }
    }

    /// The points, in the order of batch size, then power.
    pub fn points(&self) -> &[OperatingPoint] {
        &self.points
    }

    /// Whether the points were measured or predicted.
    pub fn evidence(&self) -> Evidence {
        self.evidence
    }

    /// The best of the points for a problem, planned with a guard of `sigmas` standard errors of
    /// the readings, or what would work instead.
    ///
    /// "Infeasible" here means that no point of the front meets the budgets; `basis` says how much
    /// of the mode space the front stands for.
    pub fn solve(
        &self,
        problem: &Problem,
        alternate: Alternate,
        sigmas: f64,
        basis: Basis,
    ) -> Outcome {
        match problem.best(alternate, sigmas, &self.points) {
            Some((point, promise)) => {
                Outcome::Solved(Plan { point, alternate, promise, evidence: self.evidence })
            }
            None => {
                let guarded: Vec<_> = self.points.iter().map(|p| p.guarded(sigmas)).collect();
                let why = Infeasibility::of(problem, alternate, &guarded, basis);
                match basis {
                    Basis::Measured => Outcome::Unsolved(why),
                    _ => Outcome::Infeasible(why),
                }
            }
        }
    }
}

fn peak_power(point: &OperatingPoint) -> Watts {
    let power = |role| point.profile(role).map_or(Watts::ZERO, |profile| profile.power);
    power(Role::Background).max(power(Role::Urgent))
}

/// What is better the smaller it is: the power, then each workload's time and error.
fn costs(point: &OperatingPoint) -> [f64; 5] {
    let of = |role| point.profile(role).map_or((0.0, 0.0), |p| (p.minibatch.get(), p.error));
    let (background, urgent) = (of(Role::Background), of(Role::Urgent));
    [peak_power(point).get(), background.0, background.1, urgent.0, urgent.1]
}

/// Whether `a` is at least as good as `b` in everything that a problem of the pair asks of it.
fn dominates(a: &OperatingPoint, b: &OperatingPoint) -> bool {
    let at_most = |role| match (a.profile(role), b.profile(role)) {
        (Some(a), Some(b)) => a.minibatch <= b.minibatch && a.error <= b.error,
        (None, None) => true,
        _ => false,
    };
    a.batch_size() == b.batch_size()
        && peak_power(a) <= peak_power(b)
        && at_most(Role::Background)
        && at_most(Role::Urgent)
}
