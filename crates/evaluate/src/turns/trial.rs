//! One plan in virtual time.

use std::time::Duration;

use fulcrum_board::ProfileTable;
use fulcrum_domain::{Alternate, BatchSize, ModeId, Problem, Seconds, Workload};
use fulcrum_interleave::Agreement;
use fulcrum_interleave::simulate::{Arrivals, Execution, Jitter, Job, Report, Setup, simulate};

use super::{Sums, TurnsSettings};
use crate::truth::{Optimum, background_batch};

/// How requests arrive, and how turns answer them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arriving {
    Constant,
    Poisson,
    Bursty,
    BurstyGuarded,
}

impl Arriving {
    pub(super) const ALL: [Self; 4] =
        [Self::Constant, Self::Poisson, Self::Bursty, Self::BurstyGuarded];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Poisson => "poisson",
            Self::Bursty => "bursty",
            Self::BurstyGuarded => "bursty with a 10 % guard",
        }
    }

    pub(super) const fn is_irregular(self) -> bool {
        !matches!(self, Self::Constant)
    }

    fn arrivals(self, rate: f64) -> Arrivals {
        match self {
            Self::Constant => Arrivals::constant(rate),
            Self::Poisson => Arrivals::poisson(rate),
            Self::Bursty | Self::BurstyGuarded => Arrivals::bursty(rate),
        }
    }

    const fn guard(self) -> f64 {
        match self {
            Self::BurstyGuarded => 0.1,
            _ => 0.0,
        }
    }
}

pub(super) struct Trial<'a> {
    pub(super) table: &'a ProfileTable,
    pub(super) problem: &'a Problem,
    pub(super) optimum: &'a Optimum,
    /// The throughput of the best strict plan, per second.
    pub(super) strict: f64,
    pub(super) settings: &'a TurnsSettings,
}

impl Trial<'_> {
    pub(super) fn run(&self, arriving: Arriving, seed: u64) -> Sums {
        let Some(stream) = self.problem.urgent() else { return Sums::default() };
        let agreement = agreement(self.table, self.problem, self.optimum);
        let jobs = jobs(
            self.table,
            self.problem,
            self.optimum.point.mode,
            self.settings.jitter,
            arriving.arrivals(stream.rate.get()),
        );
        let setup = Setup {
            seed,
            ..Setup::new(agreement.guarded(arriving.guard()), jobs, self.settings.duration)
        };
        self.sums(&simulate(&setup), stream.latency)
    }

    fn sums(&self, report: &Report, budget: Seconds) -> Sums {
        let infer = &report.jobs[1];
        let p99 = infer.latencies.quantile(0.99).unwrap_or_default();
        Sums {
            problems: 1,
            throughput: report.throughput(0),
            strict: self.strict,
            requests: infer.latencies.count(),
            late: infer.late,
            p99: p99.as_secs_f64() / budget.get(),
        }
    }
}

/// What the best plan promises.
pub(super) fn agreement(table: &ProfileTable, problem: &Problem, optimum: &Optimum) -> Agreement {
    let batch = problem.background().and_then(|workload| background_batch(table, workload));
    let batch = batch.unwrap_or(BatchSize::ONE);
    let mut agreement =
        Agreement::of_plan(problem, &optimum.point, &optimum.best, Alternate::SlackAware, batch);
    if let Some(stream) = problem.urgent() {
        let sizes = table.offers().iter().find(|offer| offer.workload == stream.workload);
        let within = sizes.into_iter().flat_map(|offer| &offer.batch_sizes).filter(|&&size| {
            let profile = table.profile(&stream.workload, optimum.point.mode, size);
            profile.is_some_and(|profile| profile.power <= problem.power())
        });
        let largest = within.max().map_or(0, |size| size.get());
        for terms in agreement.terms.iter_mut().filter(|terms| terms.latency_budget.is_some()) {
            *terms = terms.clone().up_to(largest);
        }
    }
    agreement
}

/// The problem's workers, as the table says that they run at a mode: training first.
pub(super) fn jobs(
    table: &ProfileTable,
    problem: &Problem,
    mode: ModeId,
    jitter: f64,
    arrivals: Arrivals,
) -> Vec<Job> {
    let [train, infer] = executions(table, problem, mode, jitter);
    let name =
        |workload: Option<&Workload>| workload.map_or_else(String::new, |w| w.name.to_string());
    let urgent = problem.urgent().map(|stream| &stream.workload);
    let sizes: Vec<u32> = infer.times.iter().map(|&(size, _)| size).collect();
    vec![
        Job::train(&name(problem.background()), train),
        Job::infer(&name(urgent), sizes, infer, arrivals),
    ]
}

/// How long the problem's workloads take at a mode: training, then inference.
pub(super) fn executions(
    table: &ProfileTable,
    problem: &Problem,
    mode: ModeId,
    jitter: f64,
) -> [Execution; 2] {
    let jitter = Jitter { ratio: jitter, drift_per_hour: 0.0 };
    let time = |workload: &Workload, batch: BatchSize| {
        let profile = table.profile(workload, mode, batch)?;
        Some(Duration::from_secs_f64(profile.minibatch.get()))
    };
    let train = problem
        .background()
        .and_then(|workload| time(workload, background_batch(table, workload)?));
    let infer = problem.urgent().map(|stream| {
        let offer = table.offers().iter().find(|offer| offer.workload == stream.workload);
        let sizes = offer.map(|offer| offer.batch_sizes.clone()).unwrap_or_default();
        let known = |batch: BatchSize| Some((batch.get(), time(&stream.workload, batch)?));
        Execution::by_requests(sizes.into_iter().filter_map(known))
    });
    let train = Execution::of(train.unwrap_or_default()).with(jitter);
    [train, infer.unwrap_or_else(|| Execution::of(Duration::ZERO)).with(jitter)]
}
