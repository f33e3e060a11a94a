//! Plans, and why there are none, as they go over the wire.

use std::time::Duration;

use fulcrum_domain::{
    Basis, BatchSize, BudgetValue, Hertz, Infeasibility, ModeId, ModeSpace, Outcome, Plan, Problem,
    Role, Seconds, Workload, WorkloadKind,
};
use fulcrum_interleave::{Agreement, Terms};

use crate::malformed::Malformed;
use crate::problem::alternate_named;
use crate::turns::TurnPlan;
use crate::v1;

/// What came of a problem, as the wire has it. `background_batch` is the size of background
/// minibatches.
pub fn outcome_to_wire(
    outcome: &Outcome,
    problem: &Problem,
    space: &ModeSpace,
    background_batch: BatchSize,
) -> v1::Outcome {
    let status = outcome.status().to_owned();
    match outcome {
        Outcome::Solved(plan) => {
            let plan = Some(plan_to_wire(plan, problem, space, background_batch));
            v1::Outcome { status, plan, ..Default::default() }
        }
        Outcome::Infeasible(why) | Outcome::Unsolved(why) => v1::Outcome {
            status,
            because: because(why, problem),
            binding_budget: why.binding.as_str().to_owned(),
            remedies: why.remedies.iter().map(|remedy| remedy_to_wire(&remedy.budgets)).collect(),
            ..Default::default()
        },
    }
}

fn plan_to_wire(
    plan: &Plan,
    problem: &Problem,
    space: &ModeSpace,
    background_batch: BatchSize,
) -> v1::Plan {
    let planned = |&role: &Role| {
        let workload = problem.workload(role)?;
        let profile = plan.point.profile(role)?;
        let batch_size = match role {
            Role::Background => background_batch,
            Role::Urgent => plan.point.batch_size()?,
        };
        Some(v1::PlannedWorkload {
            workload: workload.name.to_string(),
            kind: workload.kind.as_str().to_owned(),
            batch_size: batch_size.get(),
            minibatch_seconds: profile.minibatch.get(),
            power_watts: profile.power.get(),
            relative_error_ratio: profile.error,
        })
    };
    let levels = space.knobs().iter().zip(space.levels(plan.point.mode));
    let promise = &plan.promise;
    v1::Plan {
        mode: levels.map(|(knob, level)| (knob.name().to_owned(), level)).collect(),
        alternate: plan.alternate.as_str().to_owned(),
        workloads: problem.roles().iter().filter_map(planned).collect(),
        minibatches_per_cycle: promise.minibatches_per_cycle.unwrap_or(0.0),
        throughput_hertz: promise.throughput.map_or(0.0, Hertz::get),
        peak_latency_seconds: promise.latency.map_or(0.0, Seconds::get),
        peak_power_watts: promise.power.get(),
        utilisation_ratio: promise.utilisation.unwrap_or(0.0),
        evidence: plan.evidence.as_str().to_owned(),
    }
}

fn remedy_to_wire(budgets: &[BudgetValue]) -> v1::Remedy {
    let mut remedy = v1::Remedy::default();
    for budget in budgets {
        match budget {
            BudgetValue::Power(watts) => remedy.power_watts = watts.get(),
            BudgetValue::Latency(seconds) => remedy.latency_seconds = seconds.get(),
            BudgetValue::ArrivalRate(hertz) => remedy.rate_hertz = hertz.get(),
        }
    }
    remedy
}

fn because(why: &Infeasibility, problem: &Problem) -> String {
    let basis = match why.basis {
        Basis::Exhausted => "every mode and batch size was measured".to_owned(),
        Basis::Monotone => "the most favourable mode was measured and fails".to_owned(),
        Basis::Believed { probability } => format!(
            "a model gives every unmeasured mode together a chance of {:.1} %",
            100.0 * probability
        ),
        Basis::Measured => "nothing that was measured works".to_owned(),
    };
    let mut text = format!("the {} binds; {basis}", why.binding.as_str());
    if let Some(remedy) = why.remedies.first() {
        let changes: Vec<String> = remedy
            .budgets
            .iter()
            .map(|budget| match budget {
                BudgetValue::Power(watts) => format!("power budget {watts}"),
                BudgetValue::Latency(seconds) => format!("latency budget {seconds}"),
                BudgetValue::ArrivalRate(hertz) => format!("arrival rate {hertz}"),
            })
            .collect();
        text = format!("{text}; it would work with {}", changes.join(" and "));
    } else {
        text = format!("{text}; nothing known works with {} at all", problem.kind().as_str());
    }
    text
}

/// What a plan from the wire promises to turns, with its power mode in a board's space. The latency
/// budget is the problem's.
///
/// # Errors
/// Names the field that is wrong, or the knob that the board does not have.
pub fn turn_plan_of(
    plan: &v1::Plan,
    problem: &v1::Problem,
    space: &ModeSpace,
    guard: f64,
) -> Result<(TurnPlan, ModeId), Malformed> {
    let level = |knob: &fulcrum_domain::Knob| {
        let what = || format!("has no `{}`, which this board sets", knob.name());
        plan.mode.get(knob.name()).copied().ok_or_else(|| Malformed::new("plan.mode", what()))
    };
    let levels: Vec<f64> = space.knobs().iter().map(level).collect::<Result<_, _>>()?;
    let mode = space
        .find_levels(&levels)
        .ok_or_else(|| Malformed::new("plan.mode", "is no mode of this board"))?;
    let mut found = TurnPlan::default();
    for planned in &plan.workloads {
        let kind: WorkloadKind = planned
            .kind
            .parse()
            .map_err(|_| Malformed::new("plan.workloads.kind", format!("is `{}`", planned.kind)))?;
        let workload = match kind {
            WorkloadKind::Train => Workload::train(&planned.workload),
            WorkloadKind::Infer => Workload::infer(&planned.workload),
        };
        let seconds = |field: &str, value: f64| {
            Duration::try_from_secs_f64(value)
                .map_err(|error| Malformed::new(field, error.to_string()))
        };
        let is_urgent = kind == WorkloadKind::Infer && planned.workload == problem.infer;
        let budget = is_urgent.then(|| seconds("problem.latency_seconds", problem.latency_seconds));
        let expected = seconds("plan.workloads.minibatch_seconds", planned.minibatch_seconds)?;
        found.expected_watts.push((workload.clone(), planned.power_watts));
        found.agreement.terms.push(Terms {
            latency_budget: budget.transpose()?,
            ..Terms::background(workload, planned.batch_size).expecting(expected)
        });
    }
    found.agreement = Agreement {
        alternate: alternate_named(&plan.alternate)?,
        guard,
        minibatches_per_cycle: plan.minibatches_per_cycle as u32,
        ..found.agreement
    };
    Ok((found, mode))
}
