//! Boards that jobs may run on, and how they stand.

use std::collections::BTreeMap;

use sqlx::types::Json;

use crate::database::{Store, with_database};
use crate::error::StoreError;
use crate::requests::{Asked, is_new};
use crate::revisions::next_revision;

/// A board of the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBoard {
    /// Its name in the fleet.
    pub name: String,
    /// Its agent: `unix:///run/fulcrum/agent.sock`, `http://jetson-7:7600`.
    pub address: String,
    /// What jobs choose boards by: `site=lab`.
    pub labels: BTreeMap<String, String>,
    /// A table to measure on in place of the agent, for a simulated board; empty for none.
    pub stand_in: String,
    /// Whether the board runs the workers of its job by itself: a simulated one can.
    pub simulate: bool,
    /// Where its agent serves metrics, host:port; empty where it does not.
    pub metrics: String,
    /// By this its lease is known to whoever schedules. It stays when the board is changed.
    pub lease_id: String,
    /// When, in milliseconds since 1970.
    pub registered_at_ms: i64,
}

/// How a board stands.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct StoredBoardState {
    /// The board.
    pub board: String,
    /// The job that it has; empty for none.
    pub job: String,
    /// In a word.
    pub state: String,
    /// In words.
    pub message: String,
    /// What tells equal boards; empty while it is not known.
    pub model: String,
    /// The software that decides how it behaves.
    pub software: String,
    /// The power budget that the plan in force was made for, in watts.
    pub budget_watts: Option<f64>,
    /// When it came to stand so, in milliseconds since 1970.
    pub updated_at_ms: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    address: String,
    labels: Json<BTreeMap<String, String>>,
    stand_in: String,
    simulate: bool,
    metrics: String,
    lease_id: String,
    registered_at_ms: i64,
}

impl From<Row> for StoredBoard {
    fn from(row: Row) -> Self {
        let Row { name, address, labels: Json(labels), stand_in, .. } = row;
        let Row { simulate, metrics, lease_id, registered_at_ms, .. } = row;
        Self { name, address, labels, stand_in, simulate, metrics, lease_id, registered_at_ms }
    }
}

pub(crate) const SINCE: &str = "SELECT name, address, labels, stand_in, simulate, metrics, lease_id, \
     registered_at_ms FROM boards WHERE revision > $1 ORDER BY name";
pub(crate) const COUNT: &str = "SELECT count(*) FROM boards";

impl Store {
    /// Keeps a board; one of the same name is changed, but for its lease's id and since when it is
    /// there. A request that was taken before changes nothing.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn put_board(&self, board: &StoredBoard, asked: Asked<'_>) -> Result<(), StoreError> {
        let text = "INSERT INTO boards (name, address, labels, stand_in, simulate, metrics, \
                    lease_id, registered_at_ms, revision) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
                    ON CONFLICT (name) DO UPDATE SET address = excluded.address, \
                    labels = excluded.labels, stand_in = excluded.stand_in, \
                    simulate = excluded.simulate, metrics = excluded.metrics, \
                    revision = excluded.revision";
        with_database!(self, pool => {
            let mut transaction = pool.begin().await?;
            if is_new!(transaction, asked, &board.name) {
                let revision = next_revision!(transaction);
                let query = sqlx::query(text).bind(&board.name).bind(&board.address);
                let query = query.bind(Json(&board.labels)).bind(&board.stand_in);
                let query = query.bind(board.simulate).bind(&board.metrics).bind(&board.lease_id);
                let query = query.bind(board.registered_at_ms).bind(revision);
                query.execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
        });
        Ok(())
    }

    /// All boards, by name.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn boards(&self) -> Result<Vec<StoredBoard>, StoreError> {
        self.boards_since(-1).await
    }

    /// The boards that have changed since a revision of the fleet, by name.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn boards_since(&self, revision: i64) -> Result<Vec<StoredBoard>, StoreError> {
        let rows: Vec<Row> = with_database!(self, pool => {
            sqlx::query_as(SINCE).bind(revision).fetch_all(pool).await?
        });
        Ok(rows.into_iter().map(StoredBoard::from).collect())
    }

    /// How many boards there are.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn count_boards(&self) -> Result<i64, StoreError> {
        let (count,): (i64,) = with_database!(self, pool => {
            sqlx::query_as(COUNT).fetch_one(pool).await?
        });
        Ok(count)
    }

    /// Forgets a board; whether there was one. A request that was taken before changes nothing.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn remove_board(&self, name: &str, asked: Asked<'_>) -> Result<bool, StoreError> {
        let forget = "DELETE FROM board_states WHERE board = $1";
        let remove = "DELETE FROM boards WHERE name = $1";
        Ok(with_database!(self, pool => {
            let mut transaction = pool.begin().await?;
            let is_removed = is_new!(transaction, asked, name) && {
                next_revision!(transaction);
                sqlx::query(forget).bind(name).execute(&mut *transaction).await?;
                let removed = sqlx::query(remove).bind(name).execute(&mut *transaction).await?;
                removed.rows_affected() > 0
            };
            transaction.commit().await?;
            is_removed
        }))
    }

    /// How all boards stand of which that is known, by name.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn board_states(&self) -> Result<Vec<StoredBoardState>, StoreError> {
        let text = "SELECT board, job, state, message, model, software, budget_watts, \
                    updated_at_ms FROM board_states JOIN boards ON name = board ORDER BY board";
        Ok(with_database!(self, pool => sqlx::query_as(text).fetch_all(pool).await?))
    }
}
