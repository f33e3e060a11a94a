//! Fronts: the operating points worth keeping, which answer every later budget and rate without
//! a measurement.

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
            let key = |p: &OperatingPoint| (p.batch_size(), peak_power(p));
            let ((batch_a, power_a), (batch_b, power_b)) = (key(a), key(b));
            batch_a.cmp(&batch_b).then(power_a.total_cmp(&power_b)).then(a.mode.cmp(&b.mode))
        });
        let mut kept: Vec<OperatingPoint> = Vec::with_capacity(points.len());
        for point in points {
            let same_batch = kept.iter().rev().take_while(|k| k.batch_size() == point.batch_size());
            if !same_batch.into_iter().any(|k| dominates(k, &point)) {
                kept.retain(|k| k.batch_size() != point.batch_size() || !dominates(&point, k));
                kept.push(point);
            }
        }
        Self { points: kept, evidence }
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
