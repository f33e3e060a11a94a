//! Fronts: for which workloads the profiles answer every budget.

use crate::database::{Store, with_database};
use crate::error::StoreError;
use crate::profiles::WorkloadVersion;
use crate::revisions::PROFILES_CHANGED;

/// That the profiles of a pair of workloads on a kind of board answer every budget.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredFront {
    /// What tells equal boards.
    pub board_model: String,
    /// The software that decides how it behaves.
    pub software: String,
    /// What runs in the background, as [`WorkloadVersion::in_background`] writes it; empty for
    /// nothing.
    pub background: String,
    /// The inference whose requests arrive, as [`WorkloadVersion`] is shown; empty for none.
    pub urgent: String,
    /// What chose the measurements.
    pub strategy: String,
    /// How many there were.
    pub measurements: i64,
    /// When, in milliseconds since 1970.
    pub built_at_ms: i64,
}

/// The points of a front, chosen from all its profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontPoints {
    /// The revision of the workloads' profiles that they were chosen at.
    pub as_of: i64,
    /// The points, as whoever chose them writes them.
    pub points: String,
}

impl Store {
    /// Keeps that a front was built.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn put_front(
        &self,
        front: &StoredFront,
        workloads: &[WorkloadVersion<'_>],
    ) -> Result<(), StoreError> {
        let text = "INSERT INTO fronts (board_model, software, background, urgent, strategy, \
                    measurements, built_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                    ON CONFLICT (board_model, software, background, urgent) DO UPDATE SET \
                    strategy = excluded.strategy, measurements = excluded.measurements, \
                    built_at_ms = excluded.built_at_ms";
        let mut changed = workloads.to_vec();
        changed.sort_unstable_by_key(|workload| (workload.name, workload.kind));
        with_database!(self, pool => {
            let query = sqlx::query(text).bind(&front.board_model).bind(&front.software);
            let query = query.bind(&front.background).bind(&front.urgent).bind(&front.strategy);
            let mut transaction = pool.begin().await?;
            let query = query.bind(front.measurements).bind(front.built_at_ms);
            query.execute(&mut *transaction).await?;
            for workload in &changed {
                let query = sqlx::query(PROFILES_CHANGED).bind(&front.board_model);
                let query = query.bind(&front.software).bind(workload.name).bind(workload.kind);
                query.execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
        });
        Ok(())
    }

    /// Keeps the points of a front, if it is there yet.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn put_front_points(
        &self,
        (board_model, software): (&str, &str),
        (background, urgent): (&str, &str),
        points: &FrontPoints,
    ) -> Result<(), StoreError> {
        let text = "UPDATE fronts SET points = $5, as_of = $6 WHERE board_model = $1 \
                    AND software = $2 AND background = $3 AND urgent = $4";
        with_database!(self, pool => {
            let query = sqlx::query(text).bind(board_model).bind(software).bind(background);
            let query = query.bind(urgent).bind(&points.points).bind(points.as_of);
            query.execute(pool).await?;
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

    /// The front of a pair of workloads on a kind of board, if it was built, and its points, if they
    /// were kept.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn front(
        &self,
        (board_model, software): (&str, &str),
        (background, urgent): (&str, &str),
    ) -> Result<Option<(StoredFront, Option<FrontPoints>)>, StoreError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            #[sqlx(flatten)]
            front: StoredFront,
            points: Option<String>,
            as_of: Option<i64>,
        }
        let text = "SELECT board_model, software, background, urgent, strategy, measurements, \
                    built_at_ms, points, as_of FROM fronts WHERE board_model = $1 \
                    AND software = $2 AND background = $3 AND urgent = $4";
        let row: Option<Row> = with_database!(self, pool => {
            let query = sqlx::query_as(text).bind(board_model).bind(software);
            query.bind(background).bind(urgent).fetch_optional(pool).await?
        });
        Ok(row.map(|Row { front, points, as_of }| {
            let points = points.zip(as_of);
            (front, points.map(|(points, as_of)| FrontPoints { as_of, points }))
        }))
    }
}
