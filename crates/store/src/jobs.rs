//! Jobs: what is to run.

use serde_json::Value;
use sqlx::types::Json;

use crate::database::{Store, with_database};
use crate::error::StoreError;
use crate::requests::{Asked, is_new};
use crate::revisions::next_revision;

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Nothing was done for it yet, or something is being done.
    Pending,
    /// A plan is being searched for.
    Searching,
    /// A plan is in force on every board that it chose.
    Running,
    /// No plan meets its budgets.
    Infeasible,
    /// Something has to be done about it; the message says what.
    Blocked,
    /// It was cancelled.
    Cancelled,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Searching,
        Self::Running,
        Self::Infeasible,
        Self::Blocked,
        Self::Cancelled,
    ];

    /// As it is kept.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Searching => "searching",
            Self::Running => "running",
            Self::Infeasible => "infeasible",
            Self::Blocked => "blocked",
            Self::Cancelled => "cancelled",
        }
    }

    fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.as_str() == text).unwrap_or(Self::Pending)
    }
}

/// A job as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredJob {
    /// Its name.
    pub name: String,
    /// What was asked for.
    pub spec: Value,
    /// Counts the changes of the spec.
    pub generation: i64,
    /// Whether it is to end.
    pub cancelled: bool,
    /// How it stands.
    pub state: JobState,
    /// The same in words.
    pub message: String,
    /// When it was submitted, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it last changed.
    pub updated_at_ms: i64,
    /// The trace that its last change is part of; empty for none.
    pub trace: String,
    /// The revision of the fleet that its last change made.
    pub revision: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    spec: Json<Value>,
    generation: i64,
    cancelled: bool,
    state: String,
    message: String,
    created_at_ms: i64,
    updated_at_ms: i64,
    trace: String,
    revision: i64,
}

impl From<Row> for StoredJob {
    fn from(row: Row) -> Self {
        Self {
            name: row.name,
            spec: row.spec.0,
            generation: row.generation,
            cancelled: row.cancelled,
            state: JobState::parse(&row.state),
            message: row.message,
            created_at_ms: row.created_at_ms,
            updated_at_ms: row.updated_at_ms,
            trace: row.trace,
            revision: row.revision,
        }
    }
}

macro_rules! columns {
    () => {
        "name, spec, generation, cancelled, state, message, created_at_ms, updated_at_ms, trace, \
         revision"
    };
}

const SELECT: &str = concat!("SELECT ", columns!(), " FROM jobs");
pub(crate) const PUT: &str = concat!(
    "INSERT INTO jobs (name, spec, generation, cancelled, state, message, created_at_ms, \
     updated_at_ms, trace, revision) VALUES ($1, $2, 1, $3, 'pending', '', $4, $4, $5, $6) \
     ON CONFLICT (name) DO UPDATE SET spec = excluded.spec, \
     generation = jobs.generation + 1, cancelled = excluded.cancelled, \
     state = 'pending', message = '', updated_at_ms = excluded.updated_at_ms, \
     trace = excluded.trace, revision = excluded.revision \
     WHERE jobs.spec <> excluded.spec OR jobs.cancelled RETURNING ",
    columns!()
);
pub(crate) const SINCE: &str =
    concat!("SELECT ", columns!(), " FROM jobs WHERE revision > $1 ORDER BY created_at_ms, name");

impl Store {
    /// Keeps a job, or another spec of one, whose generation then grows; a spec that is the same
    /// changes nothing. A request that was taken before changes nothing either, whatever it says.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn put_job(
        &self,
        name: &str,
        spec: &Value,
        asked: Asked<'_>,
    ) -> Result<StoredJob, StoreError> {
        let changed: Option<Row> = with_database!(self, pool => {
            let mut transaction = pool.begin().await?;
            let changed = if is_new!(transaction, asked, name) {
                let revision = next_revision!(transaction);
                let query = sqlx::query_as(PUT).bind(name).bind(Json(spec)).bind(false);
                let query = query.bind(asked.at_ms).bind(asked.trace).bind(revision);
                query.fetch_optional(&mut *transaction).await?
            } else {
                None
            };
            transaction.commit().await?;
            changed
        });
        match changed {
            Some(row) => Ok(row.into()),
            None => self.job(name).await,
        }
    }

    /// A job.
    ///
    /// # Errors
    /// When there is none of that name, or the database does not answer or refuses.
    pub async fn job(&self, name: &str) -> Result<StoredJob, StoreError> {
        let text = format!("{SELECT}{}", " WHERE name = $1");
        let row: Option<Row> = with_database!(self, pool => {
            sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(name).fetch_optional(pool).await?
        });
        row.map(StoredJob::from).ok_or_else(|| StoreError::not_found("job", name))
    }

    /// Jobs by name, after this one.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn jobs(&self, after: &str, most: i64) -> Result<Vec<StoredJob>, StoreError> {
        let text = format!("{SELECT}{}", " WHERE name > $1 ORDER BY name LIMIT $2");
        let rows: Vec<Row> = with_database!(self, pool => {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(after).bind(most);
            query.fetch_all(pool).await?
        });
        Ok(rows.into_iter().map(StoredJob::from).collect())
    }

    /// The jobs that are to run or have not ended yet, in the order in which they were submitted.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn jobs_to_tend(&self) -> Result<Vec<StoredJob>, StoreError> {
        let text = format!(
            "{SELECT}{}",
            " WHERE NOT (cancelled AND state = 'cancelled') ORDER BY created_at_ms, name"
        );
        let rows: Vec<Row> = with_database!(self, pool => {
            sqlx::query_as(sqlx::AssertSqlSafe(text)).fetch_all(pool).await?
        });
        Ok(rows.into_iter().map(StoredJob::from).collect())
    }

    /// The jobs whose spec has changed since a revision of the fleet, or that were told to end since.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn jobs_since(&self, revision: i64) -> Result<Vec<StoredJob>, StoreError> {
        let rows: Vec<Row> = with_database!(self, pool => {
            sqlx::query_as(SINCE).bind(revision).fetch_all(pool).await?
        });
        Ok(rows.into_iter().map(StoredJob::from).collect())
    }

    /// Has a job end; whether there is one that had not been told to before.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn cancel_job(&self, name: &str, asked: Asked<'_>) -> Result<bool, StoreError> {
        let text = "UPDATE jobs SET cancelled = $2, updated_at_ms = $3, revision = $4 \
                    WHERE name = $1 AND cancelled <> $2";
        Ok(with_database!(self, pool => {
            let mut transaction = pool.begin().await?;
            let is_told = is_new!(transaction, asked, name) && {
                let revision = next_revision!(transaction);
                let query = sqlx::query(text).bind(name).bind(true).bind(asked.at_ms);
                query.bind(revision).execute(&mut *transaction).await?.rows_affected() > 0
            };
            transaction.commit().await?;
            is_told
        }))
    }
}
