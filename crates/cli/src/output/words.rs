//! Phrases that the outputs share.

use std::time::Duration;

use fulcrum_domain::{
    Assessment, Basis, BatchSize, BudgetValue, Hertz, ModeSpace, Problem, ProblemKind, Remedy,
    Seconds, Watts,
};

/// `resnet18 train + mobilenet_v3 infer`.
pub(crate) fn workloads_in_words(problem: &Problem) -> String {
    let background = problem.background().map(ToString::to_string);
    let urgent = problem.urgent().map(|stream| stream.workload.to_string());
    background.into_iter().chain(urgent).collect::<Vec<_>>().join(" + ")
}

/// `60/s, within 800ms and 30W`.
pub(crate) fn budgets_in_words(problem: &Problem) -> String {
    match problem.urgent() {
        Some(stream) => {
            format!("{}, within {} and {}", stream.rate, stream.latency, problem.power())
        }
        None => format!("within {}", problem.power()),
    }
}

/// What the background runs: `training minibatches of 16`.
pub(crate) fn minibatches_in_words(problem: &Problem, batch_size: BatchSize) -> String {
    let what = match problem.kind() {
        ProblemKind::TwoInfers => "background inference",
        _ => "training",
    };
    format!("{what} minibatches of {batch_size}")
}

/// A share in percent, with one decimal and never `-0`.
pub(crate) fn percent(share: f64) -> String {
    let tenths = (share * 1000.0).round() + 0.0;
    format!("{:.1}%", tenths / 10.0)
}

/// What the promise of a plan is measured by: `5.6/s` or `84ms`.
pub(crate) fn objective_in_words(kind: ProblemKind, promise: &Assessment) -> String {
    match (kind, promise.throughput, promise.latency) {
        (ProblemKind::Infer, _, Some(latency)) => format!("{latency:.1}"),
        (_, Some(throughput), _) => format!("{throughput}"),
        _ => "nothing".into(),
    }
}

/// `power 33W`.
pub(crate) fn budget_in_words(value: BudgetValue) -> String {
    match value {
        BudgetValue::Power(power) => format!("power {power}"),
        BudgetValue::Latency(latency) => format!("latency {latency}"),
        BudgetValue::ArrivalRate(rate) => format!("rate {rate}"),
    }
}

/// Budgets that would work, and where: `power 11.3W at 4 cpu cores, …`.
pub(crate) fn remedy_in_words(space: &ModeSpace, problem: &Problem, remedy: &Remedy) -> String {
    let budgets: Vec<String> =
        remedy.budgets.iter().map(|value| needed_in_words(problem, *value)).collect();
    let batch = remedy.batch_size.map(|batch| format!(", batch {batch}")).unwrap_or_default();
    format!("{} at {}{batch}", budgets.join(" and "), space.describe(remedy.mode))
}

/// A budget that would do instead of the problem's own: `power 33.21W`.
pub(crate) fn needed_in_words(problem: &Problem, value: BudgetValue) -> String {
    budget_in_words(on_the_safe_side(problem, value))
}

/// Rounded to what is printed, so that the printed value works when it is typed.
fn on_the_safe_side(problem: &Problem, value: BudgetValue) -> BudgetValue {
    let up = |x: f64, scale: f64| (x * scale).ceil() / scale;
    let down = |x: f64, scale: f64| (x * scale).floor() / scale;
    match value {
        BudgetValue::Power(power) => BudgetValue::Power(Watts::new(up(power.get(), 100.0))),
        BudgetValue::Latency(latency) => {
            let scale = if latency.get() >= 1.0 { 100.0 } else { 1e5 };
            BudgetValue::Latency(Seconds::new(up(latency.get(), scale)))
        }
        BudgetValue::ArrivalRate(rate) => {
            let more = problem.urgent().is_some_and(|stream| rate > stream.rate);
            let round = if more { up } else { down };
            BudgetValue::ArrivalRate(Hertz::new(round(rate.get(), 100.0)))
        }
    }
}

/// How sure it is that there is no plan.
pub(crate) fn basis_in_words(basis: Basis) -> String {
    match basis {
        Basis::Exhausted => "every power mode and batch size was measured".into(),
        Basis::Monotone => {
            "the most favourable modes were measured and fail; every other draws more or is slower"
                .into()
        }
        Basis::Believed { probability } => format!(
            "by the model, the chance that any unmeasured mode works is {}",
            if probability < 1e-3 { "below 0.1%".into() } else { percent(probability) }
        ),
        Basis::Measured => "nothing measured meets the budgets; something unmeasured may".into(),
    }
}

/// `3.2ms` or `840us`.
pub(crate) fn time_in_words(time: Duration) -> String {
    format!("{:.1}", Seconds::new(time.as_secs_f64()))
}
