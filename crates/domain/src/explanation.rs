//! Why a plan was chosen: what is left of each budget, which of them binds, and what came second.

use crate::assessment::{Assessment, OperatingPoint};
use crate::outcome::Plan;
use crate::problem::{Budget, BudgetValue, Problem};

/// Why a plan was chosen among the operating points that are known.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What is left of each budget.
    pub margins: Vec<Margin>,
    /// The budget that holds the plan back, and what a tenth more of it would bring; none when
    /// no known operating point would be better with any budget a tenth wider.
    pub binding: Option<Binding>,
    /// The best plan at another power mode, with what it promises.
    pub runner_up: Option<(OperatingPoint, Assessment)>,
}

/// What is left of a budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margin {
    /// The budget.
    pub budget: Budget,
    /// The share of it that is not used.
    pub share: f64,
}

/// A budget that holds a plan back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Binding {
    /// The budget, a tenth wider.
    pub wider: BudgetValue,
    /// The operating point that would then be chosen.
    pub point: OperatingPoint,
    /// What it promises under the wider budget.
    pub promise: Assessment,
}

/// Explains a plan by the operating points that were known when it was chosen; `sigmas` is the
/// guard it was chosen with.
pub fn explain(
    problem: &Problem,
    plan: &Plan,
    points: &[OperatingPoint],
    sigmas: f64,
) -> Explanation {
    let margins = problem.budgets().map(|value| margin(value, &plan.promise)).collect();
    let others = points.iter().filter(|point| point.mode != plan.point.mode);
    Explanation {
        margins,
        binding: binding(problem, plan, points, sigmas),
        runner_up: problem.best(plan.alternate, sigmas, others),
    }
}

fn margin(value: BudgetValue, promise: &Assessment) -> Margin {
    let used = match value {
        BudgetValue::Power(power) => promise.power / power,
        BudgetValue::Latency(latency) => promise.latency.map_or(0.0, |own| own / latency),
        BudgetValue::ArrivalRate(_) => promise.utilisation.unwrap_or(0.0),
    };
    Margin { budget: value.budget(), share: 1.0 - used }
}

/// The budget that brings most when it is a tenth wider. A wider power or latency budget is a
/// larger one; fewer requests are not a budget that is widened but another problem, so the rate is
/// left out.
fn binding(
    problem: &Problem,
    plan: &Plan,
    points: &[OperatingPoint],
    sigmas: f64,
) -> Option<Binding> {
    let wider = problem.budgets().filter_map(|value| match value {
        BudgetValue::Power(power) => Some(BudgetValue::Power(power * 1.1)),
        BudgetValue::Latency(latency) => Some(BudgetValue::Latency(latency * 1.1)),
        BudgetValue::ArrivalRate(_) => None,
    });
    wider
        .filter_map(|wider| {
            let (point, promise) = problem.with(wider).best(plan.alternate, sigmas, points)?;
            let gain = plan.promise.loss(&promise, problem.kind());
            (gain > 0.0).then_some((gain, Binding { wider, point, promise }))
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, binding)| binding)
}
