//! The optimizer's metrics: what searches cost, and what is known.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fulcrum_edge::EDGE;
use fulcrum_service::RPCS;
use fulcrum_store::{Store, StoreError};
use fulcrum_telemetry::{Metric, PROCESS, Process, Snapshot};

/// This process, as it is told.
pub(crate) const THIS: Process = Process { name: "optimizer", version: env!("CARGO_PKG_VERSION") };

const OF_MODEL: &[&str] = &["board_model"];
static MEASUREMENTS: Metric = Metric::counter(
    "fulcrum_optimizer_measurements",
    &["board_model", "result"],
    "Measurements that this process had made: ok or failed",
);
static MEASURING: Metric = Metric::counter(
    "fulcrum_optimizer_measuring_seconds",
    OF_MODEL,
    "Time for which boards were measured on for this process",
);
static ENDED: Metric = Metric::counter(
    "fulcrum_optimizer_ended_searches",
    &["result"],
    "Searches that ended in this process: solved, infeasible, unsolved, cancelled or failed",
);
static RUNNING: Metric =
    Metric::gauge("fulcrum_optimizer_running_searches", &[], "Searches that go on in this process");
static SEARCHES: Metric = Metric::gauge(
    "fulcrum_store_searches",
    &["state"],
    "Searches that are kept, by state: the same from every process on a store",
);
static PROFILES: Metric =
    Metric::gauge("fulcrum_store_profiles", OF_MODEL, "Profiles that are kept");
static SUSPECT: Metric = Metric::gauge(
    "fulcrum_store_suspect_profiles",
    OF_MODEL,
    "Those of them that were contradicted and not measured again yet",
);
static FRONTS: Metric = Metric::gauge("fulcrum_store_fronts", OF_MODEL, "Fronts that are kept");

/// All metrics of an optimizer, in the order of the document.
pub static METRICS: &[&[&Metric]] = &[
    &[&MEASUREMENTS, &MEASURING, &ENDED, &RUNNING],
    &[&SEARCHES, &PROFILES, &SUSPECT, &FRONTS],
    RPCS,
    EDGE,
    PROCESS,
];

#[derive(Debug, Default)]
struct OnModel {
    measured: u64,
    failed: u64,
    took: Duration,
}

#[derive(Debug, Default)]
struct Counted {
    models: BTreeMap<String, OnModel>,
    ended: BTreeMap<&'static str, u64>,
    running: u64,
}

/// What the searches of this process have cost. Cloning it is cheap and shares the counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cost(Arc<Mutex<Counted>>);

impl Cost {
    /// A measurement on a model of boards has ended.
    pub(crate) fn measured(&self, model: &str, is_ok: bool, took: Duration) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let on = counted.models.entry(model.to_owned()).or_default();
        *(if is_ok { &mut on.measured } else { &mut on.failed }) += 1;
        on.took += took;
    }

    /// A search goes on.
    pub(crate) fn begins(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).running += 1;
    }

    /// A search has ended, or goes on elsewhere: then it has no result.
    pub(crate) fn ends(&self, result: Option<&'static str>) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.running = counted.running.saturating_sub(1);
        if let Some(result) = result {
            *counted.ended.entry(result).or_default() += 1;
        }
    }

    fn tell(&self, snapshot: &mut Snapshot) {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (model, on) in &counted.models {
            snapshot.set(&MEASUREMENTS, [model, "ok"], on.measured as f64);
            snapshot.set(&MEASUREMENTS, [model, "failed"], on.failed as f64);
            snapshot.set(&MEASURING, [model], on.took.as_secs_f64());
        }
        for (result, count) in &counted.ended {
            snapshot.set(&ENDED, [result], *count as f64);
        }
        snapshot.set(&RUNNING, [], counted.running as f64);
    }
}

/// All metrics now.
pub(crate) async fn metrics(store: Store, cost: Cost) -> Snapshot {
    let mut snapshot = Snapshot::default();
    cost.tell(&mut snapshot);
    if let Err(error) = kept(&mut snapshot, &store).await {
        tracing::warn!(%error, "the metrics of the store are left out");
    }
    snapshot
}

async fn kept(snapshot: &mut Snapshot, store: &Store) -> Result<(), StoreError> {
    for (state, count) in store.count_searches().await? {
        snapshot.set(&SEARCHES, [&state], count as f64);
    }
    for count in store.count_profiles().await? {
        let model = [count.board_model.as_str()];
        snapshot.set(&PROFILES, model, count.profiles as f64);
        snapshot.set(&SUSPECT, model, count.suspect as f64);
        snapshot.set(&FRONTS, model, count.fronts as f64);
    }
    Ok(())
}
