//! Searches, and what came of them.

use serde_json::Value;
use sqlx::types::Json;

use crate::database::{Store, with_database};
use crate::error::StoreError;
use crate::requests::Asked;

/// How a search stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchState {
    /// It goes on, or waits to be taken up again.
    Running,
    /// It has ended with an outcome.
    Done,
    /// It ended without one.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl SearchState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// As it is kept.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.as_str() == text).unwrap_or(Self::Failed)
    }
}

/// A search as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSearch {
    /// Its name.
    pub id: String,
    /// What was asked for.
    pub spec: Value,
    /// How it stands.
    pub state: SearchState,
    /// What came of it.
    pub outcome: Option<Value>,
    /// What was known of other workloads and boards when it began, as whoever runs it writes it.
    pub relatives: Value,
    /// Why it failed.
    pub message: String,
    /// Measurements made for it.
    pub measurements: i64,
    /// Distinct power modes among them.
    pub modes: i64,
    /// When it was asked for, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it last changed.
    pub updated_at_ms: i64,
    /// The trace that it is part of; empty for none.
    pub trace: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    spec: Json<Value>,
    state: String,
    outcome: Option<Json<Value>>,
    relatives: Json<Value>,
    message: String,
    measurements: i64,
    modes: i64,
    created_at_ms: i64,
    updated_at_ms: i64,
    trace: String,
}

impl From<Row> for StoredSearch {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            spec: row.spec.0,
            state: SearchState::parse(&row.state),
            outcome: row.outcome.map(|Json(outcome)| outcome),
            relatives: row.relatives.0,
            message: row.message,
            measurements: row.measurements,
            modes: row.modes,
            created_at_ms: row.created_at_ms,
            updated_at_ms: row.updated_at_ms,
            trace: row.trace,
        }
    }
}

const SELECT: &str = "SELECT id, spec, state, outcome, relatives, message, measurements, modes, \
                      created_at_ms, updated_at_ms, trace FROM searches";

impl Store {
    /// Keeps a search that begins, unless its request was taken before; gives the one that there is.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn add_search(
        &self,
        id: &str,
        spec: &Value,
        asked: Asked<'_>,
    ) -> Result<StoredSearch, StoreError> {
        let request_id = Some(asked.request_id).filter(|id| !id.is_empty());
        let add = "INSERT INTO searches (id, request_id, spec, state, message, measurements, \
                   modes, created_at_ms, updated_at_ms, trace) \
                   VALUES ($1, $2, $3, 'running', '', 0, 0, $4, $4, $5) \
                   ON CONFLICT (request_id) DO NOTHING";
        let found = format!("{SELECT} WHERE id = $1 OR request_id = $2");
        let row: Row = with_database!(self, pool => {
            let query = sqlx::query(add).bind(id).bind(request_id).bind(Json(spec));
            query.bind(asked.at_ms).bind(asked.trace).execute(pool).await?;
            let query = sqlx::query_as(sqlx::AssertSqlSafe(found)).bind(id).bind(request_id);
            query.fetch_one(pool).await?
        });
        Ok(row.into())
    }

    /// Says how a search stands. One that has ended stays as it is; whether it was changed.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn set_search(&self, search: &StoredSearch) -> Result<bool, StoreError> {
        let text = "UPDATE searches SET state = $2, outcome = $3, message = $4, \
                    measurements = $5, modes = $6, updated_at_ms = $7, relatives = $8 \
                    WHERE id = $1 AND state = 'running'";
        Ok(with_database!(self, pool => {
            let query = sqlx::query(text).bind(&search.id).bind(search.state.as_str());
            let query = query.bind(search.outcome.as_ref().map(Json)).bind(&search.message);
            let query = query.bind(search.measurements).bind(search.modes);
            let query = query.bind(search.updated_at_ms).bind(Json(&search.relatives));
            query.execute(pool).await?.rows_affected() > 0
        }))
    }

    /// A search.
    ///
    /// # Errors
    /// When there is none of that name, or the database does not answer or refuses.
    pub async fn search(&self, id: &str) -> Result<StoredSearch, StoreError> {
        let text = format!("{SELECT} WHERE id = $1");
        let row: Option<Row> = with_database!(self, pool => {
            sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(id).fetch_optional(pool).await?
        });
        row.map(StoredSearch::from).ok_or_else(|| StoreError::not_found("search", id))
    }

    /// Searches by name, after this one; of one state, or of any.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn searches(
        &self,
        state: Option<SearchState>,
        after: &str,
        most: i64,
    ) -> Result<Vec<StoredSearch>, StoreError> {
        let text =
            format!("{SELECT} WHERE id > $1 AND ($2 = '' OR state = $2) ORDER BY id LIMIT $3");
        let state = state.map_or("", SearchState::as_str);
        let rows: Vec<Row> = with_database!(self, pool => {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(after).bind(state);
            query.bind(most).fetch_all(pool).await?
        });
        Ok(rows.into_iter().map(StoredSearch::from).collect())
    }
}
