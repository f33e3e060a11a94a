//! The plans of jobs on boards, and what else happened to jobs.

use serde_json::Value;
use sqlx::QueryBuilder;
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

/// Something that happened to a job, before it has a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The job.
    pub job: String,
    /// The board; empty where it is none of one board's.
    pub board: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// What happened.
    pub what: String,
}

/// A plan has seven values; see the limit of profiles.
const ROWS_A_STATEMENT: usize = 3000;

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
    /// Keeps plans, all of them or none; the later in the order is the later plan.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn add_plans(&self, plans: &[StoredPlan]) -> Result<(), StoreError> {
        with_database!(self, pool => {
            let mut transaction = pool.begin().await?;
            for chunk in plans.chunks(ROWS_A_STATEMENT) {
                let mut query = QueryBuilder::new(
                    "INSERT INTO plans (job, board, generation, plan, origin, measurements, \
                     made_at_ms) ",
                );
                query.push_values(chunk, |mut row, plan| {
                    row.push_bind(&plan.job)
                        .push_bind(&plan.board)
                        .push_bind(plan.generation)
                        .push_bind(Json(&plan.plan))
                        .push_bind(&plan.origin)
                        .push_bind(plan.measurements)
                        .push_bind(plan.made_at_ms);
                });
                query.build().execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
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

    /// Keeps what happened to jobs, all of it or nothing, in this order.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn add_events(&self, events: &[NewEvent]) -> Result<(), StoreError> {
        with_database!(self, pool => {
            let mut transaction = pool.begin().await?;
            for chunk in events.chunks(ROWS_A_STATEMENT) {
                let mut query =
                    QueryBuilder::new("INSERT INTO events (job, board, at_ms, what) ");
                query.push_values(chunk, |mut row, event| {
                    row.push_bind(&event.job)
                        .push_bind(&event.board)
                        .push_bind(event.at_ms)
                        .push_bind(&event.what);
                });
                query.build().execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
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
