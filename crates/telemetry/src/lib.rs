//! What every process tells of itself: metrics for Prometheus and for OpenTelemetry, each with its
//! meaning in one place, the spans of traces, and its log.
//!
//! Metrics are made from what is known at the moment they are asked for: a [`Snapshot`] is filled
//! and written, or sent to a collector. What a [`Metric`] means stands once, as a constant, from
//! which the text that Prometheus reads, what a collector gets and the document for people are made.

mod histogram;
mod log;
mod metric;
mod otlp;
mod process;
mod snapshot;

pub use histogram::{BUDGET_SECONDS, Histogram, LATENCY_SECONDS};
pub use log::{LogFormat, LogLevel, start_log};
pub use metric::{Metric, MetricKind, document};
pub use otlp::{OtlpArgs, Sending, Tracing};
pub use process::{PROCESS, Process};
pub use snapshot::{CONTENT_TYPE, Snapshot};
