//! Who acts, of several that could.

use std::time::Duration;

use sqlx::AssertSqlSafe;

use crate::database::{Store, with_database};
use crate::error::StoreError;

/// One of several has a role for a while. Each change of the holder has a new term, by which what
/// an earlier one still does can be told apart.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Leadership {
    /// Who has the role.
    pub holder: String,
    /// Grows with every change of the holder. It begins at the seconds since 1970, so that it grows
    /// even where a new database takes an old one's place.
    pub term: i64,
}

impl Store {
    /// Takes a role for a while, or keeps it; none if another has it. The database's clock decides,
    /// so that no clock of those who ask can give it to two. Where that clock was put back, whoever
    /// has the role keeps it for as long as it was taken for, and no longer.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn lead(
        &self,
        role: &str,
        holder: &str,
        duration: Duration,
    ) -> Result<Option<Leadership>, StoreError> {
        let now = self.now_ms();
        let own = "leaders.holder = excluded.holder";
        // Later than this, the clock was put back since.
        let was_put_back = format!("leaders.taken_at_ms > {now}");
        let text = AssertSqlSafe(format!(
            "INSERT INTO leaders (role, holder, term, taken_at_ms, expires_at_ms) \
             VALUES ($1, $2, {now} / 1000, {now}, {now} + $3) \
             ON CONFLICT (role) DO UPDATE SET \
               term = CASE WHEN {own} OR {was_put_back} THEN leaders.term \
                      ELSE leaders.term + 1 END, \
               holder = CASE WHEN {was_put_back} THEN leaders.holder ELSE excluded.holder END, \
               taken_at_ms = excluded.taken_at_ms, \
               expires_at_ms = CASE WHEN {was_put_back} AND NOT {own} \
                      THEN excluded.taken_at_ms + leaders.expires_at_ms - leaders.taken_at_ms \
                      ELSE excluded.expires_at_ms END \
             WHERE {own} OR {was_put_back} OR leaders.expires_at_ms <= {now} \
             RETURNING holder, term"
        ));
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2);
        let has: Option<Leadership> = with_database!(self, pool => {
            let query = sqlx::query_as(text).bind(role).bind(holder).bind(millis);
            query.fetch_optional(pool).await?
        });
        Ok(has.filter(|leadership| leadership.holder == holder))
    }

    /// Gives a role up, so that another need not wait for its end.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn step_down(&self, role: &str, holder: &str) -> Result<(), StoreError> {
        let text = "UPDATE leaders SET expires_at_ms = 0 WHERE role = $1 AND holder = $2";
        with_database!(self, pool => {
            sqlx::query(text).bind(role).bind(holder).execute(pool).await?;
        });
        Ok(())
    }

    /// Gives up a role that nobody will have again.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn end_role(&self, role: &str, holder: &str) -> Result<(), StoreError> {
        let text = "DELETE FROM leaders WHERE role = $1 AND holder = $2";
        with_database!(self, pool => {
            sqlx::query(text).bind(role).bind(holder).execute(pool).await?;
        });
        Ok(())
    }
}
