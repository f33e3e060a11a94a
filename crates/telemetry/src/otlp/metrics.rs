//! Sending metrics, for those who do not scrape.
//!
//! The names are those that Prometheus reads, and no units are sent beside them, so that a collector
//! that turns them into Prometheus' names gives the same again.
//! Source of the form: <https://opentelemetry.io/docs/specs/otlp/>.

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, metric::Data, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tonic::transport::Channel;

use super::{ANSWERING, OtlpArgs, described};
use crate::metric::MetricKind;
use crate::process::Process;
use crate::snapshot::{Family, Snapshot, Value};

/// Sends until it is dropped.
#[derive(Debug)]
pub struct Sending(JoinHandle<()>);

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl OtlpArgs {
    /// Sends a snapshot again and again, if there is a collector to send to. One that does not answer
    /// is tried again, and holds nothing up.
    pub fn send<F>(
        &self,
        process: Process,
        snapshot: impl Fn() -> F + Send + 'static,
    ) -> Option<Sending>
    where
        F: Future<Output = Snapshot> + Send,
    {
        let collector = self.otlp.clone()?;
        let mut client = MetricsServiceClient::new(collector.timeout(ANSWERING).connect_lazy());
        let mut times = interval(Duration::from_secs(self.otlp_every.max(1).into()));
        times.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (resource, began) = (resource(process), now_ns());
        Some(Sending(tokio::spawn(async move {
            let mut answers = true;
            loop {
                times.tick().await;
                let told = request(&snapshot().await, &resource, process, (began, now_ns()));
                answers = send(&mut client, told, answers).await;
            }
        })))
    }
}

/// Sends once; gives whether the collector answers, and says so where that has changed.
async fn send(
    client: &mut MetricsServiceClient<Channel>,
    told: ExportMetricsServiceRequest,
    answered: bool,
) -> bool {
    match client.export(told).await {
        Ok(answer) => {
            let refused = answer.into_inner().partial_success;
            if let Some(refused) = refused.filter(|refused| refused.rejected_data_points > 0) {
                let (values, why) = (refused.rejected_data_points, refused.error_message);
                tracing::warn!(values, why, "the collector refuses some metrics");
            }
            if !answered {
                tracing::info!("the collector answers again");
            }
            true
        }
        Err(status) => {
            if answered {
                tracing::warn!(
                    why = status.message(),
                    "the collector does not take metrics; tried again"
                );
            }
            false
        }
    }
}

fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn resource(process: Process) -> Resource {
    let attributes = described(process);
    let attributes = attributes.iter().map(|(name, value)| attribute((name, value))).collect();
    Resource { attributes, ..Default::default() }
}

fn attribute((key, value): (&str, &str)) -> KeyValue {
    let value = AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) };
    KeyValue { key: key.to_owned(), value: Some(value), ..Default::default() }
}

fn request(
    snapshot: &Snapshot,
    resource: &Resource,
    process: Process,
    time: (u64, u64),
) -> ExportMetricsServiceRequest {
    let scope = InstrumentationScope {
        name: "fulcrum".into(),
        version: process.version.into(),
        ..Default::default()
    };
    let metrics = snapshot.families().iter().map(|family| metric(family, time)).collect();
    let scope = ScopeMetrics { scope: Some(scope), metrics, ..Default::default() };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource.clone()),
            scope_metrics: vec![scope],
            ..Default::default()
        }],
    }
}

fn metric(family: &Family, (began, now): (u64, u64)) -> Metric {
    let of = family.metric;
    let (mut numbers, mut histograms) = (Vec::new(), Vec::new());
    for (labels, value) in &family.samples {
        let labels = of.labels.iter().copied().zip(labels.iter().map(String::as_str));
        let attributes = labels.map(attribute).collect();
        match value {
            Value::Number(value) => numbers.push(NumberDataPoint {
                attributes,
                // What goes up and down has no beginning.
                start_time_unix_nano: if of.kind == MetricKind::Counter { began } else { 0 },
                time_unix_nano: now,
                value: Some(number_data_point::Value::AsDouble(*value)),
                ..Default::default()
            }),
            Value::Histogram(histogram) => {
                let (bounds, counts): (Vec<f64>, Vec<u64>) =
                    histogram.buckets().into_iter().unzip();
                histograms.push(HistogramDataPoint {
                    attributes,
                    start_time_unix_nano: began,
                    time_unix_nano: now,
                    count: histogram.count(),
                    sum: Some(histogram.sum()),
                    bucket_counts: counts,
                    // The last bucket has no bound.
                    explicit_bounds: bounds.into_iter().filter(|bound| bound.is_finite()).collect(),
                    ..Default::default()
                });
            }
        }
    }
    let cumulative = AggregationTemporality::Cumulative.into();
    let data = match of.kind {
        MetricKind::Gauge => Data::Gauge(Gauge { data_points: numbers }),
        MetricKind::Counter => Data::Sum(Sum {
            data_points: numbers,
            aggregation_temporality: cumulative,
            is_monotonic: true,
        }),
        MetricKind::Histogram => Data::Histogram(Histogram {
            data_points: histograms,
            aggregation_temporality: cumulative,
        }),
    };
    Metric {
        name: of.name.to_owned(),
        description: of.help.to_owned(),
        data: Some(data),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::{Histogram as Counted, LATENCY_SECONDS};
    use crate::metric::Metric as Of;

    static POWER: Of = Of::gauge("fulcrum_test_power_watts", &["rail"], "Power of a rail");
    static RUNS: Of = Of::counter("fulcrum_test_runs", &[], "Runs");
    static TIME: Of = Of::histogram("fulcrum_test_seconds", &["rpc"], "Time of a call");

    #[test]
    fn every_value_is_sent_and_nothing_else() {
        let mut snapshot = Snapshot::default();
        snapshot.set(&POWER, ["VDD_IN"], 12.5);
        snapshot.set_known(&POWER, ["unknown"], None);
        snapshot.set(&RUNS, [], 3.0);
        let mut histogram = Counted::new(&LATENCY_SECONDS);
        histogram.observe(0.003);
        histogram.observe(99.0);
        snapshot.set_histogram(&TIME, ["Solve"], &histogram);
        let process = Process { name: "test", version: "1.2.3" };
        let told = request(&snapshot, &resource(process), process, (1, 2));
        let [power, runs, time] = told.resource_metrics[0].scope_metrics[0].metrics.as_slice()
        else {
            panic!("{told:?}")
        };
        assert_eq!(power.name, "fulcrum_test_power_watts");
        let Some(Data::Gauge(power)) = &power.data else { panic!("{power:?}") };
        let [point] = power.data_points.as_slice() else { panic!("what is not known is sent") };
        assert_eq!(point.value, Some(number_data_point::Value::AsDouble(12.5)));
        assert_eq!(point.attributes, [attribute(("rail", "VDD_IN"))]);
        assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (0, 2));
        let Some(Data::Sum(runs)) = &runs.data else { panic!("{runs:?}") };
        assert!(runs.is_monotonic);
        assert_eq!(runs.data_points[0].start_time_unix_nano, 1);
        let Some(Data::Histogram(time)) = &time.data else { panic!("{time:?}") };
        let point = &time.data_points[0];
        assert_eq!((point.count, point.sum), (2, Some(99.003)));
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        assert_eq!(point.bucket_counts.iter().sum::<u64>(), 2);
        assert_eq!(point.bucket_counts.last(), Some(&1), "above the last bound");
    }
}
