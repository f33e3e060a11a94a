//! What is not kept for ever.

use crate::database::{Store, with_database};
use crate::error::StoreError;

/// How many of each were forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// Windows of time.
    pub windows: u64,
    /// Plans that others have followed.
    pub plans: u64,
    /// Events of jobs.
    pub events: u64,
    /// Requests, which could be repeated from now on.
    pub requests: u64,
    /// Roles that nobody has any more.
    pub roles: u64,
}

impl Store {
    /// Forgets the windows that ended before a time.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn forget_windows(&self, before_ms: i64) -> Result<Forgotten, StoreError> {
        let text = "DELETE FROM windows WHERE ended_at_ms < $1";
        let windows = with_database!(self, pool => {
            sqlx::query(text).bind(before_ms).execute(pool).await?.rows_affected()
        });
        Ok(Forgotten { windows, ..Default::default() })
    }

    /// Forgets the history of before a time: events, requests, and the plans that others have
    /// followed, and roles that nobody has taken or kept since. The latest plan of a job on a board
    /// stays.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn forget_history(&self, before_ms: i64) -> Result<Forgotten, StoreError> {
        let plans = "DELETE FROM plans WHERE made_at_ms < $1 AND EXISTS (SELECT 1 FROM plans later \
                     WHERE later.job = plans.job AND later.board = plans.board \
                     AND later.id > plans.id)";
        let events = "DELETE FROM events WHERE at_ms < $1";
        let requests = "DELETE FROM requests WHERE at_ms < $1";
        // Whoever takes such a role again begins with a term by the clock, above the one before.
        let roles = "DELETE FROM leaders WHERE taken_at_ms < $1 AND expires_at_ms < $1";
        Ok(with_database!(self, pool => {
            let mut forgotten = Forgotten::default();
            for (text, count) in [
                (plans, &mut forgotten.plans),
                (events, &mut forgotten.events),
                (requests, &mut forgotten.requests),
                (roles, &mut forgotten.roles),
            ] {
                *count = sqlx::query(text).bind(before_ms).execute(pool).await?.rows_affected();
            }
            forgotten
        }))
    }
}
