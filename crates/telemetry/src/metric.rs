//! What a metric is.

use std::fmt::Write as _;

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Goes up and down.
    Gauge,
    /// Only grows while its process lives. Its name on the wire ends in `_total`.
    Counter,
    /// Counts in buckets, with their sum.
    Histogram,
}

/// A metric: its name never changes, its unit is a base unit and the end of its name, and its labels
/// take few values.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name, unit included, without the `_total` of a counter.
    pub name: &'static str,
    /// How it behaves.
    pub kind: MetricKind,
    /// The names of its labels, in the order in which their values are given.
    pub labels: &'static [&'static str],
    /// What it means, in a sentence without a full stop.
    pub help: &'static str,
}

impl Metric {
    /// A metric that goes up and down.
    pub const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, kind: MetricKind::Gauge, labels, help }
    }

    /// A metric that only grows.
    pub const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, kind: MetricKind::Counter, labels, help }
    }

    /// A metric that counts in buckets.
    pub const fn histogram(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, kind: MetricKind::Histogram, labels, help }
    }

    /// The name as it is asked for.
    pub fn on_the_wire(&self) -> String {
        match self.kind {
            MetricKind::Counter => format!("{}_total", self.name),
            MetricKind::Gauge | MetricKind::Histogram => self.name.to_owned(),
        }
    }
}

/// The metrics of some processes as a document in Markdown: a heading for each, and a table.
pub fn document(processes: &[(&str, &[&[&Metric]])]) -> String {
    let mut text = String::new();
    for (heading, groups) in processes {
        let _ = write!(
            text,
            "\n## {heading}\n\n| Metric | Kind | Labels | Meaning |\n|---|---|---|---|\n"
        );
        for metric in groups.iter().copied().flatten() {
            let kind = match metric.kind {
                MetricKind::Gauge => "gauge",
                MetricKind::Counter => "counter",
                MetricKind::Histogram => "histogram",
            };
            let labels: Vec<String> =
                metric.labels.iter().map(|name| format!("`{name}`")).collect();
            let (name, labels) = (metric.on_the_wire(), labels.join(", "));
            let _ = writeln!(text, "| `{name}` | {kind} | {labels} | {} |", metric.help);
        }
    }
    text
}
