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
    /// The database cannot be opened.
    #[error("{address}: {error}")]
    Open {
        /// Which, without its password.
        address: String,
        /// Why not.
        error: Box<StoreError>,
    },
    /// The database cannot be reached, or stopped answering. Trying again may help.
    #[error("the database does not answer: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// It has no room to write. Trying again helps once there is some.
    #[error("the database has no room left on its disk: {0}")]
    Full(#[source] sqlx::Error),
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
            Error::Database(ref database) => match database.code().as_deref() {
                // Of Postgres, and of SQLite with all its ways of failing to write.
                Some("53100" | "13" | "778" | "1034" | "4874") => Self::Full(error),
                // Of Postgres: it has too little of something, or is shutting down or starting up.
                Some(code) if code.starts_with("53") || code.starts_with("57P") => {
                    Self::Unavailable(error)
                }
                _ => Self::Refused(error),
            },
            _ => Self::Refused(error),
        }
    }
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Full(_) => true,
            Self::Open { error, .. } => error.is_passing(),
            Self::Address { .. }
            | Self::NotFound { .. }
            | Self::Migration(_)
            | Self::Refused(_) => false,
        }
    }

    pub(crate) fn not_found(what: &'static str, name: &str) -> Self {
        Self::NotFound { what, name: name.to_owned() }
    }
}
