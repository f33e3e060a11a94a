//! Keeps what happens, much of it at a time: a fleet whose boards all do something at once would
//! otherwise take every connection to the store, and whoever leads could not say so any more.

use std::time::{Duration, Instant};

use fulcrum_service::now_ms;
use fulcrum_store::{Forgotten, NewEvent, Store, StoreError, StoredPlan, StoredWindow};
use tokio::sync::mpsc;

/// So much waits to be kept at most; what comes then is lost, and boards go on.
pub(crate) const WAITING: usize = 100_000;
/// Plans and events are kept together at this interval.
const TOGETHER: Duration = Duration::from_millis(50);
/// Windows at this one.
const WINDOWS: Duration = Duration::from_secs(1);
/// How often history is forgotten.
const FORGETS: Duration = Duration::from_mins(1);

/// For how long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeps {
    /// What boards did, second by second.
    pub windows: Duration,
    /// Events, requests, and plans that others have followed.
    pub history: Duration,
}

/// Something to keep.
#[derive(Debug)]
pub(crate) enum Record {
    /// What a job did on a board in a window of time.
    Window(StoredWindow),
    /// A plan that is put into force.
    Plan(StoredPlan),
    /// Something that happened to a job.
    Event(NewEvent),
}

/// What waits to be kept.
#[derive(Debug, Default)]
struct Waiting {
    windows: Vec<StoredWindow>,
    plans: Vec<StoredPlan>,
    events: Vec<NewEvent>,
}

impl Waiting {
    fn add(&mut self, record: Record) {
        match record {
            Record::Window(window) => self.windows.push(window),
            Record::Plan(plan) => self.plans.push(plan),
            Record::Event(event) => self.events.push(event),
        }
    }

    fn count(&self) -> usize {
        self.windows.len() + self.plans.len() + self.events.len()
    }

    /// Keeps plans, events and, where it is time, windows. What a store that is away does not take
    /// waits on.
    async fn keep(&mut self, store: &Store, with_windows: bool) {
        if !self.plans.is_empty() {
            let kept = store.add_plans(&self.plans).await;
            done(&mut self.plans, kept);
        }
        if !self.events.is_empty() {
            let kept = store.add_events(&self.events).await;
            done(&mut self.events, kept);
        }
        if with_windows && !self.windows.is_empty() {
            let kept = store.add_windows(&self.windows).await;
            done(&mut self.windows, kept);
        }
    }
}

fn done<T>(waiting: &mut Vec<T>, kept: Result<(), StoreError>) {
    match kept {
        Ok(()) => waiting.clear(),
        Err(error) if error.is_passing() => {
            tracing::warn!(%error, waiting = waiting.len(), "what happened waits for the store");
        }
        Err(error) => {
            tracing::error!(%error, lost = waiting.len(), "what happened cannot be kept");
            waiting.clear();
        }
    }
}

/// Keeps what comes in until nobody is left to send.
pub(crate) async fn keep_records(store: Store, mut records: mpsc::Receiver<Record>, keeps: Keeps) {
    let mut waiting = Waiting::default();
    let (mut kept_windows, mut forgot) = (Instant::now(), Instant::now());
    let mut is_open = true;
    while is_open {
        tokio::time::sleep(TOGETHER).await;
        while waiting.count() < WAITING {
            match records.try_recv() {
                Ok(record) => waiting.add(record),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    is_open = false;
                    break;
                }
            }
        }
        let with_windows = !is_open || kept_windows.elapsed() >= WINDOWS;
        waiting.keep(&store, with_windows).await;
        if with_windows {
            kept_windows = Instant::now();
        }
        if forgot.elapsed() > FORGETS {
            forgot = Instant::now();
            forget(&store, &keeps).await;
        }
    }
}

/// Forgets what is older than what is kept.
async fn forget(store: &Store, keeps: &Keeps) {
    let before = |age: Duration| now_ms() - i64::try_from(age.as_millis()).unwrap_or(i64::MAX / 2);
    for forgotten in [
        store.forget_windows(before(keeps.windows)).await,
        store.forget_history(before(keeps.history)).await,
    ] {
        match forgotten {
            Ok(forgotten) if forgotten == Forgotten::default() => {}
            Ok(forgotten) => tracing::debug!(?forgotten, "history is forgotten"),
            Err(error) => tracing::warn!(%error, "history cannot be forgotten"),
        }
    }
}
