//! What a service shows over HTTP, beside gRPC.

use std::future::Future;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use fulcrum_telemetry::{CONTENT_TYPE, Snapshot};

/// Serves the metrics that `snapshot` gives at `/metrics`.
pub(crate) fn metrics_at<F>(snapshot: impl Fn() -> F + Clone + Send + Sync + 'static) -> Router
where
    F: Future<Output = Snapshot> + Send + 'static,
{
    let metrics = move || {
        let snapshot = snapshot.clone();
        async move { ([(header::CONTENT_TYPE, CONTENT_TYPE)], snapshot().await.text()) }
    };
    Router::new().route("/metrics", get(metrics))
}
