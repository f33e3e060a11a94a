//! A plan held against virtual time before it is returned: requests that arrive as they really do,
//! minibatches whose times scatter.

use std::time::Duration;

use clap::ValueEnum;
use fulcrum_domain::{Alternate, BatchSize, Plan, Problem, ProblemKind};
use fulcrum_interleave::Agreement;
use fulcrum_interleave::simulate::{Arrivals, Execution, Jitter, Job, Setup, simulate};
use serde::Serialize;

/// How requests arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Arriving {
    /// Evenly spaced
    Constant,
    /// Independent of each other
    Poisson,
    /// In bursts
    Bursty,
}

impl Arriving {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Poisson => "poisson",
            Self::Bursty => "bursty",
        }
    }

    /// The share of the time that inference may take, so that requests do not queue up.
    pub(crate) const fn most_utilisation(self) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Poisson | Self::Bursty => 0.7,
        }
    }

    fn arrivals(self, rate: f64) -> Arrivals {
        match self {
            Self::Constant => Arrivals::constant(rate),
            Self::Poisson => Arrivals::poisson(rate),
            Self::Bursty => Arrivals::bursty(rate),
        }
    }
}

/// So long it runs in virtual time.
const RUN: Duration = Duration::from_mins(20);
/// Standard deviation over mean of every execution.
const JITTER: f64 = 0.05;
/// What is tried, until the percentile holds.
const GUARDS: [f64; 4] = [0.0, 0.1, 0.2, 0.4];

/// What a plan does in virtual time.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Verified {
    pub(crate) arrivals: &'static str,
    pub(crate) percentile: f64,
    pub(crate) holds: bool,
    pub(crate) latency_ms: f64,
    pub(crate) latency_budget_ms: f64,
    pub(crate) late_ratio: f64,
    pub(crate) guard_ratio: f64,
    pub(crate) throughput_hz: Option<f64>,
}

/// Runs a plan in virtual time with the smallest guard with which the percentile holds; with the
/// largest where it holds with none. Nothing where no requests arrive.
pub(crate) fn verify(
    problem: &Problem,
    plan: &Plan,
    alternate: Alternate,
    background_batch: BatchSize,
    arriving: Arriving,
    percentile: f64,
) -> Option<Verified> {
    let stream = problem.urgent()?;
    let (batch, profile) = plan.point.urgent?;
    let jitter = Jitter { ratio: JITTER, drift_per_hour: 0.0 };
    let time = |seconds: f64| Duration::from_secs_f64(seconds);
    let agreement =
        Agreement::of_plan(problem, &plan.point, &plan.promise, alternate, background_batch);
    // Smaller minibatches were not measured; they are taken to take as long.
    let sizes = [batch.get()];
    let infer = Execution::by_requests([(batch.get(), time(profile.minibatch.get()))]);
    let arrivals = arriving.arrivals(stream.rate.get());
    let mut jobs = vec![Job::infer(&stream.workload.name, sizes, infer.with(jitter), arrivals)];
    // An inference in training's place has arrivals of its own, which nobody said.
    let trains = problem.kind() == ProblemKind::Concurrent;
    if let Some((workload, profile)) = problem.background().zip(plan.point.background)
        && trains
    {
        let execution = Execution::of(time(profile.minibatch.get())).with(jitter);
        jobs.push(Job::train(&workload.name, execution));
    }
    let budget = stream.latency.get();
    let run = |guard: f64| {
        let setup = Setup::new(agreement.clone().guarded(guard), jobs.clone(), RUN);
        let report = simulate(&setup);
        let latency = report.jobs[0].latencies.quantile(percentile / 100.0).unwrap_or_default();
        Verified {
            arrivals: arriving.as_str(),
            percentile,
            holds: latency.as_secs_f64() <= budget,
            latency_ms: 1e3 * latency.as_secs_f64(),
            latency_budget_ms: 1e3 * budget,
            late_ratio: report.late_share(0),
            guard_ratio: guard,
            throughput_hz: trains.then(|| report.throughput(1)),
        }
    };
    let mut last = None;
    for guard in GUARDS {
        let verified = run(guard);
        if verified.holds {
            return Some(verified);
        }
        last = Some(verified);
    }
    last
}

impl Verified {
    /// One line for people.
    pub(crate) fn in_words(&self) -> String {
        let Self { percentile, latency_ms, arrivals, .. } = self;
        let guard = 100.0 * self.guard_ratio;
        let late = 100.0 * self.late_ratio;
        let trains =
            self.throughput_hz.map_or_else(String::new, |rate| format!(", training {rate:.2}/s"));
        let verdict = if self.holds { "holds" } else { "does not hold" };
        format!(
            "in virtual time with {arrivals} arrivals and {:.0} % jitter the latency budget {verdict}: \
             p{percentile} {latency_ms:.0}ms of {:.0}ms, {late:.3} % late{trains}, guard {guard:.0} %",
            100.0 * JITTER,
            self.latency_budget_ms,
        )
    }
}
