//! Counts of changes: whoever acts on something looks again when its count has grown.

use sqlx::QueryBuilder;

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
        if workloads.is_empty() {
            return Ok(0);
        }
        let (sum,): (i64,) = with_database!(self, pool => {
            let mut query = QueryBuilder::new(
                "SELECT CAST(coalesce(sum(revision), 0) AS BIGINT) FROM profile_revisions \
                 WHERE board_model = ",
            );
            query.push_bind(board_model).push(" AND software = ").push_bind(software);
            query.push(" AND (workload, kind) IN (");
            query.push_values(workloads, |mut row, (workload, kind)| {
                row.push_bind(*workload).push_bind(*kind);
            });
            query.push(")").build_query_as().fetch_one(pool).await?
        });
        Ok(sum)
    }
}
