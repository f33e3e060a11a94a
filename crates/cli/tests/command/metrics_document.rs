//! docs/metrics.md says of every metric what it means.

use fulcrum_telemetry::document;

const HEADING: &str = "\
# Metrics

Every process serves its metrics over HTTP at `/metrics`, in the format of OpenMetrics: an agent at
`--metrics`, a scheduler and an optimizer at `--http`. A scheduler also says at `/targets` where the
agents of its boards serve theirs, as Prometheus discovers targets over HTTP. Units are base units,
ratios are from 0 to 1, and what is not known has no sample: it is never zero instead.

This document is made from the code: `make documents` writes it.
";

#[test]
fn the_document_of_metrics_is_that_of_the_code() {
    let told = document(&[
        ("Agent", fulcrum_agent::METRICS),
        ("Scheduler", fulcrum_scheduler::METRICS),
        ("Optimizer", fulcrum_optimizer::METRICS),
    ]);
    let text = format!("{HEADING}{told}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
    if std::env::var_os("FULCRUM_WRITE_DOCUMENTS").is_some() {
        std::fs::write(path, &text).expect("it is written");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == text, "docs/metrics.md is not what the code tells; see its first lines");
}
