//! Counts of changes: whoever acts on something looks again when its count has grown.

use crate::database::{Store, with_database};
use crate::error::StoreError;

/// Counts a change of a workload's profiles, or of a front of it.
pub(crate) const PROFILES_CHANGED: &str = "INSERT INTO profile_revisions (board_model, software, workload, kind, revision) \
     VALUES ($1, $2, $3, $4, 1) ON CONFLICT (board_model, software, workload, kind) \
     DO UPDATE SET revision = profile_revisions.revision + 1";

impl Store {
    /// How often what is wanted of the fleet has changed: boards, what jobs are to do, settings,
    /// whoever changes them. It only grows.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn fleet_revision(&self) -> Result<i64, StoreError> {
        let text = "SELECT revision FROM revisions WHERE name = 'fleet'";
        let (revision,): (i64,) = with_database!(self, pool => {
            sqlx::query_as(text).fetch_one(pool).await?
        });
        Ok(revision)
    }

    /// How often the profiles of workloads on a kind of board have changed, or a front of theirs:
    /// workloads by name and kind. It only grows.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn profiles_revision(
        &self,
        (board_model, software): (&str, &str),
        workloads: &[(&str, &str)],
    ) -> Result<i64, StoreError> {
        let text = "SELECT CAST(coalesce(sum(revision), 0) AS BIGINT) FROM profile_revisions \
                    WHERE board_model = $1 AND software = $2 AND workload = $3 AND kind = $4";
        let mut sum = 0;
        for (workload, kind) in workloads {
            let (revision,): (i64,) = with_database!(self, pool => {
                let query = sqlx::query_as(text).bind(board_model).bind(software);
                query.bind(workload).bind(kind).fetch_one(pool).await?
            });
            sum += revision;
        }
        Ok(sum)
    }
}
