//! The true optimum of every problem, by looking at every operating point of the table.

use std::collections::HashMap;
use std::sync::Arc;

use fulcrum_board::ProfileTable;
use fulcrum_domain::{
    Alternate, Assessment, BatchSize, Evidence, Front, OperatingPoint, Problem, Workload,
};
use rayon::prelude::*;

use crate::choices::Choices;
use crate::group::Group;

/// What the best plan of a problem does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Optimum {
    /// Where the best plan runs, for the way to alternate that was asked for.
    pub point: OperatingPoint,
    /// What it does.
    pub best: Assessment,
    /// What the best plan does that alternates strictly.
    pub strict: Assessment,
}

/// The optima of a list of problems over a table.
#[derive(Debug, Clone)]
pub struct Truth {
    table: Arc<ProfileTable>,
    alternate: Alternate,
    optima: Vec<Option<Optimum>>,
}

impl Truth {
    /// Finds the optimum of every problem.
    pub fn new(
        table: &Arc<ProfileTable>,
        problems: &[Problem],
        groups: &[Group],
        alternate: Alternate,
    ) -> Self {
        let mut optima = vec![None; problems.len()];
        for group in groups {
            let points = operating_points(table, group);
            // A dominated point is never needed when alternating strictly. When slack-aware it
            // may be: a longer training minibatch can happen to divide the time better.
            let front = Front::new(points.iter().copied(), Evidence::Measured);
            let strict = Choices::new(front.points().iter().copied(), 0.0);
            let all = Choices::new(points, 0.0);
            let find = |problem: &Problem| {
                let (point, best) = strict.best(problem, Alternate::Strict)?;
                let own = match alternate {
                    Alternate::Strict => Some((point, best)),
                    Alternate::SlackAware => all.best(problem, alternate),
                };
                let (point, own) = own.unwrap_or((point, best));
                Some(Optimum { point, best: own, strict: best })
            };
            let found: Vec<_> =
                group.problems.par_iter().map(|&i| (i, find(&problems[i]))).collect();
            for (i, optimum) in found {
                optima[i] = optimum;
            }
        }
        Self { table: table.clone(), alternate, optima }
    }

    /// The optimum of a problem by its place in the list; none if no plan meets its budgets.
    pub fn optimum(&self, problem: usize) -> Option<&Optimum> {
        self.optima[problem].as_ref()
    }

    /// What a point does in truth, whatever was read there; none if the table lacks it.
    pub fn assess(&self, problem: &Problem, point: &OperatingPoint) -> Option<Assessment> {
        problem.assess(self.alternate, &self.true_point(problem, point)?)
    }

    fn true_point(&self, problem: &Problem, point: &OperatingPoint) -> Option<OperatingPoint> {
        let background = match problem.background() {
            Some(workload) => {
                let batch = background_batch(&self.table, workload)?;
                Some(self.table.profile(workload, point.mode, batch)?)
            }
            None => None,
        };
        let urgent = match problem.urgent() {
            Some(stream) => {
                let batch = point.batch_size()?;
                Some((batch, self.table.profile(&stream.workload, point.mode, batch)?))
            }
            None => None,
        };
        Some(OperatingPoint { mode: point.mode, background, urgent })
    }
}

/// The size of a background workload's minibatches, as a board's setting has it: the largest.
pub(crate) fn background_batch(table: &ProfileTable, workload: &Workload) -> Option<BatchSize> {
    let offer = table.offers().iter().find(|offer| offer.workload == *workload)?;
    offer.batch_sizes.last().copied()
}

/// Every operating point of a group's workloads that the table has.
pub(crate) fn operating_points(table: &ProfileTable, group: &Group) -> Vec<OperatingPoint> {
    let background = group.background.as_ref().map(|workload| {
        let batch = background_batch(table, workload);
        let rows = table.rows(workload).iter().filter(move |((_, b), _)| Some(*b) == batch);
        rows.map(|((mode, _), profile)| (*mode, *profile)).collect::<HashMap<_, _>>()
    });
    match (&group.urgent, background) {
        (Some(workload), background) => {
            let rows = table.rows(workload).iter();
            rows.filter_map(|((mode, batch), profile)| {
                let background = match &background {
                    Some(profiles) => Some(*profiles.get(mode)?),
                    None => None,
                };
                Some(OperatingPoint { mode: *mode, background, urgent: Some((*batch, *profile)) })
            })
            .collect()
        }
        (None, Some(profiles)) => {
            let mut points: Vec<_> = profiles
                .into_iter()
                .map(|(mode, own)| OperatingPoint { mode, background: Some(own), urgent: None })
                .collect();
            points.sort_by_key(|point| point.mode);
            points
        }
        (None, None) => Vec::new(),
    }
}
