//! Sending the spans of traces.

use std::time::Duration;

use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{SpanExporter, WithTonicConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::{ANSWERING, OtlpArgs, described};
use crate::process::Process;

/// A process that ends waits so long for a collector to take its last spans.
const ENDING: Duration = Duration::from_secs(2);

/// What goes on in this process is sent to a collector until this ends.
#[derive(Debug)]
pub struct Tracing(SdkTracerProvider);

impl OtlpArgs {
    /// Sends the spans of this process, if there is a collector to send to. They wait there for a
    /// while, and are lost while it does not answer. To be called on the runtime that sends them.
    pub fn trace(&self, process: Process) -> Option<Tracing> {
        let channel = self.otlp.clone()?.timeout(ANSWERING).connect_lazy();
        let exporter = SpanExporter::builder().with_tonic().with_channel(channel).build();
        let exporter =
            exporter.inspect_err(|error| tracing::error!(%error, "spans cannot be sent")).ok()?;
        let attributes = described(process).map(|(name, value)| KeyValue::new(name, value));
        let resource = Resource::builder_empty().with_attributes(attributes).build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build();
        global::set_text_map_propagator(TraceContextPropagator::new());
        global::set_tracer_provider(provider.clone());
        Some(Tracing(provider))
    }
}

impl Tracing {
    /// Sends what is still to be sent.
    pub async fn end(self) {
        // It waits for a thread that waits for this runtime.
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(ENDING));
        if let Ok(Err(error)) = ended.await {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}
