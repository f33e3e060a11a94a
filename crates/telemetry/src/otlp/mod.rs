//! Telling a collector by OTLP. Source of its form: <https://opentelemetry.io/docs/specs/otlp/>.

mod metrics;
mod traces;

use std::time::Duration;

use clap::Args;
use tonic::transport::Endpoint;

pub use metrics::Sending;
pub use traces::Tracing;

use crate::process::Process;

/// How long to wait for a collector.
const ANSWERING: Duration = Duration::from_secs(10);

/// Where metrics and traces are sent to.
#[expect(clippy::doc_markdown, reason = "these are shown to people as they stand")]
#[derive(Debug, Clone, Default, Args)]
pub struct OtlpArgs {
    /// Collector to send metrics and traces to by OTLP over gRPC: http://127.0.0.1:4317
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL", value_parser = collector)]
    pub otlp: Option<Endpoint>,
    /// Seconds between two times that metrics are sent
    #[arg(
        long,
        env = "FULCRUM_OTLP_EVERY",
        value_name = "SECONDS",
        default_value_t = 15,
        value_parser = clap::value_parser!(u32).range(1..=3600)
    )]
    pub otlp_every: u32,
}

fn collector(text: &str) -> Result<Endpoint, String> {
    if !text.starts_with("http://") {
        return Err("it is http://host:port; where the way there may be listened to, let a \
                    collector beside this process send on"
            .into());
    }
    Endpoint::from_shared(text.to_owned()).map_err(|error| format!("it is no URL: {error}"))
}

/// Which process on which host, as a collector is told.
fn described(process: Process) -> [(&'static str, String); 5] {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    [
        ("service.namespace", "fulcrum".into()),
        ("service.name", format!("fulcrum-{}", process.name)),
        ("service.version", process.version.into()),
        ("service.instance.id", format!("{host}:{}", std::process::id())),
        ("host.name", host),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_named_by_a_url_that_can_be_reached() {
        assert!(collector("http://127.0.0.1:4317").is_ok());
        for wrong in ["127.0.0.1:4317", "https://collector:4317", "http://a b"] {
            assert!(collector(wrong).is_err(), "{wrong}");
        }
    }
}
