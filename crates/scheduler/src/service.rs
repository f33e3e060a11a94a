//! The scheduler's rpcs. What is wanted is kept in the store and how everything stands is read from
//! it, so that every replica answers alike; whoever leads looks.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use fulcrum_api::v1::scheduler_service_server::SchedulerService;
use fulcrum_api::{Malformed, invalid, time_to_wire, v1};
use fulcrum_service::{now_ms, of_store, page_size, request_id, time_of_ms};
use fulcrum_store::{
    Asked, JobState, Store, StoreError, StoredBoard, StoredBoardState, StoredEvent, StoredJob,
    StoredPlan, StoredWindow,
};
use fulcrum_trace::Span;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::bell::Bell;
use crate::fleet::SITE_POWER;
use crate::job::BoardState;
use crate::made_plan::KeptPlan;
use crate::wanted_from_wire;

/// How often a job that is watched is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// A window that ended longer ago is not what a board does now.
const LATELY: Duration = Duration::from_secs(5);
/// So many events are told at a time.
const EVENTS: i64 = 1000;

type Answer<T> = Result<Response<T>, Status>;

/// Answers for the scheduler. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Scheduler {
    pub(crate) store: Store,
    /// Rung when something else is wanted.
    pub(crate) bell: Arc<Bell>,
}

#[tonic::async_trait]
impl SchedulerService for Scheduler {
    async fn register_board(
        &self,
        request: Request<v1::RegisterBoardRequest>,
    ) -> Answer<v1::RegisterBoardResponse> {
        let request = request.into_inner();
        let board = request.board.ok_or_else(|| invalid(&Malformed::missing("board")))?;
        let board =
            wanted_from_wire::board(board).map_err(|error| invalid(&error.within("board")))?;
        let asked = asked(&request.request_id)?;
        if !request.validate_only {
            self.store.put_board(&board, asked).await.map_err(|error| of_store(&error))?;
            self.bell.ring();
        }
        let board = Some(board_to_wire(&board));
        Ok(Response::new(v1::RegisterBoardResponse { board }))
    }

    async fn remove_board(
        &self,
        request: Request<v1::RemoveBoardRequest>,
    ) -> Answer<v1::RemoveBoardResponse> {
        let request = request.into_inner();
        let name = wanted_from_wire::name("name", "boards", &request.name);
        let name = name.map_err(|error| invalid(&error))?;
        let asked = asked(&request.request_id)?;
        self.store.remove_board(name, asked).await.map_err(|error| of_store(&error))?;
        self.bell.ring();
        Ok(Response::new(v1::RemoveBoardResponse {}))
    }

    async fn list_boards(
        &self,
        request: Request<v1::ListBoardsRequest>,
    ) -> Answer<v1::ListBoardsResponse> {
        let request = request.into_inner();
        let size = page_size(request.page_size, 100, 10_000).map_err(|error| invalid(&error))?;
        let all = self.standings().await.map_err(|error| of_store(&error))?;
        let after = request.page_token;
        let mut boards: Vec<v1::BoardStanding> = all
            .into_iter()
            .filter(|(name, _)| after.is_empty() || *name > after)
            .map(|(_, standing)| standing)
            .collect();
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let more = boards.len() > size;
        boards.truncate(size);
        let last = boards.last().and_then(|standing| standing.board.as_ref()).filter(|_| more);
        let next = last.and_then(|board| board.name.strip_prefix("boards/"));
        let next_page_token = next.unwrap_or_default().to_owned();
        Ok(Response::new(v1::ListBoardsResponse { boards, next_page_token }))
    }

    async fn submit_job(
        &self,
        request: Request<v1::SubmitJobRequest>,
    ) -> Answer<v1::SubmitJobResponse> {
        let request = request.into_inner();
        let malformed = |error: &Malformed| invalid(error);
        let name = wanted_from_wire::name("name", "jobs", &request.name);
        let name = name.map_err(|error| malformed(&error))?;
        let spec = request.spec.ok_or_else(|| malformed(&Malformed::missing("spec")))?;
        wanted_from_wire::job(&spec).map_err(|error| malformed(&error.within("spec")))?;
        let trace = Span::here().kept();
        let asked = asked(&request.request_id)?.traced(trace.as_str());
        let value = serde_json::to_value(&spec)
            .map_err(|error| Status::internal(format!("the job cannot be kept: {error}")))?;
        let job = if request.validate_only {
            StoredJob {
                name: name.to_owned(),
                spec: value,
                generation: 0,
                cancelled: false,
                state: JobState::Pending,
                message: "checked; nothing was changed".into(),
                created_at_ms: now_ms(),
                updated_at_ms: now_ms(),
                trace: String::new(),
                revision: 0,
            }
        } else {
            match self.store.put_job(name, &value, asked).await {
                Ok(job) => {
                    self.bell.ring_for(job.clone());
                    job
                }
                Err(error) => {
                    // It may be kept all the same.
                    self.bell.ring();
                    return Err(of_store(&error));
                }
            }
        };
        Ok(Response::new(v1::SubmitJobResponse { job: Some(job_to_wire(job)) }))
    }

    async fn get_job(&self, request: Request<v1::GetJobRequest>) -> Answer<v1::GetJobResponse> {
        let request = request.into_inner();
        let job = self.job(&request.name).await?;
        let all = self.standings().await.map_err(|error| of_store(&error))?;
        let plans = self.store.latest_plans(&job.name).await.map_err(|error| of_store(&error))?;
        let own = format!("jobs/{}", job.name);
        let boards: Vec<_> = all.into_values().filter(|standing| standing.job == own).collect();
        let has = |plan: &StoredPlan| {
            let name = format!("boards/{}", plan.board);
            boards.iter().any(|b| b.board.as_ref().is_some_and(|board| board.name == name))
        };
        // Plans of boards that have another job by now are history.
        let plans = plans.into_iter().filter(has).map(plan_to_wire).collect();
        Ok(Response::new(v1::GetJobResponse { job: Some(job_to_wire(job)), plans, boards }))
    }

    async fn list_jobs(
        &self,
        request: Request<v1::ListJobsRequest>,
    ) -> Answer<v1::ListJobsResponse> {
        let request = request.into_inner();
        let size = page_size(request.page_size, 100, 1000).map_err(|error| invalid(&error))?;
        let found = self.store.jobs(&request.page_token, size).await;
        let found = found.map_err(|error| of_store(&error))?;
        let full = i64::try_from(found.len()) == Ok(size);
        let next = found.last().filter(|_| full).map(|job| job.name.clone());
        Ok(Response::new(v1::ListJobsResponse {
            jobs: found.into_iter().map(job_to_wire).collect(),
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn cancel_job(
        &self,
        request: Request<v1::CancelJobRequest>,
    ) -> Answer<v1::CancelJobResponse> {
        let request = request.into_inner();
        let asked = asked(&request.request_id)?;
        let job = self.job(&request.name).await?;
        self.store.cancel_job(&job.name, asked).await.map_err(|error| of_store(&error))?;
        self.bell.ring();
        let job = self.job(&request.name).await?;
        Ok(Response::new(v1::CancelJobResponse { job: Some(job_to_wire(job)) }))
    }

    type WatchJobStream = Pin<Box<dyn Stream<Item = Result<v1::WatchJobResponse, Status>> + Send>>;

    async fn watch_job(
        &self,
        request: Request<v1::WatchJobRequest>,
    ) -> Answer<Self::WatchJobStream> {
        let request = request.into_inner();
        let job = self.job(&request.name).await?;
        let (sender, receiver) = mpsc::channel(4);
        let scheduler = self.clone();
        tokio::spawn(async move { scheduler.tell(job.name, request.after_event, sender).await });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn set_site_power(
        &self,
        request: Request<v1::SetSitePowerRequest>,
    ) -> Answer<v1::SetSitePowerResponse> {
        let request = request.into_inner();
        let watts = wanted_from_wire::site_watts(request.watts).map_err(|error| invalid(&error))?;
        let asked = asked(&request.request_id)?;
        let set = self.store.put_setting(SITE_POWER, &serde_json::json!(watts), asked).await;
        set.map_err(|error| of_store(&error))?;
        self.bell.ring();
        Ok(Response::new(v1::SetSitePowerResponse {}))
    }

    async fn get_site_power(
        &self,
        _: Request<v1::GetSitePowerRequest>,
    ) -> Answer<v1::GetSitePowerResponse> {
        let set = self.store.setting(SITE_POWER).await.map_err(|error| of_store(&error))?;
        let states = self.store.board_states().await.map_err(|error| of_store(&error))?;
        Ok(Response::new(v1::GetSitePowerResponse {
            watts: set.and_then(|value| value.as_f64()),
            in_force_watts: states.iter().filter_map(|state| state.budget_watts).sum(),
        }))
    }
}

/// Who asks for a change, now.
fn asked(id: &str) -> Result<Asked<'_>, Status> {
    Ok(Asked::new(request_id(id).map_err(|error| invalid(&error))?, now_ms()))
}

impl Scheduler {
    async fn job(&self, name: &str) -> Result<StoredJob, Status> {
        let name = wanted_from_wire::name("name", "jobs", name).map_err(|error| invalid(&error))?;
        self.store.job(name).await.map_err(|error| of_store(&error))
    }

    /// All boards with how they stand, by name.
    async fn standings(
        &self,
    ) -> Result<std::collections::BTreeMap<String, v1::BoardStanding>, StoreError> {
        let boards = self.store.boards().await?;
        let states = self.store.board_states().await?;
        let since = now_ms() - i64::try_from(LATELY.as_millis()).unwrap_or_default();
        let windows = self.store.latest_windows(since).await?;
        let mut states: HashMap<String, StoredBoardState> =
            states.into_iter().map(|state| (state.board.clone(), state)).collect();
        let mut windows: HashMap<String, StoredWindow> =
            windows.into_iter().map(|window| (window.board.clone(), window)).collect();
        Ok(boards
            .into_iter()
            .map(|board| {
                let (state, window) = (states.remove(&board.name), windows.remove(&board.name));
                (board.name.clone(), standing_to_wire(&board, state, window.as_ref()))
            })
            .collect())
    }

    async fn tell(
        self,
        name: String,
        mut after: i64,
        told: mpsc::Sender<Result<v1::WatchJobResponse, Status>>,
    ) {
        let mut last: Option<StoredJob> = None;
        let mut seen: HashMap<String, i64> = HashMap::new();
        loop {
            match self.news(&name, &mut after, &mut last, &mut seen).await {
                Ok(None) => {
                    if told.is_closed() {
                        return;
                    }
                }
                Ok(Some(news)) => {
                    if told.send(Ok(news)).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    let _ = told.send(Err(of_store(&error))).await;
                    return;
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What is new of a job since the last time.
    async fn news(
        &self,
        name: &str,
        after: &mut i64,
        last: &mut Option<StoredJob>,
        seen: &mut HashMap<String, i64>,
    ) -> Result<Option<v1::WatchJobResponse>, StoreError> {
        let job = self.store.job(name).await?;
        let events = self.store.events(name, *after, EVENTS).await?;
        let since = now_ms() - i64::try_from(LATELY.as_millis()).unwrap_or_default();
        let mut windows = self.store.latest_windows(since).await?;
        windows.retain(|window| {
            window.job == name && seen.get(&window.board) != Some(&window.ended_at_ms)
        });
        if last.as_ref() == Some(&job) && events.is_empty() && windows.is_empty() {
            return Ok(None);
        }
        *after = events.last().map_or(*after, |event| event.id);
        seen.extend(windows.iter().map(|window| (window.board.clone(), window.ended_at_ms)));
        *last = Some(job.clone());
        Ok(Some(v1::WatchJobResponse {
            job: Some(job_to_wire(job)),
            events: events.into_iter().map(event_to_wire).collect(),
            windows: windows.iter().map(window_to_wire).collect(),
        }))
    }
}

fn board_to_wire(board: &StoredBoard) -> v1::FleetBoard {
    v1::FleetBoard {
        name: format!("boards/{}", board.name),
        address: board.address.clone(),
        labels: board.labels.clone(),
        stand_in: board.stand_in.clone(),
        simulate: board.simulate,
        metrics: board.metrics.clone(),
    }
}

fn standing_to_wire(
    board: &StoredBoard,
    state: Option<StoredBoardState>,
    window: Option<&StoredWindow>,
) -> v1::BoardStanding {
    let wire = v1::BoardStanding {
        board: Some(board_to_wire(board)),
        window: window.map(window_to_wire),
        ..Default::default()
    };
    match state {
        None => v1::BoardStanding {
            state: BoardState::Unknown.as_str().to_owned(),
            message: "nobody has called it yet".into(),
            ..wire
        },
        Some(state) => v1::BoardStanding {
            state: state.state,
            message: state.message,
            job: if state.job.is_empty() { state.job } else { format!("jobs/{}", state.job) },
            model: state.model,
            software: state.software,
            budget_watts: state.budget_watts,
            update_time: Some(time_to_wire(time_of_ms(state.updated_at_ms))),
            ..wire
        },
    }
}

fn job_to_wire(job: StoredJob) -> v1::Job {
    v1::Job {
        name: format!("jobs/{}", job.name),
        spec: serde_json::from_value(job.spec).ok(),
        generation: job.generation,
        state: job.state.as_str().to_owned(),
        message: job.message,
        create_time: Some(time_to_wire(time_of_ms(job.created_at_ms))),
        update_time: Some(time_to_wire(time_of_ms(job.updated_at_ms))),
    }
}

fn plan_to_wire(plan: StoredPlan) -> v1::JobPlan {
    let kept: KeptPlan = serde_json::from_value(plan.plan).unwrap_or_default();
    v1::JobPlan {
        board: format!("boards/{}", plan.board),
        generation: plan.generation,
        problem: Some(kept.problem),
        plan: Some(kept.plan),
        rates_hertz: kept.rates,
        origin: plan.origin,
        measurements: u32::try_from(plan.measurements).unwrap_or_default(),
        make_time: Some(time_to_wire(time_of_ms(plan.made_at_ms))),
    }
}

fn event_to_wire(event: StoredEvent) -> v1::JobEvent {
    let board = event.board;
    v1::JobEvent {
        number: event.id,
        board: if board.is_empty() { board } else { format!("boards/{board}") },
        what: event.what,
        time: Some(time_to_wire(time_of_ms(event.at_ms))),
    }
}

fn window_to_wire(window: &StoredWindow) -> v1::JobWindow {
    let count = |count: i64| u64::try_from(count).unwrap_or_default();
    v1::JobWindow {
        board: format!("boards/{}", window.board),
        end_time: Some(time_to_wire(time_of_ms(window.ended_at_ms))),
        seconds: window.seconds,
        minibatches: count(window.minibatches),
        requests: count(window.requests),
        late_requests: count(window.late_requests),
        longest_latency_seconds: window.longest_latency_seconds,
        power_watts: window.power_watts,
    }
}
