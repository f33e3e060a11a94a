//! What came of a run.

use serde::Serialize;

use crate::output::table;

/// A run's report. The names are an interface; README.md shows them.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    pub(super) seconds: f64,
    pub(super) alternate: &'static str,
    pub(super) guard_ratio: f64,
    pub(super) promised_minibatches_per_second: Option<f64>,
    pub(super) power_budget_w: Option<f64>,
    pub(super) mean_power_w: Option<f64>,
    pub(super) idle_ratio: f64,
    pub(super) workloads: Vec<WorkloadReport>,
    pub(super) fenced: Vec<String>,
    pub(super) missed_minibatches: u64,
}

/// What one workload did.
#[derive(Debug, Clone, Serialize)]
pub(super) struct WorkloadReport {
    pub(super) workload: String,
    pub(super) kind: &'static str,
    pub(super) minibatches: u64,
    pub(super) minibatches_per_second: f64,
    pub(super) device_share_ratio: f64,
    pub(super) requests: u64,
    pub(super) latency_budget_ms: Option<f64>,
    pub(super) latency_p50_ms: Option<f64>,
    pub(super) latency_p99_ms: Option<f64>,
    pub(super) latency_longest_ms: Option<f64>,
    pub(super) late_requests: u64,
    pub(super) energy_joules: Option<f64>,
}

/// The report as one JSON object.
pub(super) fn json(report: &Report) -> serde_json::Result<String> {
    serde_json::to_string_pretty(report)
}

/// The report for people.
pub(super) fn text(report: &Report) -> String {
    format!("{}\n{}", table(&rows(report)), summary(report).join("\n"))
}

/// What is to be said beside the table, a line each.
pub(super) fn summary(report: &Report) -> Vec<String> {
    let mut lines = vec![format!(
        "{:.1} s, alternating {} with a guard of {:.0} %; the device was idle {:.1} % of the time",
        report.seconds,
        report.alternate,
        100.0 * report.guard_ratio,
        100.0 * report.idle_ratio
    )];
    if let Some(promised) = report.promised_minibatches_per_second {
        lines.push(format!("the plan promised {promised:.2} background minibatches a second"));
    }
    lines.push(match (report.mean_power_w, report.power_budget_w) {
        (Some(mean), Some(budget)) => format!("{mean:.1} W drawn on average, of {budget} W"),
        (Some(mean), None) => format!("{mean:.1} W drawn on average"),
        (None, _) => "what was drawn is not known: the board does not say".into(),
    });
    lines.extend(report.fenced.iter().map(|reason| format!("went on without {reason}")));
    if report.missed_minibatches > 0 {
        lines.push(format!("{} minibatches were not seen", report.missed_minibatches));
    }
    lines
}

/// One row a workload.
pub(super) fn rows(report: &Report) -> Vec<Vec<String>> {
    let head = [
        "workload",
        "kind",
        "minibatches/s",
        "device %",
        "requests",
        "budget ms",
        "p50 ms",
        "p99 ms",
        "longest ms",
        "late",
        "joules",
    ];
    let optional = |value: Option<f64>| value.map_or_else(String::new, |v| format!("{v:.1}"));
    let row = |w: &WorkloadReport| {
        let infers = w.kind == "infer";
        vec![
            w.workload.clone(),
            w.kind.to_owned(),
            format!("{:.2}", w.minibatches_per_second),
            format!("{:.1}", 100.0 * w.device_share_ratio),
            if infers { w.requests.to_string() } else { String::new() },
            optional(w.latency_budget_ms),
            optional(w.latency_p50_ms),
            optional(w.latency_p99_ms),
            optional(w.latency_longest_ms),
            if infers { w.late_requests.to_string() } else { String::new() },
            optional(w.energy_joules),
        ]
    };
    std::iter::once(head.map(str::to_owned).to_vec())
        .chain(report.workloads.iter().map(row))
        .collect()
}
