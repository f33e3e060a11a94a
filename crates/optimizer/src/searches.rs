//! All searches: those that go on here, and those that nobody goes on with.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fulcrum_api::v1;
use fulcrum_service::{new_id, now_ms};
use fulcrum_store::{Asked, SearchState, Store, StoreError, StoredSearch};
use fulcrum_trace::{Kept, Span};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use crate::known::Known;
use crate::known_board::KnownBoards;
use crate::metrics::Cost;
use crate::searching::{Order, SearchError, Spent, search};

/// A search is somebody's for so long, unless it says that it goes on.
const OWNED: Duration = Duration::from_secs(10);
/// How often searches are looked for that nobody goes on with.
const LOOK: Duration = Duration::from_secs(2);
/// How long to wait before a store that does not answer is asked again.
const RETRY: Duration = Duration::from_millis(500);
/// For so long a process that ends waits for the measurements that are being made.
const LEAVING: Duration = Duration::from_secs(10);
/// How often it looks whether they are done.
const LEFT: Duration = Duration::from_millis(10);

/// The searches of one process.
#[derive(Clone)]
pub(crate) struct Searches {
    pub(crate) store: Store,
    pub(crate) boards: Arc<KnownBoards>,
    /// What was read of the store lately.
    pub(crate) known: Known,
    /// This process, by which its searches are told from those of others.
    holder: String,
    at_a_time: Arc<Semaphore>,
    here: Arc<Mutex<HashMap<String, Here>>>,
    pub(crate) cost: Cost,
}

/// A search that goes on in this process.
struct Here {
    stop: Stop,
    changed: watch::Sender<()>,
}

/// Why a search is to stop.
#[derive(Clone, Default)]
struct Stop {
    cancelled: Arc<AtomicBool>,
    /// Another process has taken it up, or may.
    lost: Arc<AtomicBool>,
}

impl Stop {
    fn is_asked(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || self.lost.load(Ordering::Relaxed)
    }
}

impl Searches {
    pub(crate) fn new(store: Store, at_a_time: usize) -> Self {
        Self {
            store,
            boards: Arc::default(),
            known: Known::default(),
            holder: format!("optimizer {}", new_id()),
            at_a_time: Arc::new(Semaphore::new(at_a_time.max(1))),
            here: Arc::default(),
            cost: Cost::default(),
        }
    }

    /// Starts a search that was checked, unless its request was taken before.
    pub(crate) async fn create(
        &self,
        order: Order,
        request_id: &str,
    ) -> Result<StoredSearch, StoreError> {
        let spec = serde_json::to_value(&order.spec).unwrap_or_default();
        let id = new_id();
        // Its own before anybody can see it.
        self.store.lead(&role(&id), &self.holder, OWNED).await?;
        let trace = Span::here().kept();
        let asked = Asked::new(request_id, now_ms()).traced(trace.as_str());
        let search = self.store.add_search(&id, &spec, asked).await?;
        if search.id == id {
            self.go_on(search.clone(), order);
        } else {
            self.store.end_role(&role(&id), &self.holder).await?;
        }
        Ok(search)
    }

    /// Tells when a search that goes on here changes; none for any other.
    pub(crate) fn watch(&self, id: &str) -> Option<watch::Receiver<()>> {
        let here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        here.get(id).map(|here| here.changed.subscribe())
    }

    /// Ends a search. Wherever it goes on, it ends after the measurement that is being made.
    pub(crate) async fn cancel(&self, id: &str) -> Result<StoredSearch, StoreError> {
        let mut search = self.store.search(id).await?;
        search.state = SearchState::Cancelled;
        search.message = "cancelled".into();
        search.updated_at_ms = now_ms();
        self.store.set_search(&search).await?;
        if let Some(here) = self.here.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            here.stop.cancelled.store(true, Ordering::Relaxed);
        }
        self.store.search(id).await
    }

    /// Leaves the searches that go on here to whoever takes them up, each after the measurement that
    /// is being made. Those are waited for, but not for ever.
    pub(crate) async fn leave(&self) {
        let began = Instant::now();
        loop {
            let are_left = {
                let here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
                here.values().for_each(|here| here.stop.lost.store(true, Ordering::Relaxed));
                here.is_empty()
            };
            if are_left || began.elapsed() > LEAVING {
                return;
            }
            tokio::time::sleep(LEFT).await;
        }
    }

    /// Takes up again and again what nobody goes on with: the searches of a process that died.
    pub(crate) async fn take_up(&self) {
        loop {
            match self.store.searches(Some(SearchState::Running), "", 1000).await {
                Ok(running) => {
                    for search in running {
                        self.take_up_one(search).await;
                    }
                }
                Err(error) => tracing::warn!(%error, "searches cannot be looked for"),
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn take_up_one(&self, search: StoredSearch) {
        if self.here.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&search.id) {
            return;
        }
        let role = role(&search.id);
        // Whoever has it goes on with it.
        if !matches!(self.store.lead(&role, &self.holder, OWNED).await, Ok(Some(_))) {
            return;
        }
        let spec: Result<v1::SearchSpec, _> = serde_json::from_value(search.spec.clone());
        let order = match spec {
            Ok(spec) => match self.boards.find(&spec.board_address, &spec.stand_in).await {
                Ok(board) => Order::new(spec, board).map_err(|error| error.to_string()),
                // The board may come back.
                Err(_) => return,
            },
            Err(error) => Err(error.to_string()),
        };
        match order {
            Ok(order) => {
                tracing::info!(search = search.id, "taking up a search");
                self.go_on(search, order);
            }
            Err(reason) => {
                let failed = StoredSearch {
                    state: SearchState::Failed,
                    message: reason,
                    updated_at_ms: now_ms(),
                    ..search
                };
                let _ = self.store.set_search(&failed).await;
            }
        }
    }

    fn go_on(&self, stored: StoredSearch, order: Order) {
        let (changed, _) = watch::channel(());
        let stop = Stop::default();
        let here = Here { stop: stop.clone(), changed: changed.clone() };
        self.here.lock().unwrap_or_else(PoisonError::into_inner).insert(stored.id.clone(), here);
        let searches = self.clone();
        tokio::spawn(async move {
            let id = stored.id.clone();
            let renewing = tokio::spawn(searches.clone().renew(role(&id), stop.lost.clone()));
            if let Ok(_permit) = searches.at_a_time.clone().acquire_owned().await {
                searches.cost.begins();
                let span = begun(&stored, &order);
                let running = searches.run(stored, order, stop, changed.clone());
                let result = span.within(running).await;
                span.says("fulcrum.result", result.unwrap_or("left to another process"));
                searches.cost.ends(result);
            }
            renewing.abort();
            if let Err(error) = searches.store.end_role(&role(&id), &searches.holder).await {
                tracing::warn!(%error, search = id, "it cannot be said that it goes on nowhere");
            }
            searches.here.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            changed.send_replace(());
        });
    }

    async fn renew(self, role: String, lost: Arc<AtomicBool>) {
        loop {
            match self.store.lead(&role, &self.holder, OWNED).await {
                Ok(Some(_)) => {}
                Ok(None) => lost.store(true, Ordering::Relaxed),
                Err(error) => tracing::warn!(%error, "a search cannot say that it goes on"),
            }
            tokio::time::sleep(OWNED / 3).await;
        }
    }

    async fn run(
        &self,
        stored: StoredSearch,
        order: Order,
        stop: Stop,
        changed: watch::Sender<()>,
    ) -> Option<&'static str> {
        let asked = stop.clone();
        let before = (stored.measurements, stored.modes);
        let (store, runtime, shown) = (self.store.clone(), Handle::current(), stored.clone());
        let (known, cost) = (self.known.clone(), self.cost.clone());
        let span = Span::here();
        let ended = tokio::task::spawn_blocking(move || {
            let _here = span.enter();
            let mut last = Spent::default();
            let outcome = search((&runtime, &store, &known, &cost), &order, |spent| {
                last = spent.clone();
                if spent.measurements > 0 {
                    let progress = with_spent(&shown, before, spent);
                    // One that was cancelled elsewhere is not running any more.
                    if !runtime.block_on(store.set_search(&progress))? {
                        return Ok(false);
                    }
                    changed.send_replace(());
                }
                Ok(!asked.is_asked())
            });
            (outcome, last)
        });
        let (outcome, spent) = match ended.await {
            Ok(ended) => ended,
            Err(panic) => (Err(SearchError::Board(panic.to_string())), Spent::default()),
        };
        if stop.lost.load(Ordering::Relaxed) {
            tracing::warn!(search = stored.id, "a search is left to another process");
            return None;
        }
        let mut end = with_spent(&stored, before, &spent);
        let result = match outcome {
            Ok(outcome) => {
                end.state = SearchState::Done;
                end.outcome = serde_json::to_value(&outcome).ok();
                result_of(&outcome)
            }
            Err(SearchError::Cancelled) => {
                end.state = SearchState::Cancelled;
                end.message = "cancelled".into();
                "cancelled"
            }
            // It goes on when the store is back.
            Err(SearchError::Store(error)) if error.is_passing() => {
                tracing::warn!(search = end.id, %error, "a search waits for the store");
                return None;
            }
            Err(error) => {
                end.state = SearchState::Failed;
                end.message = error.to_string();
                "failed"
            }
        };
        end.updated_at_ms = now_ms();
        // What came of it is not lost to a store that is away for a moment.
        while let Err(error) = self.store.set_search(&end).await {
            tracing::warn!(search = end.id, %error, "the end of a search cannot be kept yet");
            if !error.is_passing() {
                return None;
            }
            tokio::time::sleep(RETRY).await;
        }
        Some(result)
    }
}

/// The span of a search that begins, or goes on.
fn begun(stored: &StoredSearch, order: &Order) -> Span {
    let problem = &order.problem;
    let workloads = problem.roles().iter().filter_map(|role| problem.workload(*role));
    let workloads: Vec<String> = workloads.map(ToString::to_string).collect();
    Span::part_of(&Kept::new(&stored.trace), "search")
        .saying("fulcrum.search", stored.id.clone())
        .saying("fulcrum.strategy", order.recipe.name.clone())
        .saying("fulcrum.board_model", order.board.model.clone())
        .saying("fulcrum.workloads", workloads.join(", "))
}

fn role(id: &str) -> String {
    format!("search {id}")
}

fn result_of(outcome: &v1::Outcome) -> &'static str {
    match outcome.status.as_str() {
        "solved" => "solved",
        "infeasible" => "infeasible",
        _ => "unsolved",
    }
}

fn with_spent(search: &StoredSearch, before: (i64, i64), spent: &Spent) -> StoredSearch {
    let relatives = serde_json::to_value(&*spent.relatives).ok();
    StoredSearch {
        // One that was taken up again tells what it was told at first.
        relatives: relatives.filter(|_| before.0 == 0).unwrap_or_else(|| search.relatives.clone()),
        measurements: before.0 + i64::from(spent.measurements),
        modes: before.1 + i64::from(spent.modes()),
        updated_at_ms: now_ms(),
        ..search.clone()
    }
}
