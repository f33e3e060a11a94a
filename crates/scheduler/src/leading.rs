//! One of several replicas leads; the others wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fulcrum_service::new_id;
use fulcrum_store::{Store, StoredWindow};
use tokio::sync::{Notify, Semaphore, mpsc};

use crate::fleet::Fleet;
use crate::planner::Planner;
use crate::term::Term;

const ROLE: &str = "scheduler";
/// A leader leads for so long, unless it says that it goes on.
const LEADS: Duration = Duration::from_secs(10);
/// A leader that could not say so for this long stops, before another can begin.
const GIVES_UP: Duration = Duration::from_secs(8);
/// How often it says so.
const RENEWS: Duration = Duration::from_secs(3);
/// How often the others ask.
const ASKS: Duration = Duration::from_secs(1);
/// So many boards are called at a time.
const CALLS: usize = 64;

/// A replica, which leads now and then.
pub(crate) struct Replica {
    pub(crate) store: Store,
    pub(crate) planner: Arc<Planner>,
    pub(crate) windows: mpsc::Sender<StoredWindow>,
    /// Told when something else may be wanted.
    pub(crate) woken: Arc<Notify>,
    holder: String,
}

impl Replica {
    pub(crate) fn new(
        store: Store,
        planner: Planner,
        windows: mpsc::Sender<StoredWindow>,
        woken: Arc<Notify>,
    ) -> Self {
        let holder = format!("scheduler {}", new_id());
        Self { store, planner: Arc::new(planner), windows, woken, holder }
    }

    /// Leads whenever nobody else does.
    pub(crate) async fn serve_and_lead(&self) {
        loop {
            let asked = Instant::now();
            match self.store.lead(ROLE, &self.holder, LEADS).await {
                Ok(Some(leadership)) => {
                    tracing::info!(term = leadership.term, "leading");
                    let term = Arc::new(Term {
                        number: u64::try_from(leadership.term).unwrap_or_default(),
                        store: self.store.clone(),
                        planner: self.planner.clone(),
                        windows: self.windows.clone(),
                        stands: Arc::default(),
                        calls: Semaphore::new(CALLS),
                    });
                    let fleet = Fleet::new(term, self.woken.clone());
                    tokio::select! {
                        () = fleet.lead() => {}
                        () = self.keep_leading(asked) => tracing::warn!("not leading any more"),
                    }
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "nobody can be asked who leads"),
            }
            tokio::time::sleep(ASKS).await;
        }
    }

    /// Says that it goes on, until it does not lead any more or cannot know.
    async fn keep_leading(&self, asked: Instant) {
        let mut certain = asked;
        loop {
            tokio::time::sleep(RENEWS.min(GIVES_UP.saturating_sub(certain.elapsed()))).await;
            let asking = Instant::now();
            let left = GIVES_UP.saturating_sub(certain.elapsed());
            let renewed = self.store.lead(ROLE, &self.holder, LEADS);
            match tokio::time::timeout(left, renewed).await {
                Ok(Ok(Some(_))) => certain = asking,
                Ok(Ok(None)) | Err(_) => return,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "it cannot be said who leads");
                    if certain.elapsed() >= GIVES_UP {
                        return;
                    }
                    tokio::time::sleep(ASKS.min(GIVES_UP.saturating_sub(certain.elapsed()))).await;
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
