//! Plans from the optimizer: what is stored answers for equal boards at once, and one search serves
//! them all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fulcrum_api::{OptimizerClient, v1};
use fulcrum_service::new_id;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::{OnceCell, watch};
use tokio::time::timeout;
use tonic::{Code, Status};

/// What was answered is believed for so long.
const BELIEVED: Duration = Duration::from_secs(1);
/// How long to wait for what is stored.
const ANSWERING: Duration = Duration::from_secs(10);
/// A search is not begun anew more often.
const MOST_ATTEMPTS: u32 = 32;

/// A board as the optimizer knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its agent.
    pub(crate) address: String,
    /// The table that stands in for it; empty for none.
    pub(crate) stand_in: String,
    /// What tells equal boards.
    pub(crate) model: String,
    /// The software that decides how it behaves.
    pub(crate) software: String,
    /// Its name, for people.
    pub(crate) name: String,
}

impl Place {
    /// What equal boards have in common.
    fn kind(&self) -> String {
        if self.stand_in.is_empty() {
            format!("{}\n{}", self.model, self.software)
        } else {
            self.stand_in.clone()
        }
    }
}

/// What a search gave.
#[derive(Debug, Clone)]
pub(crate) struct Searched {
    pub(crate) outcome: v1::Outcome,
    pub(crate) measurements: u32,
}

type Answers = Arc<Vec<v1::StoredAnswer>>;
type Flight = Arc<OnceCell<Answers>>;

/// Asks the optimizer.
#[derive(Debug)]
pub(crate) struct Planner {
    client: OptimizerClient,
    /// Lately asked, and being asked: equal boards want the same at the same time.
    asked: Mutex<HashMap<Vec<u8>, (Instant, Flight)>>,
}

impl Planner {
    pub(crate) fn new(client: OptimizerClient) -> Self {
        Self { client, asked: Mutex::default() }
    }

    /// What is stored says of problems on a board.
    pub(crate) async fn solve(
        &self,
        place: &Place,
        alternate: &str,
        problems: Vec<v1::Problem>,
    ) -> Result<Answers, Status> {
        let mut request = v1::SolveProblemsRequest {
            board_address: place.kind(),
            stand_in: place.stand_in.clone(),
            alternate: alternate.to_owned(),
            problems,
        };
        let key = request.encode_to_vec();
        request.board_address.clone_from(&place.address);
        let flight = self.flight(key);
        let asking = flight.get_or_try_init(async || {
            let mut client = self.client.clone();
            let answer = timeout(ANSWERING, client.solve_problems(request)).await;
            let answer = answer.map_err(|_| Status::deadline_exceeded("it takes too long"))??;
            Ok::<Answers, Status>(Arc::new(answer.into_inner().answers))
        });
        Ok(asking.await?.clone())
    }

    fn flight(&self, key: Vec<u8>) -> Flight {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|_, (at, _)| at.elapsed() < BELIEVED);
        asked.entry(key).or_insert_with(|| (Instant::now(), Flight::default())).1.clone()
    }

    /// What is stored has changed.
    fn forget(&self) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Searches for a plan, and for all plans of its workloads where the strategy builds a front.
    /// Equal boards that ask for the same share one search, whoever asks first; `again` tells how
    /// often its result was of no use before.
    pub(crate) async fn search(
        &self,
        place: &Place,
        mut spec: v1::SearchSpec,
        again: u32,
        progress: watch::Sender<u32>,
    ) -> Result<Searched, Status> {
        spec.board_address.clone_from(&place.address);
        spec.stand_in.clone_from(&place.stand_in);
        spec.measured_by.clone_from(&place.name);
        let (problem, alternate) =
            (spec.problem.clone().unwrap_or_default(), spec.alternate.clone());
        let builds_front = ["als", "optimum"].contains(&spec.strategy.as_str());
        for attempt in again..again + MOST_ATTEMPTS {
            let request = v1::CreateSearchRequest {
                request_id: search_id(place, &spec, builds_front, attempt),
                spec: Some(spec.clone()),
            };
            let answer = self.client.clone().create_search(request).await?.into_inner();
            let search = answer.search.unwrap_or_default();
            let was_running = search.state == "running";
            let end = if was_running { self.watch(search, &progress).await? } else { search };
            self.forget();
            match (end.state.as_str(), end.outcome) {
                // A front that was built before and is none any more: something contradicts it.
                ("done", Some(outcome)) if was_running || !builds_front => {
                    return Ok(Searched { outcome, measurements: end.measurements });
                }
                ("done", Some(outcome)) => {
                    let answers = self.solve(place, &alternate, vec![problem.clone()]).await?;
                    if answers.first().is_some_and(|answer| !answer.origin.is_empty()) {
                        return Ok(Searched { outcome, measurements: end.measurements });
                    }
                }
                ("failed", _) if was_running => return Err(Status::aborted(end.message)),
                _ => {}
            }
        }
        Err(Status::aborted("searches end without a plan again and again"))
    }

    async fn watch(
        &self,
        search: v1::Search,
        progress: &watch::Sender<u32>,
    ) -> Result<v1::Search, Status> {
        let mut last = search;
        loop {
            let request = v1::WatchSearchRequest { name: last.name.clone() };
            let watched = self.client.clone().watch_search(request).await;
            let ended = match watched {
                Ok(stream) => {
                    let mut stream = stream.into_inner();
                    loop {
                        match stream.message().await {
                            Ok(Some(told)) => {
                                last = told.search.unwrap_or_default();
                                progress.send_replace(last.measurements);
                            }
                            Ok(None) => break Ok(()),
                            Err(status) => break Err(status),
                        }
                    }
                }
                Err(status) => Err(status),
            };
            match ended {
                Ok(()) if last.state != "running" => return Ok(last),
                // A search outlives the optimizer: it goes on when one is there again.
                Ok(()) => {}
                Err(status) if is_passing(&status) => {}
                Err(status) => return Err(status),
            }
            tokio::time::sleep(BELIEVED).await;
        }
    }

    /// Has profiles of a workload not be believed any more: those at a plan's mode, or all.
    pub(crate) async fn suspect(
        &self,
        place: &Place,
        workload: (&str, &str),
        plan: Option<&v1::Plan>,
    ) -> Result<u64, Status> {
        let request = v1::SuspectProfilesRequest {
            board_address: place.address.clone(),
            stand_in: place.stand_in.clone(),
            workload: workload.0.to_owned(),
            kind: workload.1.to_owned(),
            mode: plan.map(|plan| plan.mode.clone()).unwrap_or_default(),
            request_id: new_id(),
        };
        let answer = self.client.clone().suspect_profiles(request).await?;
        self.forget();
        Ok(answer.into_inner().profiles)
    }
}

/// Whether the same may be answered in a while.
pub(crate) fn is_passing(status: &Status) -> bool {
    use Code::{Cancelled, DeadlineExceeded, Internal, Unavailable, Unknown};
    matches!(status.code(), Unavailable | DeadlineExceeded | Cancelled | Unknown | Internal)
}

/// Equal for searches that give the same.
fn search_id(place: &Place, spec: &v1::SearchSpec, builds_front: bool, attempt: u32) -> String {
    let mut problem = spec.problem.clone().unwrap_or_default();
    if builds_front {
        problem = v1::Problem {
            train: problem.train,
            background_infer: problem.background_infer,
            infer: problem.infer,
            ..Default::default()
        };
    }
    let mut hash = Sha256::new();
    for part in [&place.kind(), &spec.strategy, &spec.alternate] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(problem.encode_to_vec());
    hash.update(attempt.to_be_bytes());
    let digest = hash.finalize();
    digest.iter().take(16).fold("fleet-".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_boards_share_a_search_and_others_do_not() {
        let place = |name: &str, model: &str| Place {
            address: format!("unix:///{name}"),
            stand_in: String::new(),
            model: model.into(),
            software: "L4T 36".into(),
            name: name.into(),
        };
        let spec = |train: &str, power_watts| v1::SearchSpec {
            problem: Some(v1::Problem { train: train.into(), power_watts, ..Default::default() }),
            strategy: "als".into(),
            ..Default::default()
        };
        let id = search_id(&place("a", "orin"), &spec("resnet18", 30.0), true, 0);
        assert!(id.len() <= 64);
        assert_eq!(id, search_id(&place("b", "orin"), &spec("resnet18", 20.0), true, 0));
        for other in [
            search_id(&place("a", "nano"), &spec("resnet18", 30.0), true, 0),
            search_id(&place("a", "orin"), &spec("lstm", 30.0), true, 0),
            search_id(&place("a", "orin"), &spec("resnet18", 30.0), false, 0),
            search_id(&place("a", "orin"), &spec("resnet18", 30.0), true, 1),
        ] {
            assert_ne!(id, other);
        }
    }
}
