//! What an operator has set for all.

use serde_json::Value;
use sqlx::types::Json;

use crate::database::{Store, with_database};
use crate::error::StoreError;
use crate::requests::{Asked, is_new};
use crate::revisions::next_revision;

pub(crate) const GET: &str = "SELECT value FROM settings WHERE name = $1";

impl Store {
    /// Keeps a setting. A request that was taken before changes nothing.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn put_setting(
        &self,
        name: &str,
        value: &Value,
        asked: Asked<'_>,
    ) -> Result<(), StoreError> {
        let text = "INSERT INTO settings (name, value) VALUES ($1, $2) \
                    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        with_database!(self, pool => {
            let mut transaction = pool.begin().await?;
            if is_new!(transaction, asked, name) {
                next_revision!(transaction);
                sqlx::query(text).bind(name).bind(Json(value)).execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
        });
        Ok(())
    }

    /// A setting, if it was made.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn setting(&self, name: &str) -> Result<Option<Value>, StoreError> {
        let value: Option<(Json<Value>,)> = with_database!(self, pool => {
            sqlx::query_as(GET).bind(name).fetch_optional(pool).await?
        });
        Ok(value.map(|(Json(value),)| value))
    }
}
