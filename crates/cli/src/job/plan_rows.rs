//! A plan of a fleet's job for people.

use fulcrum_api::v1;

/// One row a thing that the plan says: name, value, and what is to be said of it.
pub(crate) fn plan_rows(plan: &v1::Plan, problem: &v1::Problem, origin: &str) -> Vec<Vec<String>> {
    let row = |name: &str, value: String, more: String| vec![name.to_owned(), value, more];
    let mut rows = vec![row("plan", String::new(), format!("from {origin}"))];
    for (knob, level) in &plan.mode {
        rows.push(row(knob, level.to_string(), String::new()));
    }
    for workload in &plan.workloads {
        rows.push(row(
            &format!("{} {}", workload.workload, workload.kind),
            format!("{:.1}ms", 1e3 * workload.minibatch_seconds),
            format!(
                "minibatches of {}, drawing {:.1}W, known to {:.1}%",
                workload.batch_size,
                workload.power_watts,
                100.0 * workload.relative_error_ratio
            ),
        ));
    }
    if !(problem.train.is_empty() && problem.background_infer.is_empty()) {
        let more = format!("background minibatches, {}", plan.alternate);
        rows.push(row("throughput", format!("{:.2}/s", plan.throughput_hertz), more));
    }
    if plan.peak_latency_seconds > 0.0 {
        let (of, is) = (problem.latency_seconds, plan.peak_latency_seconds);
        rows.push(row(
            "peak latency",
            format!("{:.0}ms", 1e3 * is),
            format!("of {:.0}ms, {:.1}% unused", 1e3 * of, 100.0 * (1.0 - is / of)),
        ));
        let most = problem.most_utilisation_ratio;
        let most = if most > 0.0 { most } else { 1.0 };
        rows.push(row(
            "inference",
            format!("{:.1}%", 100.0 * plan.utilisation_ratio),
            format!("of the time at {:.1}/s; at most {:.0}%", problem.rate_hertz, 100.0 * most),
        ));
    }
    let (of, is) = (problem.power_watts, plan.peak_power_watts);
    rows.push(row(
        "peak power",
        format!("{is:.1}W"),
        format!("of {of:.1}W, {:.1}% unused", 100.0 * (1.0 - is / of)),
    ));
    rows
}
