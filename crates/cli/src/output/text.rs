//! A plan, or that there is none, for people.

use fulcrum_domain::{Infeasibility, Outcome, Plan};

use crate::output::Answer;
use crate::output::why::why;
use crate::output::words::{
    basis_in_words, budgets_in_words, minibatches_in_words, percent, remedy_in_words,
    time_in_words, workloads_in_words,
};

/// The answer as lines: the plan and why, or what would work instead.
pub(crate) fn plan_text(answer: &Answer<'_>) -> String {
    let title = match answer.outcome {
        Outcome::Solved(_) => "PLAN",
        Outcome::Infeasible(_) => "INFEASIBLE",
        Outcome::Unsolved(_) => "UNSOLVED",
    };
    let mut lines = vec![format!(
        "{title}  {}: {}",
        workloads_in_words(answer.problem),
        budgets_in_words(answer.problem)
    )];
    match answer.outcome {
        Outcome::Solved(plan) => {
            lines.extend(plan_lines(answer, plan));
            lines.push(cost_line(answer));
            lines.push("WHY".into());
            lines.extend(why(answer, plan).iter().map(|(name, text)| note(name, text)));
            lines.extend(answer.verified.map(|verified| format!("  {}", verified.in_words())));
        }
        Outcome::Infeasible(why) | Outcome::Unsolved(why) => {
            lines.extend(remedy_lines(answer, why));
            lines.push(cost_line(answer));
        }
    }
    lines.join("\n")
}

fn line(name: &str, value: &str, note: &str) -> String {
    format!("  {name:<15}{value:>12}  {note}").trim_end().to_owned()
}

fn note(name: &str, text: &str) -> String {
    format!("  {name:<15}{text}")
}

fn plan_lines(answer: &Answer<'_>, plan: &Plan) -> Vec<String> {
    let mode = plan.point.mode;
    let knobs = answer.space.knobs().iter().zip(answer.space.levels(mode));
    let mut lines: Vec<String> = knobs
        .map(|(knob, level)| {
            let described = knob.describe(level).to_string();
            let clock = if knob.name().ends_with("_khz") { described.as_str() } else { "" };
            line(knob.name(), &level.to_string(), clock)
        })
        .collect();
    let promise = &plan.promise;
    if let (Some(batch), Some(stream)) = (plan.point.batch_size(), answer.problem.urgent()) {
        let cycle = stream.rate.period() * batch.as_f64();
        lines.push(line("batch size", &batch.to_string(), &format!("a cycle of {cycle}")));
        if let Some(minibatches) = promise.minibatches_per_cycle {
            let rounded = format!("{minibatches:.2}");
            let rounded = rounded.trim_end_matches('0').trim_end_matches('.');
            let how = format!(
                "{} a cycle, {}",
                minibatches_in_words(answer.problem, answer.background_batch),
                plan.alternate
            );
            lines.push(line("turns", rounded, &how));
        }
    }
    if let Some(throughput) = promise.throughput {
        let what = minibatches_in_words(answer.problem, answer.background_batch);
        lines.push(line("throughput", &throughput.to_string(), &what));
    }
    if let (Some(latency), Some(stream)) = (promise.latency, answer.problem.urgent()) {
        let budget = format!("of {}", stream.latency);
        lines.push(line("peak latency", &format!("{latency:.1}"), &budget));
    }
    let budget = format!("of {}", answer.problem.power());
    lines.push(line("peak power", &format!("{:.2}", promise.power), &budget));
    lines.push(line("evidence", plan.evidence.as_str(), &noise_in_words(answer, plan)));
    lines
}

/// How noisy the plan's readings are, if they are; the promise takes it into account.
fn noise_in_words(answer: &Answer<'_>, plan: &Plan) -> String {
    let profiles = answer.problem.roles().iter().filter_map(|&role| plan.point.profile(role));
    let error = profiles.map(|profile| profile.error).fold(0.0, f64::max);
    if error > 0.0 {
        format!("by readings with a standard error of {}", percent(error))
    } else {
        String::new()
    }
}

fn cost_line(answer: &Answer<'_>) -> String {
    let cost = answer.cost;
    let failed = match cost.failures {
        0 => String::new(),
        failures => format!(" ({failures} failed)"),
    };
    note(
        "spent",
        &format!(
            "{} measurements{failed} in {} power modes; {} of computing, by {}",
            cost.measurements,
            cost.modes(),
            time_in_words(cost.deciding),
            answer.strategy
        ),
    )
}

fn remedy_lines(answer: &Answer<'_>, why: &Infeasibility) -> Vec<String> {
    let mut lines =
        vec![note("binding", why.binding.as_str()), note("because", &basis_in_words(why.basis))];
    for (i, remedy) in why.remedies.iter().enumerate() {
        let name = if i == 0 { "would work" } else { "or" };
        lines.push(note(name, &remedy_in_words(answer.space, answer.problem, remedy)));
    }
    if why.remedies.is_empty() {
        lines.push(note("would work", "nothing that was measured, at any budget"));
    }
    lines
}
