//! One job as the page shows it.

use fulcrum_api::v1;
use fulcrum_store::{Store, StoreError};
use serde::Serialize;
use serde_json::Value;

use super::views::{JobLine, WindowView};
use super::{Gone, LOOK, Source, Told};
use crate::job::problem;
use crate::made_plan::KeptPlan;
use crate::planner::Place;

/// So many windows are shown when the page opens.
const SHOWN: i64 = 300;
/// So many of the latest things that happened.
const EVENTS: usize = 50;
/// So many events are read at a time.
const READ: i64 = 10_000;
/// Power budgets for which the front is shown, as shares of the job's.
const BUDGETS: std::ops::RangeInclusive<u32> = 10..=30;

/// A job with its plans.
#[derive(Debug, Serialize)]
struct JobView {
    #[serde(flatten)]
    line: JobLine,
    spec: Value,
    plans: Vec<PlanView>,
    events: Vec<EventView>,
}

#[derive(Debug, Serialize)]
struct PlanView {
    board: String,
    origin: String,
    measurements: i64,
    made_at_ms: i64,
    problem: v1::Problem,
    plan: v1::Plan,
}

#[derive(Debug, Serialize)]
struct EventView {
    board: String,
    at_ms: i64,
    what: String,
}

/// Tells of a job until the browser has gone.
pub(super) async fn tell(store: &Store, name: &str, told: Told) -> Result<(), Gone> {
    let (mut last, mut shown_until) = (String::new(), i64::MIN);
    loop {
        match view(store, name).await {
            Ok(view) => told.say_if_changed("job", &view, &mut last).await?,
            Err(error) => told.say("trouble", &error.to_string()).await?,
        }
        if let Ok(mut windows) = store.windows(name, SHOWN).await {
            windows.retain(|window| window.ended_at_ms > shown_until);
            windows.sort_by_key(|window| window.ended_at_ms);
            if let Some(window) = windows.last() {
                shown_until = window.ended_at_ms;
                let windows: Vec<_> = windows.into_iter().map(WindowView::from).collect();
                told.say("windows", &windows).await?;
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn view(store: &Store, name: &str) -> Result<JobView, StoreError> {
    let job = store.job(name).await?;
    let states = store.board_states().await?;
    let has = |board: &str| states.iter().any(|state| state.board == board && state.job == name);
    let plans = store.latest_plans(name).await?.into_iter().filter(|plan| has(&plan.board));
    let plan = |plan: fulcrum_store::StoredPlan| {
        let kept: KeptPlan = serde_json::from_value(plan.plan).unwrap_or_default();
        PlanView {
            board: plan.board,
            origin: plan.origin,
            measurements: plan.measurements,
            made_at_ms: plan.made_at_ms,
            problem: kept.problem,
            plan: kept.plan,
        }
    };
    let plans = plans.map(plan).collect();
    let events = store.events(name, 0, READ).await?.into_iter().rev().take(EVENTS);
    let event = |event: fulcrum_store::StoredEvent| EventView {
        board: event.board,
        at_ms: event.at_ms,
        what: event.what,
    };
    let spec = job.spec.clone();
    Ok(JobView { line: job.into(), spec, plans, events: events.map(event).collect() })
}

/// A job's front: the best plan for each of several power budgets.
#[derive(Debug, Serialize)]
pub(super) struct FrontView {
    board: String,
    choices: Vec<Choice>,
}

#[derive(Debug, Serialize)]
struct Choice {
    budget_watts: f64,
    plan: v1::Plan,
}

/// What a job could do with less and with more power, on the first board that has it.
pub(super) async fn front(source: &Source, name: &str) -> Result<FrontView, StoreError> {
    let job = source.store.job(name).await?;
    let spec: v1::JobSpec = serde_json::from_value(job.spec).unwrap_or_default();
    let states = source.store.board_states().await?;
    let of_job = states.into_iter().find(|state| state.job == name && !state.model.is_empty());
    let boards = source.store.boards().await?;
    let found = of_job.and_then(|state| {
        let board = boards.into_iter().find(|board| board.name == state.board)?;
        Some((state, board))
    });
    let Some((state, board)) = found else {
        return Ok(FrontView { board: String::new(), choices: Vec::new() });
    };
    let place = Place {
        address: board.address,
        stand_in: board.stand_in,
        model: state.model,
        software: state.software,
        name: board.name.clone(),
    };
    let most = spec.problem.as_ref().map_or(0.0, |problem| problem.power_watts);
    let budgets: Vec<f64> = BUDGETS.map(|share| most * f64::from(share) / 20.0).collect();
    let problems = budgets.iter().map(|&watts| problem(&spec, watts, None)).collect();
    let answers = source.planner.solve(&place, &spec.alternate, problems).await;
    let mut choices = Vec::new();
    if let Ok(answers) = answers {
        for (&budget_watts, answer) in budgets.iter().zip(answers.iter()) {
            let plan = answer.outcome.as_ref().and_then(|outcome| outcome.plan.clone());
            let is_known = !answer.origin.is_empty();
            choices.extend(plan.filter(|_| is_known).map(|plan| Choice { budget_watts, plan }));
        }
    }
    Ok(FrontView { board: board.name, choices })
}
