//! Boards that jobs may run on.

use std::collections::BTreeMap;

use sqlx::types::Json;

use crate::database::{Store, with_database};
use crate::error::StoreError;

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
    /// When, in milliseconds since 1970.
    pub registered_at_ms: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    address: String,
    labels: Json<BTreeMap<String, String>>,
    stand_in: String,
    registered_at_ms: i64,
}

impl From<Row> for StoredBoard {
    fn from(row: Row) -> Self {
        let Row { name, address, labels: Json(labels), stand_in, registered_at_ms } = row;
        Self { name, address, labels, stand_in, registered_at_ms }
    }
}

impl Store {
    /// Keeps a board; one of the same name is changed.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn put_board(&self, board: &StoredBoard) -> Result<(), StoreError> {
        let text = "INSERT INTO boards (name, address, labels, stand_in, registered_at_ms) \
                    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO UPDATE SET \
                    address = excluded.address, labels = excluded.labels, \
                    stand_in = excluded.stand_in";
        with_database!(self, pool => {
            let query = sqlx::query(text).bind(&board.name).bind(&board.address);
            let query = query.bind(Json(&board.labels)).bind(&board.stand_in);
            query.bind(board.registered_at_ms).execute(pool).await?;
        });
        Ok(())
    }

    /// All boards, by name.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn boards(&self) -> Result<Vec<StoredBoard>, StoreError> {
        let text = "SELECT name, address, labels, stand_in, registered_at_ms FROM boards \
                    ORDER BY name";
        let rows: Vec<Row> = with_database!(self, pool => {
            sqlx::query_as(text).fetch_all(pool).await?
        });
        Ok(rows.into_iter().map(StoredBoard::from).collect())
    }

    /// Forgets a board; whether there was one.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn remove_board(&self, name: &str) -> Result<bool, StoreError> {
        let text = "DELETE FROM boards WHERE name = $1";
        Ok(with_database!(self, pool => {
            sqlx::query(text).bind(name).execute(pool).await?.rows_affected() > 0
        }))
    }
}
