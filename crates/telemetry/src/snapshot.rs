//! What a process knows of its metrics at one moment, as Prometheus reads it.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::histogram::Histogram;
use crate::metric::{Metric, MetricKind};

/// The type of the text that a [`Snapshot`] gives.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug)]
pub(crate) enum Value {
    Number(f64),
    Histogram(Histogram),
}

#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) metric: &'static Metric,
    pub(crate) samples: Vec<(Vec<String>, Value)>,
}

/// The values of metrics at one moment. What is not known is left out: it is never zero instead.
#[derive(Debug, Default)]
pub struct Snapshot {
    families: Vec<Family>,
}

impl Snapshot {
    /// Sets a gauge or a counter. There is one value for each of the metric's labels.
    pub fn set<const N: usize>(&mut self, metric: &'static Metric, labels: [&str; N], value: f64) {
        debug_assert!(metric.kind != MetricKind::Histogram, "{} is a histogram", metric.name);
        self.push(metric, labels, Value::Number(value));
    }

    /// The same of a value that may not be known.
    pub fn set_known<const N: usize>(
        &mut self,
        metric: &'static Metric,
        labels: [&str; N],
        value: Option<f64>,
    ) {
        if let Some(value) = value {
            self.set(metric, labels, value);
        }
    }

    /// Sets a histogram.
    pub fn set_histogram<const N: usize>(
        &mut self,
        metric: &'static Metric,
        labels: [&str; N],
        value: &Histogram,
    ) {
        debug_assert!(metric.kind == MetricKind::Histogram, "{} is no histogram", metric.name);
        self.push(metric, labels, Value::Histogram(value.clone()));
    }

    fn push<const N: usize>(&mut self, metric: &'static Metric, labels: [&str; N], value: Value) {
        debug_assert_eq!(N, metric.labels.len(), "the labels of {}", metric.name);
        let place = self.families.iter().position(|family| family.metric == metric);
        let place = place.unwrap_or_else(|| {
            self.families.push(Family { metric, samples: Vec::new() });
            self.families.len() - 1
        });
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        self.families[place].samples.push((labels, value));
    }

    pub(crate) fn families(&self) -> &[Family] {
        &self.families
    }

    /// All values in the text format of `OpenMetrics`.
    pub fn text(self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &registry);
        text
    }
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for Family { metric, samples } in &self.families {
            let kind = match metric.kind {
                MetricKind::Gauge => MetricType::Gauge,
                MetricKind::Counter => MetricType::Counter,
                MetricKind::Histogram => MetricType::Histogram,
            };
            let mut family = encoder.encode_descriptor(metric.name, metric.help, None, kind)?;
            for (labels, value) in samples {
                let labels: Vec<(&str, &str)> =
                    metric.labels.iter().copied().zip(labels.iter().map(String::as_str)).collect();
                if labels.is_empty() {
                    sample(&mut family, metric.kind, value)?;
                } else {
                    sample(&mut family.encode_family(&labels)?, metric.kind, value)?;
                }
            }
        }
        Ok(())
    }
}

fn sample(
    encoder: &mut MetricEncoder<'_>,
    kind: MetricKind,
    value: &Value,
) -> Result<(), fmt::Error> {
    match value {
        Value::Number(value) if kind == MetricKind::Counter => {
            encoder.encode_counter::<Vec<(&str, &str)>, _, f64>(value, None)
        }
        Value::Number(value) => encoder.encode_gauge(value),
        Value::Histogram(histogram) => encoder.encode_histogram::<Vec<(&str, &str)>>(
            histogram.sum(),
            histogram.count(),
            &histogram.buckets(),
            None,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::LATENCY_SECONDS;

    static POWER: Metric = Metric::gauge("fulcrum_board_power_watts", &["rail"], "Power of a rail");
    static RUNS: Metric = Metric::counter("fulcrum_test_runs", &[], "Runs");
    static TIME: Metric = Metric::histogram("fulcrum_test_seconds", &["rpc"], "Time of a call");

    #[test]
    fn the_text_has_every_value_and_nothing_else() {
        let mut snapshot = Snapshot::default();
        snapshot.set(&POWER, ["VDD \"GPU\"\n"], 12.5);
        snapshot.set(&RUNS, [], 3.0);
        snapshot.set_known(&POWER, ["unknown"], None);
        let mut histogram = Histogram::new(&LATENCY_SECONDS);
        histogram.observe(0.003);
        histogram.observe(99.0);
        snapshot.set_histogram(&TIME, ["Solve"], &histogram);
        let text = snapshot.text();
        for line in [
            "# TYPE fulcrum_board_power_watts gauge",
            "# HELP fulcrum_board_power_watts Power of a rail",
            "fulcrum_board_power_watts{rail=\"VDD \\\"GPU\\\"\\n\"} 12.5",
            "fulcrum_test_runs_total 3.0",
            "fulcrum_test_seconds_bucket{le=\"0.004\",rpc=\"Solve\"} 1",
            "fulcrum_test_seconds_bucket{le=\"+Inf\",rpc=\"Solve\"} 2",
            "fulcrum_test_seconds_count{rpc=\"Solve\"} 2",
            "# EOF",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing in\n{text}");
        }
        assert!(!text.contains("unknown"), "{text}");
    }
}
