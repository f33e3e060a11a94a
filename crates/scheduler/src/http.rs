//! What the scheduler shows over HTTP: a page for people, its metrics, and where those of its boards
//! are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use fulcrum_edge::EDGE;
use fulcrum_service::{Bound, RPCS};
use fulcrum_store::{Store, StoreError};
use fulcrum_telemetry::{Metric, PROCESS, Process, Snapshot};
use serde::Serialize;

use crate::fleet::SITE_POWER;
use crate::page::{Source, page};
use crate::seen::{SEEN, Seen};

/// This process, as it is told.
const THIS: Process = Process { name: "scheduler", version: env!("CARGO_PKG_VERSION") };

static LEADING: Metric = Metric::gauge(
    "fulcrum_scheduler_leading",
    &[],
    "Whether this replica leads; what is told of boards and jobs is told by it alone",
);
static LOST: Metric = Metric::counter(
    "fulcrum_scheduler_lost_records",
    &[],
    "Windows, plans and events for which there was no room while the store was away",
);
static BOARD_STATE: Metric = Metric::gauge(
    "fulcrum_fleet_board_state",
    &["board", "fulcrum_job", "state"],
    "How a board stands: unknown, unreachable, idle, searching, running, infeasible or blocked; \
     always 1",
);
static JOB_STATE: Metric = Metric::gauge(
    "fulcrum_fleet_job_state",
    &["fulcrum_job", "state"],
    "How a job stands: pending, searching, running, infeasible or blocked; always 1",
);
static SITE: Metric = Metric::gauge(
    "fulcrum_fleet_site_power_watts",
    &[],
    "What all boards together may draw; absent where that is not limited",
);

/// All metrics of a scheduler, in the order of the document.
pub static METRICS: &[&[&Metric]] =
    &[&[&LEADING, &LOST, &BOARD_STATE, &JOB_STATE, &SITE], SEEN, RPCS, EDGE, PROCESS];

/// What a replica knows of itself.
#[derive(Debug, Default)]
pub(crate) struct Own {
    pub(crate) leads: AtomicBool,
    pub(crate) lost: AtomicU64,
    pub(crate) seen: Seen,
}

/// Everything that is served over HTTP.
pub(crate) fn pages(source: Source, own: Arc<Own>, bound: &mut Bound) -> Router {
    let store = source.store.clone();
    let targets = {
        let store = store.clone();
        move || targets(store.clone())
    };
    let snapshot = move || snapshot(store.clone(), own.clone());
    bound.tell(THIS, snapshot).route("/targets", get(targets)).merge(page(source))
}

async fn snapshot(store: Store, own: Arc<Own>) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let leads = own.leads.load(Ordering::Relaxed);
    snapshot.set(&LEADING, [], if leads { 1.0 } else { 0.0 });
    snapshot.set(&LOST, [], own.lost.load(Ordering::Relaxed) as f64);
    if leads && let Err(error) = fleet(&mut snapshot, &store, &own.seen).await {
        tracing::warn!(%error, "the metrics of the fleet are left out");
    }
    snapshot
}

async fn fleet(snapshot: &mut Snapshot, store: &Store, seen: &Seen) -> Result<(), StoreError> {
    let mut has = BTreeSet::new();
    for state in store.board_states().await? {
        snapshot.set(&BOARD_STATE, [&state.board, &state.job, &state.state], 1.0);
        has.insert((state.job, state.board));
    }
    for job in store.jobs_to_tend().await? {
        snapshot.set(&JOB_STATE, [&job.name, job.state.as_str()], 1.0);
    }
    let site = store.setting(SITE_POWER).await?.and_then(|watts| watts.as_f64());
    snapshot.set_known(&SITE, [], site);
    seen.tell(snapshot, &has);
    Ok(())
}

/// Boards as Prometheus discovers them over HTTP.
///
/// Source of the form: <https://prometheus.io/docs/prometheus/latest/http_sd/>.
#[derive(Debug, Serialize)]
struct Target {
    targets: [String; 1],
    labels: BTreeMap<String, String>,
}

async fn targets(store: Store) -> axum::response::Response {
    match store.boards().await {
        Ok(boards) => {
            let with_metrics = boards.into_iter().filter(|board| !board.metrics.is_empty());
            let target = |board: fulcrum_store::StoredBoard| {
                let mut labels: BTreeMap<String, String> = board
                    .labels
                    .iter()
                    .map(|(name, value)| (label_name(name), value.clone()))
                    .collect();
                labels.insert("board".into(), board.name);
                Target { targets: [board.metrics], labels }
            };
            Json(with_metrics.map(target).collect::<Vec<_>>()).into_response()
        }
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

/// A board's label as Prometheus allows it: `label_` and letters, digits, underscores.
fn label_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("label_{}", name.chars().map(plain).collect::<String>())
}
