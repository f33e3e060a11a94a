//! How much is kept.

use crate::database::{Store, with_database};
use crate::error::StoreError;

/// How many profiles and fronts there are of one model of boards.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ProfileCount {
    /// The model.
    pub board_model: String,
    /// Its profiles.
    pub profiles: i64,
    /// Those of them that are not believed.
    pub suspect: i64,
    /// Its fronts.
    pub fronts: i64,
}

impl Store {
    /// How many profiles and fronts there are, by model of boards.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn count_profiles(&self) -> Result<Vec<ProfileCount>, StoreError> {
        let text = "SELECT board_model, count(*) AS profiles, \
                    count(CASE WHEN suspect THEN 1 END) AS suspect, \
                    (SELECT count(*) FROM fronts WHERE fronts.board_model = \
                     profiles.board_model) AS fronts \
                    FROM profiles GROUP BY board_model ORDER BY board_model";
        Ok(with_database!(self, pool => sqlx::query_as(text).fetch_all(pool).await?))
    }

    /// How many searches there are, by state as it is kept.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn count_searches(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let text = "SELECT state, count(*) FROM searches GROUP BY state ORDER BY state";
        Ok(with_database!(self, pool => sqlx::query_as(text).fetch_all(pool).await?))
    }
}
