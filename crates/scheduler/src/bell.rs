//! Tells whoever leads that something else may be wanted.

use std::sync::{Mutex, PoisonError};

use fulcrum_store::StoredJob;
use tokio::sync::Notify;

/// Rung by who takes requests, and heard by who leads, in the same process. Other replicas look at
/// the store now and then.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Notify,
    /// What was last kept of a job.
    job: Mutex<Option<StoredJob>>,
}

impl Bell {
    /// Says that something has changed.
    pub(crate) fn ring(&self) {
        self.rung.notify_one();
    }

    /// Says that a job has, and how it was kept.
    pub(crate) fn ring_for(&self, job: StoredJob) {
        *self.job.lock().unwrap_or_else(PoisonError::into_inner) = Some(job);
        self.ring();
    }

    /// Waits until it is rung.
    pub(crate) async fn heard(&self) {
        self.rung.notified().await;
    }

    /// The job that changed last, the first time that somebody asks.
    pub(crate) fn job(&self) -> Option<StoredJob> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
