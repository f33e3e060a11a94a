//! Counts of changes: whoever acts on something looks again when its count has grown.

use crate::database::{Store, with_database};
use crate::error::StoreError;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Changes of boards, of what jobs are to do, and of settings, whoever makes them.
    Fleet,
    /// Changes of profiles and fronts, by a store.
    Profiles,
}

impl Counted {
    const fn name(self) -> &'static str {
        match self {
            Self::Fleet => "fleet",
            Self::Profiles => "profiles",
        }
    }
}

/// Counts a change of profiles or fronts; at the end of a transaction, since others wait for it.
pub(crate) const PROFILES_CHANGED: &str =
    "UPDATE revisions SET revision = revision + 1 WHERE name = 'profiles'";

impl Store {
    /// How often something has changed. It only grows.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn revision(&self, of: Counted) -> Result<i64, StoreError> {
        let text = "SELECT revision FROM revisions WHERE name = $1";
        let (revision,): (i64,) = with_database!(self, pool => {
            sqlx::query_as(text).bind(of.name()).fetch_one(pool).await?
        });
        Ok(revision)
    }
}
