//! A day whose arrival rate swings tenfold: turns that follow it by what they see, with a table of
//! answers by rate, against an oracle that is told the rate.

use std::sync::Arc;
use std::time::Duration;

use fulcrum_board::ProfileTable;
use fulcrum_domain::{Alternate, Hertz, Problem, ProblemKind, Seconds, Stream, Watts};
use fulcrum_interleave::rate::{Answers, ArrivalRate};
use fulcrum_interleave::simulate::{Arrivals, Execution, Process, Rate, Report, Setup, Simulated};
use fulcrum_interleave::{Agreement, Moment};
use rayon::prelude::*;

use super::trial::{agreement, executions, jobs};
use super::{Sums, TurnsRow, TurnsSettings};
use crate::group::Group;
use crate::truth::Truth;

/// The rates that there are answers for, in requests a second.
const RATES: std::ops::RangeInclusive<u32> = 1..=14;
const STEP: f64 = 10.0;
/// The day's lowest and highest rate.
const SWING: [f64; 2] = [12.0, 120.0];
const DAY: Duration = Duration::from_hours(24);
/// How often the rate changes, and how often it is looked at.
const CHANGES: Duration = Duration::from_mins(5);
const LOOKS: Duration = Duration::from_secs(1);
const WINDOW: Duration = Duration::from_secs(20);
const DWELL: Duration = Duration::from_secs(10);

/// One answer: what is promised, and what minibatches take at its mode.
type Answer = (Agreement, Vec<Execution>);

/// Runs a day of Poisson arrivals for every pair of the table, with a latency budget and a power
/// budget. Gives, for each pair, the run that follows by itself and that of the oracle. Nothing is
/// measured anew in either.
pub fn a_day_of_turns(
    table: &Arc<ProfileTable>,
    problems: &[Problem],
    latency: Seconds,
    power: Watts,
    settings: &TurnsSettings,
) -> Vec<TurnsRow> {
    let mut groups = Group::of(problems);
    groups.retain(|group| group.kind == ProblemKind::Concurrent);
    let days: Vec<_> = groups
        .par_iter()
        .filter_map(|group| {
            let problem = problems.get(*group.problems.first()?)?;
            let day = Day::new(table, problem, latency, power, settings)?;
            let (follows, oracle) = rayon::join(|| day.follow(), || day.oracle());
            Some((group.to_string(), follows, oracle))
        })
        .collect();
    let mut rows = Vec::new();
    for (run, pick) in [("day followed", 0), ("day known", 1)] {
        let mut overall = Sums::default();
        for (group, follows, oracle) in &days {
            let own = [follows, oracle][pick];
            let sums = sums(own, oracle, latency);
            rows.push(sums.row(run, group));
            overall.add(&sums);
        }
        rows.push(overall.row(run, "overall"));
    }
    rows
}

fn sums(report: &Report, oracle: &Report, budget: Seconds) -> Sums {
    let infer = &report.jobs[1];
    let p99 = infer.latencies.quantile(0.99).unwrap_or_default();
    Sums {
        problems: 1,
        throughput: report.throughput(0),
        strict: oracle.throughput(0),
        requests: infer.latencies.count(),
        late: infer.late,
        p99: p99.as_secs_f64() / budget.get(),
    }
}

struct Day {
    answers: Vec<(f64, Answer)>,
    setup: Setup,
    steps: Vec<(Moment, f64)>,
}

impl Day {
    /// None where no plan meets the budgets at the highest rate.
    fn new(
        table: &Arc<ProfileTable>,
        problem: &Problem,
        latency: Seconds,
        power: Watts,
        settings: &TurnsSettings,
    ) -> Option<Self> {
        let train = problem.background()?.clone();
        let infer = problem.urgent()?.workload.clone();
        let at = |rate: f64| {
            let stream = Stream { workload: infer.clone(), rate: Hertz::new(rate), latency };
            Problem::concurrent(train.clone(), stream, power).ok()
        };
        let rates: Vec<f64> = RATES.map(|n| f64::from(n) * STEP).collect();
        let problems: Vec<Problem> = rates.iter().filter_map(|&rate| at(rate)).collect();
        let truth = Truth::new(table, &problems, &Group::of(&problems), Alternate::SlackAware);
        let mut answers = Vec::new();
        let mut modes = Vec::new();
        for (place, problem) in problems.iter().enumerate() {
            let Some(optimum) = truth.optimum(place) else { continue };
            let mode = optimum.point.mode;
            let executions = executions(table, problem, mode, settings.jitter).to_vec();
            answers.push((rates[place], (agreement(table, problem, optimum), executions)));
            modes.push(mode);
        }
        if answers.last()?.0 < SWING[1] {
            return None;
        }
        let steps: Vec<(Moment, f64)> = (0..DAY.as_secs() / CHANGES.as_secs())
            .map(|step| {
                let from = Moment::START + CHANGES * u32::try_from(step).unwrap_or(u32::MAX);
                let angle =
                    std::f64::consts::PI * step as f64 * CHANGES.as_secs_f64() / DAY.as_secs_f64();
                (from, SWING[0] + (SWING[1] - SWING[0]) * angle.sin().powi(2))
            })
            .collect();
        let arrivals = Arrivals { process: Process::Poisson, rate: Rate::Steps(steps.clone()) };
        let jobs = jobs(table, problems.last()?, *modes.last()?, settings.jitter, arrivals);
        let (_, (agreement, _)) = answers.last()?.clone();
        let setup = Setup { seed: settings.seed, ..Setup::new(agreement, jobs, DAY) };
        Some(Self { answers, setup, steps })
    }

    /// Follows the rate by what arrives.
    fn follow(&self) -> Report {
        let mut simulated = Simulated::new(&self.setup);
        let mut answers = Answers::new(self.answers.clone(), DWELL);
        let mut watched = ArrivalRate::over(WINDOW);
        let (mut now, mut seen) = (Moment::START, 0);
        while now < Moment::START + DAY {
            now = now + LOOKS;
            simulated.run_until(now);
            let arrived = simulated.arrived(1);
            for _ in seen..arrived {
                watched.arrived(now);
            }
            seen = arrived;
            let Some(rate) = watched.now(now) else { continue };
            if answers.follow(now, rate)
                && let Some((agreement, executions)) = answers.current()
            {
                simulated.agrees(now, agreement.clone(), Some(executions.clone()));
            }
        }
        simulated.finish()
    }

    /// Knows the rate.
    fn oracle(&self) -> Report {
        let mut simulated = Simulated::new(&self.setup);
        for &(at, rate) in &self.steps {
            let place = self.answers.partition_point(|(to, _)| *to < rate);
            if let Some((_, (agreement, executions))) = self.answers.get(place) {
                simulated.agrees(at, agreement.clone(), Some(executions.clone()));
            }
        }
        simulated.finish()
    }
}
