//! What all drivers of boards share while this replica leads.

use std::sync::Arc;

use fulcrum_api::v1;
use fulcrum_service::now_ms;
use fulcrum_store::{Store, StoredWindow};
use tokio::sync::{Notify, Semaphore, mpsc};

use crate::planner::Planner;

/// A leader's term.
pub(crate) struct Term {
    /// Above those of all earlier leaders.
    pub(crate) number: u64,
    pub(crate) store: Store,
    pub(crate) planner: Arc<Planner>,
    /// Where windows go to be kept; those that find no room are lost.
    pub(crate) windows: mpsc::Sender<StoredWindow>,
    /// Told when a board comes to stand otherwise.
    pub(crate) stands: Arc<Notify>,
    /// So many boards are called at a time.
    pub(crate) calls: Semaphore,
}

impl Term {
    /// Keeps what happened to a job. A store that does not answer costs the note, not the job.
    pub(crate) async fn note(&self, job: &str, board: &str, what: &str) {
        tracing::info!(job, board, "{what}");
        if let Err(error) = self.store.add_event(job, board, what, now_ms()).await {
            tracing::warn!(job, board, %error, "what happened could not be kept");
        }
    }
}

/// What a board is to do.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Wanted {
    /// Nothing: it is given back.
    #[default]
    Nothing,
    /// What it does, for now.
    Hold,
    /// A job.
    Run(Arc<Order>),
    /// It is no board of the fleet any more: it is given back and let go.
    LetGo,
}

/// A job for one board.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    pub(crate) job: String,
    pub(crate) generation: i64,
    pub(crate) spec: v1::JobSpec,
    /// The job's power budget, or the board's share of the site's.
    pub(crate) budget_watts: f64,
}

impl Order {
    /// Whether both are for the same change of the same job.
    pub(crate) fn is_same_change(&self, other: &Self) -> bool {
        self.job == other.job && self.generation == other.generation
    }
}
