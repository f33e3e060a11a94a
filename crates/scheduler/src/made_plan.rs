//! A plan as it is put into force, kept and watched.

use fulcrum_api::{Malformed, mode_to_wire, turn_plan_of, turn_plan_to_wire, v1};
use fulcrum_domain::{ModeSpace, Workload};
use serde::{Deserialize, Serialize};

use crate::drift::{Expected, Promise};
use crate::job;

/// Background inference of a simulated board always has requests: so many times what it can answer.
const MORE_THAN_ENOUGH: f64 = 1.05;

/// A plan with its answers by arrival rate.
#[derive(Debug, Clone)]
pub(crate) struct MadePlan {
    pub(crate) problem: v1::Problem,
    pub(crate) plan: v1::Plan,
    /// What the agent is told.
    pub(crate) turns: v1::TurnPlan,
    /// The workers that a simulated board runs by itself.
    pub(crate) simulated: Vec<v1::SimulatedWorker>,
    /// What windows are held against.
    pub(crate) promise: Promise,
    /// The plan of each of the promise's answers.
    pub(crate) plans: Vec<v1::Plan>,
}

/// A plan as it is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptPlan {
    pub(crate) problem: v1::Problem,
    pub(crate) plan: v1::Plan,
    /// The highest rates that the answers hold for.
    pub(crate) rates: Vec<f64>,
}

impl MadePlan {
    /// A plan for a problem, with those for other arrival rates, ascending.
    ///
    /// # Errors
    /// When a plan is none of this board.
    pub(crate) fn new(
        spec: &v1::JobSpec,
        (problem, plan): (v1::Problem, v1::Plan),
        others: impl Iterator<Item = (v1::Problem, v1::Plan)>,
        space: &ModeSpace,
    ) -> Result<Self, Malformed> {
        let guard = job::guard(spec);
        let turns = |problem: &v1::Problem, plan: &v1::Plan| {
            let (turns, mode) = turn_plan_of(plan, problem, space, guard)?;
            Ok::<_, Malformed>(turn_plan_to_wire(&turns, Some(mode_to_wire(space, mode))))
        };
        let mut made = turns(&problem, &plan)?;
        let mut answers: Vec<(f64, v1::TurnPlan, v1::Plan)> = Vec::new();
        let others = others.filter(|(other, _)| other.rate_hertz != problem.rate_hertz);
        let mut all: Vec<_> = others.collect();
        if !problem.infer.is_empty() {
            all.push((problem.clone(), plan.clone()));
        }
        all.sort_by(|a, b| a.0.rate_hertz.total_cmp(&b.0.rate_hertz));
        for (problem, plan) in all {
            let turns = turns(&problem, &plan)?;
            match answers.last_mut() {
                // One answer for both: it holds for the higher rate.
                Some(last) if last.1 == turns => last.0 = problem.rate_hertz,
                _ => answers.push((problem.rate_hertz, turns, plan)),
            }
        }
        let urgent = Some(problem.infer.as_str()).filter(|name| !name.is_empty());
        let mut promise = Promise {
            budget_watts: problem.power_watts,
            urgent: urgent.map(Workload::infer),
            answers: answers.iter().map(|(rate, _, plan)| (*rate, expected(plan))).collect(),
        };
        let mut plans: Vec<v1::Plan> = answers.iter().map(|(_, _, plan)| plan.clone()).collect();
        if plans.is_empty() {
            promise.answers.push((0.0, expected(&plan)));
            plans.push(plan.clone());
        }
        let by_rate = |(up_to_hertz, turns, _)| v1::RateAnswer { up_to_hertz, plan: Some(turns) };
        made.by_rate = answers.into_iter().map(by_rate).collect();
        let simulated = simulated(spec, &plan);
        Ok(Self { problem, plan, turns: made, simulated, promise, plans })
    }

    /// Whether a board that does this does the other too.
    pub(crate) fn does_the_same(&self, other: &Self) -> bool {
        self.turns == other.turns && self.simulated == other.simulated
    }

    pub(crate) fn to_keep(&self) -> serde_json::Value {
        let rates = self.turns.by_rate.iter().map(|answer| answer.up_to_hertz).collect();
        let kept = KeptPlan { problem: self.problem.clone(), plan: self.plan.clone(), rates };
        serde_json::to_value(kept).unwrap_or_default()
    }

    /// What it promises, in words.
    pub(crate) fn words(&self) -> String {
        let plan = &self.plan;
        let mut parts = Vec::new();
        // A plan may leave no time for what runs in the background, which is to be seen.
        if !(self.problem.train.is_empty() && self.problem.background_infer.is_empty()) {
            parts.push(format!("{:.2} background minibatches/s", plan.throughput_hertz));
        }
        if plan.peak_latency_seconds > 0.0 {
            let (latency, rate) = (1e3 * plan.peak_latency_seconds, self.problem.rate_hertz);
            parts.push(format!("requests within {latency:.0} ms at {rate:.1}/s"));
        }
        parts.push(format!("at most {:.1} W", plan.peak_power_watts));
        parts.join(", ")
    }
}

fn expected(plan: &v1::Plan) -> Vec<Expected> {
    let of = |planned: &v1::PlannedWorkload| Expected {
        workload: planned_workload(planned),
        seconds: planned.minibatch_seconds,
        batch_size: planned.batch_size,
    };
    plan.workloads.iter().map(of).collect()
}

/// The workload of a part of a plan.
pub(crate) fn planned_workload(planned: &v1::PlannedWorkload) -> Workload {
    match planned.kind.as_str() {
        "train" => Workload::train(&planned.workload),
        _ => Workload::infer(&planned.workload),
    }
}

fn simulated(spec: &v1::JobSpec, plan: &v1::Plan) -> Vec<v1::SimulatedWorker> {
    let problem = spec.problem.clone().unwrap_or_default();
    let worker = |workload: &str, kind: v1::WorkloadKind| v1::SimulatedWorker {
        workload: workload.to_owned(),
        kind: kind.into(),
        ..Default::default()
    };
    let mut workers = Vec::new();
    if !problem.train.is_empty() {
        workers.push(worker(&problem.train, v1::WorkloadKind::Train));
    }
    if !problem.background_infer.is_empty() {
        let planned = plan.workloads.iter().find(|of| of.workload == problem.background_infer);
        let batch = planned.map_or(1, |of| of.batch_size);
        let most = MORE_THAN_ENOUGH * plan.throughput_hertz * f64::from(batch);
        workers.push(v1::SimulatedWorker {
            arrivals_per_second: most.max(1.0),
            arrivals: "constant".into(),
            ..worker(&problem.background_infer, v1::WorkloadKind::Infer)
        });
    }
    if !problem.infer.is_empty() {
        workers.push(v1::SimulatedWorker {
            arrivals_per_second: problem.rate_hertz,
            arrivals: job::arrivals(spec).to_owned(),
            ..worker(&problem.infer, v1::WorkloadKind::Infer)
        });
    }
    workers
}
