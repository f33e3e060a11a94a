//! What can go wrong with a store.

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is none.
    #[error(
        "`{address}` is no database; write postgres://user@host/name or sqlite:/path/fulcrum.db"
    )]
    Address {
        /// What was given.
        address: String,
    },
    /// The database cannot be reached, or stopped answering. Trying again may help.
    #[error("the database does not answer: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// There is no such thing.
    #[error("there is no {what} `{name}`")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The tables cannot be made as this version needs them.
    #[error("the database cannot be brought to this version: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database refused, or says what makes no sense.
    #[error("the database refused: {0}")]
    Refused(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error;
        match error {
            Error::Io(_)
            | Error::PoolTimedOut
            | Error::PoolClosed
            | Error::Tls(_)
            | Error::WorkerCrashed
            | Error::Protocol(_) => Self::Unavailable(error),
            // Of Postgres: it is shutting down or starting up.
            Error::Database(ref database)
                if database.code().is_some_and(|code| code.starts_with("57P")) =>
            {
                Self::Unavailable(error)
            }
            _ => Self::Refused(error),
        }
    }
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    pub(crate) fn not_found(what: &'static str, name: &str) -> Self {
        Self::NotFound { what, name: name.to_owned() }
    }
}
