//! The fleet as the page shows it.

use std::collections::HashMap;

use fulcrum_service::now_ms;
use fulcrum_store::{Store, StoreError, StoredWindow};
use serde::Serialize;

use crate::fleet::SITE_POWER;

/// A window that ended longer ago is not what a board does now, in milliseconds.
const LATELY_MS: i64 = 5000;

/// All boards and jobs.
#[derive(Debug, Serialize)]
pub(super) struct FleetView {
    /// What all boards together may draw; absent for no limit.
    site_watts: Option<f64>,
    boards: Vec<BoardView>,
    jobs: Vec<JobLine>,
}

#[derive(Debug, Serialize)]
struct BoardView {
    name: String,
    labels: std::collections::BTreeMap<String, String>,
    state: String,
    message: String,
    job: String,
    budget_watts: Option<f64>,
    window: Option<WindowView>,
}

/// A job in a line.
#[derive(Debug, Serialize)]
pub(super) struct JobLine {
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) message: String,
    pub(super) cancelled: bool,
}

/// What a job did on a board in a window of time.
#[derive(Debug, Serialize)]
pub(super) struct WindowView {
    board: String,
    ended_at_ms: i64,
    seconds: f64,
    minibatches: i64,
    requests: i64,
    late_requests: i64,
    longest_latency_seconds: Option<f64>,
    power_watts: Option<f64>,
}

impl From<StoredWindow> for WindowView {
    fn from(window: StoredWindow) -> Self {
        Self {
            board: window.board,
            ended_at_ms: window.ended_at_ms,
            seconds: window.seconds,
            minibatches: window.minibatches,
            requests: window.requests,
            late_requests: window.late_requests,
            longest_latency_seconds: window.longest_latency_seconds,
            power_watts: window.power_watts,
        }
    }
}

/// The fleet now.
pub(super) async fn fleet(store: &Store) -> Result<FleetView, StoreError> {
    let states = store.board_states().await?;
    let mut states: HashMap<_, _> =
        states.into_iter().map(|state| (state.board.clone(), state)).collect();
    let windows = store.latest_windows(now_ms() - LATELY_MS).await?;
    let mut windows: HashMap<_, _> =
        windows.into_iter().map(|window| (window.board.clone(), window)).collect();
    let board = |board: fulcrum_store::StoredBoard| {
        let state = states.remove(&board.name);
        let window = windows.remove(&board.name).map(WindowView::from);
        let unknown = || ("unknown".to_owned(), "nobody has called it yet".to_owned());
        let (said, message) = state
            .as_ref()
            .map_or_else(unknown, |state| (state.state.clone(), state.message.clone()));
        BoardView {
            name: board.name,
            labels: board.labels,
            state: said,
            message,
            job: state.as_ref().map(|state| state.job.clone()).unwrap_or_default(),
            budget_watts: state.and_then(|state| state.budget_watts),
            window,
        }
    };
    let boards = store.boards().await?.into_iter().map(board).collect();
    let jobs = store.jobs_to_tend().await?.into_iter().map(JobLine::from).collect();
    let site_watts = store.setting(SITE_POWER).await?.and_then(|value| value.as_f64());
    Ok(FleetView { site_watts, boards, jobs })
}

impl From<fulcrum_store::StoredJob> for JobLine {
    fn from(job: fulcrum_store::StoredJob) -> Self {
        Self {
            name: job.name,
            state: job.state.as_str(),
            message: job.message,
            cancelled: job.cancelled,
        }
    }
}
