//! Why a plan was chosen, for people.

use fulcrum_domain::{
    Assessment, Binding, Budget, Explanation, Hertz, Margin, OperatingPoint, Plan,
};

use crate::output::Answer;
use crate::output::words::{
    budget_in_words, minibatches_in_words, needed_in_words, objective_in_words, percent,
};

/// Another way to alternate is named when it trains so many times as fast.
const WORTHWHILE: f64 = 1.01;

/// What holds the plan back, what it leaves, and what else there is: each by its name.
pub(super) fn why(answer: &Answer<'_>, plan: &Plan) -> Vec<(&'static str, String)> {
    let why = answer.explanation(plan);
    let binding = why.binding.as_ref().map_or_else(
        || "none: no budget keeps out anything measured that may be better".into(),
        |binding| binding_in_words(answer, binding),
    );
    let runner_up = why.runner_up.as_ref().map_or_else(
        || "none: no other measured mode meets the budgets".into(),
        |(point, promise)| candidate_in_words(answer, point, promise),
    );
    let mut all = vec![
        ("binding", binding),
        ("unused", margins_in_words(&why.margins)),
        ("runner-up", runner_up),
    ];
    all.extend(turns(answer, plan, &why));
    all
}

fn binding_in_words(answer: &Answer<'_>, binding: &Binding) -> String {
    let budget = binding.budget().as_str();
    match binding {
        Binding::Better { wider, point, promise } => format!(
            "{budget}: with {} it would be {} at {}",
            budget_in_words(*wider),
            objective_in_words(answer.problem.kind(), promise),
            point_in_words(answer, point)
        ),
        Binding::KeepsOut { modes, nearest } => format!(
            "{budget}: it keeps out {modes} measured {} that may be better; the nearest needs {} or more",
            if *modes == 1 { "mode" } else { "modes" },
            needed_in_words(answer.problem, *nearest)
        ),
    }
}

fn margins_in_words(margins: &[Margin]) -> String {
    let margins = margins.iter().map(|margin| match margin.budget {
        Budget::ArrivalRate => format!("inference leaves {} of the time", percent(margin.share)),
        budget => format!("{} of the {}", percent(margin.share), budget.as_str()),
    });
    margins.collect::<Vec<_>>().join(", ")
}

/// What of a cycle strict turns leave idle, where that matters.
fn turns(answer: &Answer<'_>, plan: &Plan, why: &Explanation) -> Vec<(&'static str, String)> {
    let mut said = Vec::new();
    if plan.promise.minibatches_per_cycle == Some(0.0) {
        let what = minibatches_in_words(answer.problem, answer.background_batch);
        said.push(("no turn", format!("no {what} fit beside inference in a cycle")));
    }
    let rate = |promise: &Assessment| promise.throughput.map_or(0.0, Hertz::get);
    if let Some((point, promise)) = &why.slack_aware
        && rate(promise) > WORTHWHILE * rate(&plan.promise)
    {
        let found = candidate_in_words(answer, point, promise);
        let how = "--alternate slack-aware uses what is idle in a cycle";
        said.push(("slack-aware", format!("{found}; {how}")));
    }
    said
}

fn candidate_in_words(answer: &Answer<'_>, point: &OperatingPoint, promise: &Assessment) -> String {
    let objective = objective_in_words(answer.problem.kind(), promise);
    let latency = promise.latency.filter(|_| promise.throughput.is_some());
    let latency = latency.map(|latency| format!(", {latency:.1}")).unwrap_or_default();
    format!("{objective}{latency}, {:.1} at {}", promise.power, point_in_words(answer, point))
}

fn point_in_words(answer: &Answer<'_>, point: &OperatingPoint) -> String {
    let batch = point.batch_size().map(|batch| format!(", batch {batch}")).unwrap_or_default();
    format!("{}{batch}", answer.space.describe(point.mode))
}
