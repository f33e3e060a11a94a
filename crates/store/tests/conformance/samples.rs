//! Things to keep.

use std::collections::BTreeMap;
use std::time::Duration;

use fulcrum_store::{
    JobStanding, JobState, NewEvent, Store, StoredBoard, StoredBoardState, StoredProfile,
    WorkloadVersion,
};

pub(crate) fn profile(mode: i64, batch_size: i64) -> StoredProfile {
    StoredProfile {
        board_model: "p3701-0005".into(),
        software: "L4T 36.4.3".into(),
        workload: "resnet18".into(),
        kind: "train".into(),
        fingerprint: String::new(),
        mode: format!("cpu_cores=4 gpu_khz={mode}"),
        batch_size,
        minibatch_seconds: Some(0.05),
        power_watts: Some(31.25),
        relative_error: 0.01,
        failure: None,
        peak_temperature_celsius: Some(51.5),
        measured_by: "orin-7".into(),
        measured_at_ms: 1_764_000_000_000,
        suspect: false,
    }
}

pub(crate) const TRAIN: WorkloadVersion<'static> =
    WorkloadVersion { name: "resnet18", kind: "train", fingerprint: "" };

pub(crate) async fn open(address: &str) -> Store {
    Store::open(address).await.unwrap()
}

/// Says as the leader of the first term how boards and jobs stand.
pub(crate) async fn say(
    store: &Store,
    boards: &[StoredBoardState],
    jobs: &[(&str, i64, JobState)],
) {
    let term = store.lead("test", "a", Duration::from_mins(1)).await.unwrap().unwrap().term;
    let standing = |&(job, generation, state): &(&str, i64, JobState)| JobStanding {
        job: job.into(),
        generation,
        state,
        message: state.as_str().into(),
    };
    let jobs: Vec<_> = jobs.iter().map(standing).collect();
    assert!(store.set_standings(("test", term), boards, &jobs, 6).await.unwrap());
}

pub(crate) fn event(job: &str, what: &str) -> NewEvent {
    NewEvent { job: job.into(), board: "x".into(), at_ms: 5, what: what.into() }
}

pub(crate) fn board(name: &str) -> StoredBoard {
    StoredBoard {
        name: name.into(),
        address: format!("unix:///{name}"),
        labels: BTreeMap::new(),
        stand_in: String::new(),
        simulate: false,
        metrics: String::new(),
        lease_id: format!("lease of {name}"),
        registered_at_ms: 1,
    }
}

pub(crate) fn board_state(board: &str, budget_watts: Option<f64>) -> StoredBoardState {
    StoredBoardState {
        board: board.into(),
        job: "j".into(),
        state: "running".into(),
        message: "as planned".into(),
        model: "m".into(),
        software: "s".into(),
        budget_watts,
        updated_at_ms: 7,
    }
}
