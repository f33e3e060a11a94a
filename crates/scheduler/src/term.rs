//! What all drivers of boards share while this replica leads.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use fulcrum_api::v1;
use fulcrum_domain::ModeSpace;
use fulcrum_service::now_ms;
use fulcrum_store::{NewEvent, Store};
use fulcrum_trace::Kept;
use tokio::sync::{Notify, Semaphore, mpsc};

use crate::http::Own;
use crate::keeper::Record;
use crate::planner::Planner;

/// A leader's term.
pub(crate) struct Term {
    /// Above those of all earlier leaders.
    pub(crate) number: u64,
    pub(crate) store: Store,
    pub(crate) planner: Arc<Planner>,
    /// What this replica knows of itself.
    pub(crate) own: Arc<Own>,
    /// Where what happens goes to be kept.
    pub(crate) records: mpsc::Sender<Record>,
    /// Told when a board comes to stand otherwise.
    pub(crate) stands: Arc<Notify>,
    /// So many boards are called at a time.
    pub(crate) calls: Semaphore,
    /// The mode spaces of its boards, of which there are few.
    pub(crate) spaces: Mutex<Vec<Arc<ModeSpace>>>,
}

impl Term {
    /// The same space as other boards have, where it is: a thousand copies would fill the memory.
    pub(crate) fn shared(&self, space: Arc<ModeSpace>) -> Arc<ModeSpace> {
        let mut spaces = self.spaces.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = spaces.iter().find(|known| **known == space) {
            return known.clone();
        }
        spaces.push(space.clone());
        space
    }

    /// Keeps something; what finds no room is lost, and the boards go on.
    pub(crate) fn keep(&self, record: Record) {
        if self.records.try_send(record).is_err() {
            self.own.lost.fetch_add(1, Ordering::Relaxed);
            tracing::warn!("there is too much to keep; some of what happened is lost");
        }
    }

    /// Keeps what happened to a job.
    pub(crate) fn note(&self, job: &str, board: &str, what: &str) {
        tracing::info!(job, board, "{what}");
        self.keep(Record::Event(NewEvent {
            job: job.to_owned(),
            board: board.to_owned(),
            at_ms: now_ms(),
            what: what.to_owned(),
        }));
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
    pub(crate) spec: Arc<v1::JobSpec>,
    /// The job's power budget, or the board's share of the site's.
    pub(crate) budget_watts: f64,
    /// What its last change is part of.
    pub(crate) trace: Kept,
}

impl Order {
    /// Whether both are for the same change of the same job.
    pub(crate) fn is_same_change(&self, other: &Self) -> bool {
        self.job == other.job && self.generation == other.generation
    }
}
