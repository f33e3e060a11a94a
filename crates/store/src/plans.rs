//! The plans of jobs on boards, and what else happened to jobs.

use serde_json::Value;
use sqlx::types::Json;

use crate::database::{Store, with_database};
use crate::error::StoreError;

/// A plan that was made for a job on a board.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPlan {
    /// The job.
    pub job: String,
    /// The board.
    pub board: String,
    /// The generation of the job's spec that it is for.
    pub generation: i64,
    /// The plan.
    pub plan: Value,
    /// Where it came from: `front`, `profiles` or `search`.
    pub origin: String,
    /// How many measurements were made for it.
    pub measurements: i64,
    /// When, in milliseconds since 1970.
    pub made_at_ms: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    job: String,
    board: String,
    generation: i64,
    plan: Json<Value>,
    origin: String,
    measurements: i64,
    made_at_ms: i64,
}

impl From<Row> for StoredPlan {
    fn from(row: Row) -> Self {
        let Row { job, board, generation, plan: Json(plan), origin, measurements, made_at_ms } =
            row;
        Self { job, board, generation, plan, origin, measurements, made_at_ms }
    }
}

/// Something that happened to a job.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredEvent {
    /// Its number, which only grows.
    pub id: i64,
    /// The job.
    pub job: String,
    /// The board; empty where it is none of one board's.
    pub board: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// What happened.
    pub what: String,
}

impl Store {
    /// Keeps a plan.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn add_plan(&self, plan: &StoredPlan) -> Result<(), StoreError> {
        let text = "INSERT INTO plans (job, board, generation, plan, origin, measurements, \
                    made_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        with_database!(self, pool => {
            let query = sqlx::query(text).bind(&plan.job).bind(&plan.board).bind(plan.generation);
            let query = query.bind(Json(&plan.plan)).bind(&plan.origin).bind(plan.measurements);
            query.bind(plan.made_at_ms).execute(pool).await?;
        });
        Ok(())
    }

    /// The latest plan of a job on each of its boards, by board.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn latest_plans(&self, job: &str) -> Result<Vec<StoredPlan>, StoreError> {
        let text = "SELECT job, board, generation, plan, origin, measurements, made_at_ms \
                    FROM plans WHERE id IN \
                    (SELECT max(id) FROM plans WHERE job = $1 GROUP BY board) ORDER BY board";
        let rows: Vec<Row> = with_database!(self, pool => {
            sqlx::query_as(text).bind(job).fetch_all(pool).await?
        });
        Ok(rows.into_iter().map(StoredPlan::from).collect())
    }

    /// Keeps what happened to a job.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn add_event(
        &self,
        job: &str,
        board: &str,
        what: &str,
        at_ms: i64,
    ) -> Result<(), StoreError> {
        let text = "INSERT INTO events (job, board, at_ms, what) VALUES ($1, $2, $3, $4)";
        with_database!(self, pool => {
            let query = sqlx::query(text).bind(job).bind(board).bind(at_ms).bind(what);
            query.execute(pool).await?;
        });
        Ok(())
    }

    /// What happened to a job after the event with this number, the oldest first.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn events(
        &self,
        job: &str,
        after: i64,
        most: i64,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let text = "SELECT id, job, board, at_ms, what FROM events WHERE job = $1 AND id > $2 \
                    ORDER BY id LIMIT $3";
        Ok(with_database!(self, pool => {
            sqlx::query_as(text).bind(job).bind(after).bind(most).fetch_all(pool).await?
        }))
    }
}
