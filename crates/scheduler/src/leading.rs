//! One of several replicas leads; the others wait.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fulcrum_service::new_id;
use fulcrum_store::Store;
use tokio::sync::{Semaphore, mpsc};

use crate::bell::Bell;
use crate::fleet::Fleet;
use crate::http::Own;
use crate::keeper::Record;
use crate::planner::Planner;
use crate::term::Term;

/// The role that one of the replicas has.
pub(crate) const ROLE: &str = "scheduler";
/// A leader that could not say that it goes on for this share of its time stops, before another can
/// begin.
const GIVES_UP: f64 = 0.8;
/// How often it says so, as a share of its time.
const RENEWS: f64 = 0.3;
/// How often the others ask, as a share of it, and at least.
const ASKS: f64 = 0.1;
const ASKS_AT_LEAST: Duration = Duration::from_secs(1);
/// So many boards are called at a time.
const CALLS: usize = 64;

/// A replica, which leads now and then.
pub(crate) struct Replica {
    pub(crate) store: Store,
    pub(crate) planner: Arc<Planner>,
    /// What it knows of itself.
    pub(crate) own: Arc<Own>,
    records: mpsc::Sender<Record>,
    /// Rung when something else may be wanted.
    pub(crate) bell: Arc<Bell>,
    /// A leader leads for so long, unless it says that it goes on.
    leads: Duration,
    holder: String,
}

impl Replica {
    pub(crate) fn new(
        store: Store,
        planner: Planner,
        records: mpsc::Sender<Record>,
        bell: Arc<Bell>,
        leads: Duration,
    ) -> Self {
        let holder = format!("scheduler {}", new_id());
        let (planner, own) = (Arc::new(planner), Arc::default());
        Self { store, planner, own, records, bell, leads, holder }
    }

    /// Leads whenever nobody else does.
    pub(crate) async fn serve_and_lead(&self) {
        loop {
            let asked = Instant::now();
            match self.store.lead(ROLE, &self.holder, self.leads).await {
                Ok(Some(leadership)) => {
                    tracing::info!(term = leadership.term, "leading");
                    let term = Arc::new(Term {
                        number: u64::try_from(leadership.term).unwrap_or_default(),
                        store: self.store.clone(),
                        planner: self.planner.clone(),
                        own: self.own.clone(),
                        records: self.records.clone(),
                        stands: Arc::default(),
                        calls: Semaphore::new(CALLS),
                        spaces: Mutex::default(),
                    });
                    self.own.leads.store(true, Ordering::Relaxed);
                    let fleet = Fleet::new(term, self.bell.clone());
                    tokio::select! {
                        () = fleet.lead() => {}
                        () = self.keep_leading(asked) => {}
                    }
                    self.own.leads.store(false, Ordering::Relaxed);
                    tracing::warn!("not leading any more");
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "nobody can be asked who leads"),
            }
            tokio::time::sleep(self.asks()).await;
        }
    }

    fn asks(&self) -> Duration {
        self.leads.mul_f64(ASKS).min(ASKS_AT_LEAST)
    }

    /// Says that it goes on, until it does not lead any more or cannot know.
    async fn keep_leading(&self, asked: Instant) {
        let mut certain = asked;
        let left =
            |certain: Instant| self.leads.mul_f64(GIVES_UP).saturating_sub(certain.elapsed());
        loop {
            tokio::time::sleep(self.leads.mul_f64(RENEWS).min(left(certain))).await;
            let asking = Instant::now();
            let renewed = self.store.lead(ROLE, &self.holder, self.leads);
            match tokio::time::timeout(left(certain), renewed).await {
                Ok(Ok(Some(_))) => certain = asking,
                Ok(Ok(None)) | Err(_) => return,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "it cannot be said who leads");
                    if left(certain).is_zero() {
                        return;
                    }
                    tokio::time::sleep(self.asks().min(left(certain))).await;
                }
            }
        }
    }

    /// Lets another lead at once.
    pub(crate) async fn step_down(&self) {
        if let Err(error) = self.store.step_down(ROLE, &self.holder).await {
            tracing::warn!(%error, "the lead could not be given up");
        }
    }
}
