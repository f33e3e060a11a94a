//! The optimizer's rpcs: each checks its request, asks the rooms behind, and answers.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use fulcrum_api::v1::optimizer_service_server::OptimizerService;
use fulcrum_api::{
    Malformed, alternate_named, invalid, outcome_to_wire, problem_from_wire, time_to_wire, v1,
};
use fulcrum_domain::{Alternate, Problem, Workload};
use fulcrum_service::{now_ms, of_store, page_size, request_id, resource_name, time_of_ms};
use fulcrum_store::{Asked, ProfileFilter, SearchState, StoredSearch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use crate::known::Pair;
use crate::known_board::KnownBoard;
use crate::profiles::{from_wire, to_wire};
use crate::searches::Searches;
use crate::searching::Order;
use crate::solving::{Origin, Stored};

/// No more problems are solved at a time.
const MOST_PROBLEMS: usize = 1000;
/// No more profiles come in one message.
const MOST_PROFILES: usize = 10_000;
/// How often a search that goes on elsewhere is looked at.
const LOOK: Duration = Duration::from_millis(500);

type Answer<T> = Result<Response<T>, Status>;

/// Answers for the optimizer. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Optimizer {
    pub(crate) searches: Searches,
}

#[tonic::async_trait]
impl OptimizerService for Optimizer {
    async fn create_search(
        &self,
        request: Request<v1::CreateSearchRequest>,
    ) -> Answer<v1::CreateSearchResponse> {
        let request = request.into_inner();
        let request_id = request_id(&request.request_id).map_err(|error| invalid(&error))?;
        let spec = request.spec.ok_or_else(|| invalid(&Malformed::missing("spec")))?;
        let board = self.searches.boards.find(&spec.board_address, &spec.stand_in).await?;
        let order = Order::new(spec, board).map_err(|error| invalid(&error.within("spec")))?;
        let search = self.searches.create(order, request_id).await.map_err(|e| of_store(&e))?;
        Ok(Response::new(v1::CreateSearchResponse { search: Some(search_to_wire(search)) }))
    }

    async fn get_search(
        &self,
        request: Request<v1::GetSearchRequest>,
    ) -> Answer<v1::GetSearchResponse> {
        let search = Some(self.search(&request.into_inner().name).await?);
        Ok(Response::new(v1::GetSearchResponse { search }))
    }

    async fn list_searches(
        &self,
        request: Request<v1::ListSearchesRequest>,
    ) -> Answer<v1::ListSearchesResponse> {
        let request = request.into_inner();
        let size = page_size(request.page_size, 100, 1000).map_err(|error| invalid(&error))?;
        let state = match request.state.as_str() {
            "" => None,
            name => Some(SearchState::ALL.into_iter().find(|s| s.as_str() == name).ok_or_else(
                || {
                    let known: Vec<&str> = SearchState::ALL.map(SearchState::as_str).to_vec();
                    invalid(&Malformed::new("state", format!("is none of {}", known.join(", "))))
                },
            )?),
        };
        let store = &self.searches.store;
        let found = store.searches(state, &request.page_token, size).await;
        let found = found.map_err(|error| of_store(&error))?;
        let full = i64::try_from(found.len()) == Ok(size);
        let next_page_token = found.last().filter(|_| full).map(|s| s.id.clone());
        Ok(Response::new(v1::ListSearchesResponse {
            searches: found.into_iter().map(search_to_wire).collect(),
            next_page_token: next_page_token.unwrap_or_default(),
        }))
    }

    type WatchSearchStream =
        Pin<Box<dyn Stream<Item = Result<v1::WatchSearchResponse, Status>> + Send>>;

    async fn watch_search(
        &self,
        request: Request<v1::WatchSearchRequest>,
    ) -> Answer<Self::WatchSearchStream> {
        let name = request.into_inner().name;
        let id = search_id(&name)?.to_owned();
        let mut last = self.search(&name).await?;
        let (sender, receiver) = tokio::sync::mpsc::channel(4);
        let optimizer = self.clone();
        tokio::spawn(async move {
            let mut changed = optimizer.searches.watch(&id);
            loop {
                let ended = last.state != SearchState::Running.as_str();
                let told = v1::WatchSearchResponse { search: Some(last.clone()) };
                if sender.send(Ok(told)).await.is_err() || ended {
                    return;
                }
                while last.state == SearchState::Running.as_str() {
                    let told = match &mut changed {
                        Some(here) => here.changed().await.is_ok(),
                        None => false,
                    };
                    if !told {
                        changed = None;
                        tokio::time::sleep(LOOK).await;
                    }
                    match optimizer.search(&name).await {
                        Ok(now) if now == last => {}
                        Ok(now) => {
                            last = now;
                            break;
                        }
                        Err(status) => {
                            let _ = sender.send(Err(status)).await;
                            return;
                        }
                    }
                    if sender.is_closed() {
                        return;
                    }
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn cancel_search(
        &self,
        request: Request<v1::CancelSearchRequest>,
    ) -> Answer<v1::CancelSearchResponse> {
        let name = request.into_inner().name;
        let search = self.searches.cancel(search_id(&name)?).await.map_err(|e| of_store(&e))?;
        Ok(Response::new(v1::CancelSearchResponse { search: Some(search_to_wire(search)) }))
    }

    async fn solve_problems(
        &self,
        request: Request<v1::SolveProblemsRequest>,
    ) -> Answer<v1::SolveProblemsResponse> {
        let request = request.into_inner();
        if request.problems.len() > MOST_PROBLEMS {
            let what = format!("are {}; at most {MOST_PROBLEMS}", request.problems.len());
            return Err(invalid(&Malformed::new("problems", what)));
        }
        let alternate = alternate_named(&request.alternate).map_err(|error| invalid(&error))?;
        let board = self.searches.boards.find(&request.board_address, &request.stand_in).await?;
        let mut posed: Vec<(Problem, Arc<Stored>)> = Vec::with_capacity(request.problems.len());
        // Problems of the same workloads share what is stored.
        let mut loaded: Option<((String, String), Arc<Stored>)> = None;
        for (place, wire) in request.problems.iter().enumerate() {
            let within = |error: Malformed| invalid(&error.within(&format!("problems[{place}]")));
            let problem = problem_from_wire(wire).map_err(within)?;
            let pair = Pair::of(&board, &problem);
            let key = (pair.background, pair.urgent);
            let stored = match loaded.take().filter(|(of, _)| *of == key) {
                Some((_, stored)) => stored,
                None => self.load(&board, &problem).await?,
            };
            loaded = Some((key, stored.clone()));
            posed.push((problem, stored));
        }
        // Where no front answers, a strategy thinks about it: a second, if much is stored.
        let answers = tokio::task::spawn_blocking(move || {
            posed.iter().map(|(problem, stored)| answer(stored, problem, alternate)).collect()
        });
        let answers = answers.await.map_err(|error| Status::internal(error.to_string()))?;
        let (board_model, software) = (board.model.clone(), board.software.clone());
        Ok(Response::new(v1::SolveProblemsResponse { answers, board_model, software }))
    }

    async fn suspect_profiles(
        &self,
        request: Request<v1::SuspectProfilesRequest>,
    ) -> Answer<v1::SuspectProfilesResponse> {
        let request = request.into_inner();
        if !matches!(request.kind.as_str(), "train" | "infer") {
            return Err(invalid(&Malformed::new("kind", "is neither `train` nor `infer`")));
        }
        let board = self.searches.boards.find(&request.board_address, &request.stand_in).await?;
        let mode = if request.mode.is_empty() {
            String::new()
        } else {
            board.mode_text(&request.mode).map_err(|error| invalid(&error))?
        };
        let of = match request.kind.as_str() {
            "train" => Workload::train(request.workload.as_str()),
            _ => Workload::infer(request.workload.as_str()),
        };
        let workload = board.version(&of);
        let request_id = request_id(&request.request_id).map_err(|error| invalid(&error))?;
        let asked = Asked::new(request_id, now_ms());
        let store = &self.searches.store;
        let suspected = store.suspect_profiles(&board.model, workload, &mode, asked).await;
        let profiles = suspected.map_err(|error| of_store(&error))?;
        Ok(Response::new(v1::SuspectProfilesResponse { profiles }))
    }

    async fn list_profiles(
        &self,
        request: Request<v1::ListProfilesRequest>,
    ) -> Answer<v1::ListProfilesResponse> {
        let request = request.into_inner();
        let size = page_size(request.page_size, 1000, 10_000).map_err(|error| invalid(&error))?;
        let after: i64 = if request.page_token.is_empty() {
            0
        } else {
            request.page_token.parse().map_err(|_| {
                invalid(&Malformed::new("page_token", "is none that a page before ended with"))
            })?
        };
        let given = |text: String| Some(text).filter(|text| !text.is_empty());
        let filter = ProfileFilter {
            board_model: given(request.board_model),
            workload: given(request.workload),
            kind: given(request.kind),
            ..Default::default()
        };
        let found = self.searches.store.profiles(&filter, after, size).await;
        let (profiles, next) = found.map_err(|error| of_store(&error))?;
        Ok(Response::new(v1::ListProfilesResponse {
            profiles: profiles.into_iter().map(to_wire).collect(),
            next_page_token: next.map(|id| id.to_string()).unwrap_or_default(),
        }))
    }

    async fn import_profiles(
        &self,
        request: Request<Streaming<v1::ImportProfilesRequest>>,
    ) -> Answer<v1::ImportProfilesResponse> {
        let mut messages = request.into_inner();
        let mut profiles = Vec::new();
        while let Some(message) = messages.next().await {
            let message = message?;
            if message.profiles.len() > MOST_PROFILES {
                let what = format!("are {}; at most {MOST_PROFILES}", message.profiles.len());
                return Err(invalid(&Malformed::new("profiles", what)));
            }
            for profile in message.profiles {
                let place = profiles.len();
                let profile = from_wire(profile)
                    .map_err(|error| invalid(&error.within(&format!("profiles[{place}]"))))?;
                profiles.push(profile);
            }
        }
        self.searches.store.add_profiles(&profiles).await.map_err(|error| of_store(&error))?;
        Ok(Response::new(v1::ImportProfilesResponse { profiles: profiles.len() as u64 }))
    }

    async fn list_fronts(
        &self,
        _: Request<v1::ListFrontsRequest>,
    ) -> Answer<v1::ListFrontsResponse> {
        let fronts = self.searches.store.fronts().await.map_err(|error| of_store(&error))?;
        let front = |front: fulcrum_store::StoredFront| v1::StoredFront {
            board_model: front.board_model,
            software: front.software,
            background: front.background,
            urgent: front.urgent,
            strategy: front.strategy,
            measurements: u32::try_from(front.measurements).unwrap_or(u32::MAX),
            build_time: Some(time_to_wire(time_of_ms(front.built_at_ms))),
        };
        let fronts = fronts.into_iter().map(front).collect();
        Ok(Response::new(v1::ListFrontsResponse { fronts }))
    }
}

impl Optimizer {
    async fn search(&self, name: &str) -> Result<v1::Search, Status> {
        let found = self.searches.store.search(search_id(name)?).await;
        Ok(search_to_wire(found.map_err(|error| of_store(&error))?))
    }

    async fn load(&self, board: &KnownBoard, problem: &Problem) -> Result<Arc<Stored>, Status> {
        let setting = board.setting(problem).map_err(|error| invalid(&error))?;
        let Searches { store, known, .. } = &self.searches;
        known.of(store, board, &setting, problem).await.map_err(|error| of_store(&error))
    }
}

/// What is stored says of a problem.
fn answer(stored: &Stored, problem: &Problem, alternate: Alternate) -> v1::StoredAnswer {
    let (origin, outcome) = stored.solve(problem, alternate);
    let outcome = match origin {
        Origin::Nothing if stored.readings.is_empty() => Stored::nothing_known(problem, alternate),
        _ => outcome,
    };
    let (space, batch) = (&stored.setting.space, stored.setting.background_batch);
    v1::StoredAnswer {
        origin: origin.as_str().to_owned(),
        outcome: Some(outcome_to_wire(&outcome, problem, space, batch)),
    }
}

fn search_id(name: &str) -> Result<&str, Status> {
    resource_name("name", "searches", name).map_err(|error| invalid(&error))
}

fn search_to_wire(search: StoredSearch) -> v1::Search {
    v1::Search {
        name: format!("searches/{}", search.id),
        spec: serde_json::from_value(search.spec).ok(),
        state: search.state.as_str().to_owned(),
        outcome: search.outcome.and_then(|outcome| serde_json::from_value(outcome).ok()),
        message: search.message,
        measurements: u32::try_from(search.measurements).unwrap_or_default(),
        modes: u32::try_from(search.modes).unwrap_or_default(),
        relatives: serde_json::from_value(search.relatives).unwrap_or_default(),
        create_time: Some(time_to_wire(time_of_ms(search.created_at_ms))),
        update_time: Some(time_to_wire(time_of_ms(search.updated_at_ms))),
    }
}
