//! Jobs, boards and windows as JSON, whose names are an interface, and as words.

use std::collections::BTreeMap;

use fulcrum_api::v1;
use serde::Serialize;

use super::short;

/// A job for programs.
#[derive(Debug, Serialize)]
pub(super) struct JobView {
    name: String,
    state: String,
    message: String,
    generation: i64,
    spec: Option<v1::JobSpec>,
}

impl From<&v1::Job> for JobView {
    fn from(job: &v1::Job) -> Self {
        Self {
            name: short(&job.name).to_owned(),
            state: job.state.clone(),
            message: job.message.clone(),
            generation: job.generation,
            spec: job.spec.clone(),
        }
    }
}

/// A plan on a board for programs.
#[derive(Debug, Serialize)]
pub(super) struct PlanView {
    board: String,
    generation: i64,
    problem: Option<v1::Problem>,
    plan: Option<v1::Plan>,
    rates_hz: Vec<f64>,
    origin: String,
    measurements: u32,
}

impl From<&v1::JobPlan> for PlanView {
    fn from(plan: &v1::JobPlan) -> Self {
        Self {
            board: short(&plan.board).to_owned(),
            generation: plan.generation,
            problem: plan.problem.clone(),
            plan: plan.plan.clone(),
            rates_hz: plan.rates_hertz.clone(),
            origin: plan.origin.clone(),
            measurements: plan.measurements,
        }
    }
}

/// A board for programs.
#[derive(Debug, Serialize)]
pub(crate) struct BoardView {
    name: String,
    address: String,
    labels: BTreeMap<String, String>,
    state: String,
    message: String,
    job: Option<String>,
    model: Option<String>,
    software: Option<String>,
    budget_w: Option<f64>,
    window: Option<WindowView>,
}

impl From<&v1::BoardStanding> for BoardView {
    fn from(standing: &v1::BoardStanding) -> Self {
        let board = standing.board.clone().unwrap_or_default();
        let named = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Self {
            name: short(&board.name).to_owned(),
            address: board.address,
            labels: board.labels,
            state: standing.state.clone(),
            message: standing.message.clone(),
            job: named(short(&standing.job)),
            model: named(&standing.model),
            software: named(&standing.software),
            budget_w: standing.budget_watts,
            window: standing.window.as_ref().map(WindowView::from),
        }
    }
}

/// A window of time for programs.
#[derive(Debug, Serialize)]
pub(crate) struct WindowView {
    board: String,
    seconds: f64,
    minibatches: u64,
    requests: u64,
    late_requests: u64,
    longest_latency_ms: Option<f64>,
    power_w: Option<f64>,
}

impl From<&v1::JobWindow> for WindowView {
    fn from(window: &v1::JobWindow) -> Self {
        Self {
            board: short(&window.board).to_owned(),
            seconds: window.seconds,
            minibatches: window.minibatches,
            requests: window.requests,
            late_requests: window.late_requests,
            longest_latency_ms: window.longest_latency_seconds.map(|seconds| 1e3 * seconds),
            power_w: window.power_watts,
        }
    }
}

/// What was done in a window, in words.
pub(crate) fn window_words(window: &v1::JobWindow) -> String {
    let rate = |count: u64| count as f64 / window.seconds.max(1e-9);
    let mut parts = vec![format!("{:.1} minibatches/s", rate(window.minibatches))];
    if window.requests > 0 {
        parts.push(format!("{:.1} requests/s", rate(window.requests)));
    }
    if let Some(seconds) = window.longest_latency_seconds {
        parts.push(format!("longest {:.0} ms", 1e3 * seconds));
    }
    if window.late_requests > 0 {
        parts.push(format!("{} late", window.late_requests));
    }
    match window.power_watts {
        Some(watts) => parts.push(format!("{watts:.1} W")),
        None => parts.push("power not known".into()),
    }
    parts.join(", ")
}
