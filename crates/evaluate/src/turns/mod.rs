//! Turns on the measured tables: the best slack-aware plan of each problem against the best strict
//! one, and each held against virtual time, where arrivals and executions scatter.

mod day;
mod trial;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fulcrum_board::ProfileTable;
use fulcrum_domain::{Alternate, Hertz, Problem, ProblemKind};
use rayon::prelude::*;

use crate::group::Group;
use crate::truth::Truth;

pub use day::a_day_of_turns;
use trial::{Arriving, Trial};

/// How turns are evaluated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TurnsSettings {
    /// For how long each plan runs in virtual time.
    pub duration: Duration,
    /// Every so many-th problem of a group is run in virtual time; all count for the plans.
    pub every: usize,
    /// Standard deviation over mean of every execution.
    pub jitter: f64,
    /// The share of the time that inference may take in plans for requests that come irregularly.
    pub most_utilisation: f64,
    /// What everything random follows from.
    pub seed: u64,
}

impl Default for TurnsSettings {
    fn default() -> Self {
        Self {
            duration: Duration::from_mins(5),
            every: 40,
            jitter: 0.05,
            most_utilisation: 0.7,
            seed: 1,
        }
    }
}

/// How one way of arriving went for the problems of one pair, or for all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnsRow {
    /// `planned`, or how requests arrived and how they were answered.
    pub run: String,
    /// The pair, or `overall`.
    pub group: String,
    /// The problems.
    pub problems: usize,
    /// Mean training throughput over that of the best strict plans; none where those train nothing.
    pub vs_strict: Option<f64>,
    /// The share of all requests that were late; none for plans.
    pub late: Option<f64>,
    /// The 99th percentile of latency over its budget, the mean over problems; none for plans.
    pub p99_of_budget: Option<f64>,
}

/// Sums over problems.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    problems: usize,
    throughput: f64,
    strict: f64,
    requests: u64,
    late: u64,
    p99: f64,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.problems += other.problems;
        self.throughput += other.throughput;
        self.strict += other.strict;
        self.requests += other.requests;
        self.late += other.late;
        self.p99 += other.p99;
    }

    fn row(&self, run: &str, group: &str) -> TurnsRow {
        let per_problem = |sum: f64| sum / self.problems.max(1) as f64;
        let ran = self.requests > 0;
        TurnsRow {
            run: run.to_owned(),
            group: group.to_owned(),
            problems: self.problems,
            vs_strict: (self.strict > 0.0).then(|| self.throughput / self.strict),
            late: ran.then(|| self.late as f64 / self.requests as f64),
            p99_of_budget: ran.then(|| per_problem(self.p99)),
        }
    }
}

/// Holds the best plans of the concurrent problems against the best strict ones, and against
/// virtual time. Rows come by run, the pairs first, then overall.
///
/// `progress` is told how many of how many simulations are done.
pub fn evaluate_turns(
    table: &Arc<ProfileTable>,
    problems: &[Problem],
    settings: &TurnsSettings,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Vec<TurnsRow> {
    let mut groups = Group::of(problems);
    groups.retain(|group| group.kind == ProblemKind::Concurrent);
    let truth = Truth::new(table, problems, &groups, Alternate::SlackAware);
    let with_room: Vec<Problem> = problems
        .iter()
        .map(|problem| problem.clone().with_most_utilisation(settings.most_utilisation))
        .collect();
    let roomy = Truth::new(table, &with_room, &groups, Alternate::SlackAware);
    // A problem that no plan with room solves is not one for irregular arrivals, and is refused.
    let best = |i: usize, irregular: bool| {
        let own = if irregular { roomy.optimum(i) } else { truth.optimum(i) };
        own.zip(truth.optimum(i))
    };
    let solvable = |group: &Group| -> Vec<usize> {
        let solvable = |&i: &usize| truth.optimum(i).is_some();
        group.problems.iter().copied().filter(solvable).collect()
    };
    let mut rows = Vec::new();
    let mut report = |run: &str, of_group: &dyn Fn(&Group) -> Sums| {
        let mut overall = Sums::default();
        for group in &groups {
            let sums = of_group(group);
            rows.push(sums.row(run, &group.to_string()));
            overall.add(&sums);
        }
        rows.push(overall.row(run, "overall"));
    };
    for (run, irregular) in [("planned", false), ("planned for irregular arrivals", true)] {
        report(run, &|group| {
            let mut sums = Sums::default();
            for (own, regular) in solvable(group).into_iter().filter_map(|i| best(i, irregular)) {
                let rate = |throughput: Option<Hertz>| throughput.map_or(0.0, Hertz::get);
                sums.problems += 1;
                sums.throughput += rate(own.best.throughput);
                sums.strict += rate(regular.strict.throughput);
            }
            sums
        });
    }
    let sampled: usize =
        groups.iter().map(|group| solvable(group).len().div_ceil(settings.every)).sum();
    let total = (sampled * Arriving::ALL.len()) as u64;
    let done = AtomicU64::new(0);
    for arriving in Arriving::ALL {
        report(arriving.name(), &|group| {
            let own: Vec<usize> = solvable(group).into_iter().step_by(settings.every).collect();
            let run = |&i: &usize| {
                let (own, regular) = best(i, arriving.is_irregular())?;
                let strict = regular.strict.throughput.map_or(0.0, Hertz::get);
                let trial = Trial { table, problem: &problems[i], optimum: own, strict, settings };
                let sums = trial.run(arriving, settings.seed.wrapping_add(i as u64));
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                Some(sums)
            };
            let mut sums = Sums::default();
            for one in own.par_iter().filter_map(run).collect::<Vec<_>>() {
                sums.add(&one);
            }
            sums
        });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_trains_where_strict_turns_do_not_is_no_multiple_of_them() {
        let some = Sums { problems: 1, throughput: 3.0, ..Sums::default() };
        assert_eq!(some.row("planned", "overall").vs_strict, None);
        let both = Sums { strict: 2.0, ..some };
        assert_eq!(both.row("planned", "overall").vs_strict, Some(1.5));
    }
}
