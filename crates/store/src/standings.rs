//! How boards and jobs stand, as whoever leads says.

use sqlx::QueryBuilder;

use crate::boards::StoredBoardState;
use crate::database::{Store, with_database};
use crate::error::StoreError;
use crate::jobs::JobState;

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobStanding {
    /// The job.
    pub job: String,
    /// The generation of the spec that it is of: of a later one this says nothing.
    pub generation: i64,
    /// In a word.
    pub state: JobState,
    /// In words.
    pub message: String,
}

/// A board's state has eight values; see the limit of profiles.
const ROWS_A_STATEMENT: usize = 3000;

impl Store {
    /// Keeps how boards and jobs stand, all of it or nothing; whether it was kept. It is not where
    /// the role has another term by now: one that hung must not say over what its successor has
    /// said. What is said of a board that is not there is never told, and what is said of a spec
    /// that is not the latest is not taken.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn set_standings(
        &self,
        (role, term): (&str, i64),
        boards: &[StoredBoardState],
        jobs: &[JobStanding],
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        // Whoever wants the role waits for the end of this.
        let leads = "UPDATE leaders SET term = term WHERE role = $1 AND term = $2";
        let stand = "UPDATE jobs SET state = $3, message = $4, updated_at_ms = $5 \
                     WHERE name = $1 AND generation = $2 AND (state <> $3 OR message <> $4)";
        with_database!(self, pool => {
            let mut transaction = pool.begin().await?;
            let query = sqlx::query(leads).bind(role).bind(term);
            if query.execute(&mut *transaction).await?.rows_affected() == 0 {
                return Ok(false);
            }
            for chunk in boards.chunks(ROWS_A_STATEMENT) {
                let mut query = QueryBuilder::new(
                    "INSERT INTO board_states (board, job, state, message, model, software, \
                     budget_watts, updated_at_ms) ",
                );
                query.push_values(chunk, |mut row, state| {
                    row.push_bind(&state.board)
                        .push_bind(&state.job)
                        .push_bind(&state.state)
                        .push_bind(&state.message)
                        .push_bind(&state.model)
                        .push_bind(&state.software)
                        .push_bind(state.budget_watts)
                        .push_bind(state.updated_at_ms);
                });
                query.push(
                    " ON CONFLICT (board) DO UPDATE SET job = excluded.job, \
                     state = excluded.state, message = excluded.message, model = excluded.model, \
                     software = excluded.software, budget_watts = excluded.budget_watts, \
                     updated_at_ms = excluded.updated_at_ms",
                );
                query.build().execute(&mut *transaction).await?;
            }
            for job in jobs {
                let query = sqlx::query(stand).bind(&job.job).bind(job.generation);
                let query = query.bind(job.state.as_str()).bind(&job.message).bind(now_ms);
                query.execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
        });
        Ok(true)
    }
}
