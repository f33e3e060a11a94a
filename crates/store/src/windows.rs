//! What jobs did on boards, in windows of time.

use sqlx::QueryBuilder;

use crate::database::{Store, with_database};
use crate::error::StoreError;

/// What a job did on a board in a window of time.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct StoredWindow {
    /// The job.
    pub job: String,
    /// The board.
    pub board: String,
    /// When it ended, in milliseconds since 1970.
    pub ended_at_ms: i64,
    /// How long it was.
    pub seconds: f64,
    /// Background minibatches.
    pub minibatches: i64,
    /// Requests that were answered.
    pub requests: i64,
    /// Those of them that took longer than they may.
    pub late_requests: i64,
    /// The longest that one took, where there was one.
    pub longest_latency_seconds: Option<f64>,
    /// Mean power, where it is known.
    pub power_watts: Option<f64>,
}

/// A window has nine values; see the limit of profiles.
const ROWS_A_STATEMENT: usize = 3000;

impl Store {
    /// Keeps windows, all of them or none.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn add_windows(&self, windows: &[StoredWindow]) -> Result<(), StoreError> {
        with_database!(self, pool => {
            let mut transaction = pool.begin().await?;
            for chunk in windows.chunks(ROWS_A_STATEMENT) {
                let mut query = QueryBuilder::new(
                    "INSERT INTO windows (job, board, ended_at_ms, seconds, minibatches, requests, \
                     late_requests, longest_latency_seconds, power_watts) ",
                );
                query.push_values(chunk, |mut row, window| {
                    row.push_bind(&window.job)
                        .push_bind(&window.board)
                        .push_bind(window.ended_at_ms)
                        .push_bind(window.seconds)
                        .push_bind(window.minibatches)
                        .push_bind(window.requests)
                        .push_bind(window.late_requests)
                        .push_bind(window.longest_latency_seconds)
                        .push_bind(window.power_watts);
                });
                query.build().execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
        });
        Ok(())
    }

    /// The latest windows of a job, the latest first.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn windows(&self, job: &str, most: i64) -> Result<Vec<StoredWindow>, StoreError> {
        let text = "SELECT job, board, ended_at_ms, seconds, minibatches, requests, late_requests, \
                    longest_latency_seconds, power_watts FROM windows WHERE job = $1 \
                    ORDER BY id DESC LIMIT $2";
        Ok(with_database!(self, pool => {
            sqlx::query_as(text).bind(job).bind(most).fetch_all(pool).await?
        }))
    }

    /// The latest window of each board among those that ended since a time, by board.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn latest_windows(&self, since_ms: i64) -> Result<Vec<StoredWindow>, StoreError> {
        let text = "SELECT job, board, ended_at_ms, seconds, minibatches, requests, late_requests, \
                    longest_latency_seconds, power_watts FROM windows WHERE id IN \
                    (SELECT max(id) FROM windows WHERE ended_at_ms >= $1 GROUP BY board) \
                    ORDER BY board";
        Ok(with_database!(self, pool => {
            sqlx::query_as(text).bind(since_ms).fetch_all(pool).await?
        }))
    }

    /// How many windows are kept.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn windows_kept(&self) -> Result<i64, StoreError> {
        let (count,): (i64,) = with_database!(self, pool => {
            sqlx::query_as("SELECT count(*) FROM windows").fetch_one(pool).await?
        });
        Ok(count)
    }
}
