//! Counts of changes: whoever acts on something looks again when its count has grown.

use crate::database::{Store, with_database};
use crate::error::StoreError;

/// Counts a change of a workload's profiles, or of a front of it.
pub(crate) const PROFILES_CHANGED: &str = "INSERT INTO profile_revisions (board_model, software, workload, kind, revision) \
     VALUES ($1, $2, $3, $4, 1) ON CONFLICT (board_model, software, workload, kind) \
     DO UPDATE SET revision = profile_revisions.revision + 1";

pub(crate) const FLEET: &str = "SELECT revision FROM revisions WHERE name = 'fleet'";
/// Counts a change of what is wanted of the fleet.
pub(crate) const CHANGED: &str =
    "UPDATE revisions SET revision = revision + 1 WHERE name = 'fleet' RETURNING revision";
/// Of one or two workloads.
pub(crate) const PROFILES: &str = "SELECT CAST(coalesce(sum(revision), 0) AS BIGINT) \
     FROM profile_revisions WHERE board_model = $1 AND software = $2 \
     AND ((workload = $3 AND kind = $4) OR (workload = $5 AND kind = $6))";

/// The revision of the fleet that a transaction makes, before it changes what is wanted. It holds the
/// count until it is done: a later count is of a later change.
macro_rules! next_revision {
    ($transaction:ident) => {{
        let query = sqlx::query_as($crate::revisions::CHANGED);
        let (revision,): (i64,) = query.fetch_one(&mut *$transaction).await?;
        revision
    }};
}
pub(crate) use next_revision;

impl Store {
    /// How often what is wanted of the fleet has changed: boards, what jobs are to do, settings.
    /// It only grows.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn fleet_revision(&self) -> Result<i64, StoreError> {
        let (revision,): (i64,) = with_database!(self, pool => {
            sqlx::query_as(FLEET).fetch_one(pool).await?
        });
        Ok(revision)
    }

    /// How often the profiles of workloads on a kind of board have changed, or a front of theirs:
    /// a pair at most, by name and kind. It only grows.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn profiles_revision(
        &self,
        (board_model, software): (&str, &str),
        pair: [Option<(&str, &str)>; 2],
    ) -> Result<i64, StoreError> {
        let [first, second] = pair.map(Option::unzip);
        let (sum,): (i64,) = with_database!(self, pool => {
            let query = sqlx::query_as(PROFILES).bind(board_model).bind(software);
            let query = query.bind(first.0).bind(first.1).bind(second.0).bind(second.1);
            query.fetch_one(pool).await?
        });
        Ok(sum)
    }
}
