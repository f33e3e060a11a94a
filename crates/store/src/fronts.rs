//! Fronts: for which workloads the profiles answer every budget.

use crate::database::{Store, with_database};
use crate::error::StoreError;
use crate::revisions::PROFILES_CHANGED;

/// That the profiles of a pair of workloads on a kind of board answer every budget. The points of
/// the front are in the profiles themselves.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredFront {
    /// What tells equal boards.
    pub board_model: String,
    /// The software that decides how it behaves.
    pub software: String,
    /// What runs in the background: `resnet18 train`; empty for nothing.
    pub background: String,
    /// The inference whose requests arrive; empty for none.
    pub urgent: String,
    /// What chose the measurements.
    pub strategy: String,
    /// How many there were.
    pub measurements: i64,
    /// When, in milliseconds since 1970.
    pub built_at_ms: i64,
}

impl Store {
    /// Keeps that a front was built.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn put_front(&self, front: &StoredFront) -> Result<(), StoreError> {
        let text = "INSERT INTO fronts (board_model, software, background, urgent, strategy, \
                    measurements, built_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                    ON CONFLICT (board_model, software, background, urgent) DO UPDATE SET \
                    strategy = excluded.strategy, measurements = excluded.measurements, \
                    built_at_ms = excluded.built_at_ms";
        with_database!(self, pool => {
            let query = sqlx::query(text).bind(&front.board_model).bind(&front.software);
            let query = query.bind(&front.background).bind(&front.urgent).bind(&front.strategy);
            let mut transaction = pool.begin().await?;
            let query = query.bind(front.measurements).bind(front.built_at_ms);
            query.execute(&mut *transaction).await?;
            sqlx::query(PROFILES_CHANGED).execute(&mut *transaction).await?;
            transaction.commit().await?;
        });
        Ok(())
    }

    /// All fronts.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn fronts(&self) -> Result<Vec<StoredFront>, StoreError> {
        let text = "SELECT board_model, software, background, urgent, strategy, measurements, \
                    built_at_ms FROM fronts ORDER BY board_model, software, background, urgent";
        Ok(with_database!(self, pool => sqlx::query_as(text).fetch_all(pool).await?))
    }

    /// The front of a pair of workloads on a kind of board, if it was built.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn front(
        &self,
        board_model: &str,
        software: &str,
        background: &str,
        urgent: &str,
    ) -> Result<Option<StoredFront>, StoreError> {
        let text = "SELECT board_model, software, background, urgent, strategy, measurements, \
                    built_at_ms FROM fronts WHERE board_model = $1 AND software = $2 \
                    AND background = $3 AND urgent = $4";
        Ok(with_database!(self, pool => {
            let query = sqlx::query_as(text).bind(board_model).bind(software);
            query.bind(background).bind(urgent).fetch_optional(pool).await?
        }))
    }
}
