//! The database behind a store.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, Executor as _, PgConnection, SqlSafeStr as _};

use crate::error::StoreError;
use crate::{boards, jobs, requests, revisions, settings};

/// What stands between a change and its plan. A connection knows these before it is lent: there are
/// several, and the first change on each would wait until Postgres has thought about them all.
const OF_A_CHANGE: [&str; 9] = [
    requests::TAKE,
    revisions::CHANGED,
    jobs::PUT,
    revisions::FLEET,
    boards::SINCE,
    jobs::SINCE,
    boards::COUNT,
    settings::GET,
    revisions::PROFILES,
];

static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// So many connections to Postgres at a time: a few processes share the hundred that it allows.
const CONNECTIONS: u32 = 8;
/// How long to wait for a connection.
const CONNECTING: Duration = Duration::from_secs(5);
/// A connection that was not used for longer is asked whether it is still there; to ask always doubles
/// the time of a query. No database is started again in so little time: one that was does not leave
/// connections behind that fail once each.
const BELIEVED: Duration = Duration::from_millis(200);

/// Postgres or SQLite. Cloning it is cheap and shares the connections.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) database: Database,
}

#[derive(Debug, Clone)]
pub(crate) enum Database {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

/// Does the same with whichever database it is: the same text of a query, once for each type of
/// connection.
macro_rules! with_database {
    ($store:expr, $pool:ident => $body:expr) => {
        match &$store.database {
            $crate::database::Database::Postgres($pool) => $body,
            $crate::database::Database::Sqlite($pool) => $body,
        }
    };
}
pub(crate) use with_database;

impl Store {
    /// Opens `postgres://…` or `sqlite:/path`, and brings its tables to this version. An SQLite file
    /// is made where there is none; `sqlite::memory:` is gone with the store.
    ///
    /// # Errors
    /// When the address is none, nobody answers there, or the tables are of a later version.
    pub async fn open(address: &str) -> Result<Self, StoreError> {
        let shown = || without_password(address);
        let database = if address.starts_with("postgres:") || address.starts_with("postgresql:") {
            let options = PgConnectOptions::from_str(address)
                .map_err(|_| StoreError::Address { address: shown() })?;
            postgres(options).await
        } else if address.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(address)
                .map_err(|_| StoreError::Address { address: shown() })?;
            sqlite(options).await
        } else {
            return Err(StoreError::Address { address: shown() });
        };
        let opened = |error| StoreError::Open { address: shown(), error: Box::new(error) };
        Ok(Self { database: database.map_err(opened)? })
    }

    /// Closes all connections.
    pub async fn close(&self) {
        with_database!(self, pool => pool.close().await);
    }

    /// The database's own clock, in milliseconds since 1970, as an expression.
    pub(crate) fn now_ms(&self) -> &'static str {
        match self.database {
            Database::Postgres(_) => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
            Database::Sqlite(_) => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        }
    }
}

async fn postgres(options: PgConnectOptions) -> Result<Database, StoreError> {
    let options = options.application_name("fulcrum");
    let pool = PgPoolOptions::new().acquire_timeout(CONNECTING);
    // The tables come first: the others' connections ask for them.
    let first = match pool.clone().max_connections(1).connect_with(options.clone()).await {
        Err(sqlx::Error::PoolTimedOut) => return Err(unanswered(&options).await.into()),
        first => first?,
    };
    POSTGRES.run(&first).await?;
    first.close().await;
    let pool = pool
        .max_connections(CONNECTIONS)
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move {
                for text in OF_A_CHANGE {
                    connection.prepare(text.into_sql_str()).await?;
                }
                Ok(())
            })
        })
        .before_acquire(|connection, of| {
            Box::pin(async move {
                if of.idle_for > BELIEVED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        });
    Ok(Database::Postgres(pool.connect_with(options).await?))
}

/// Why nobody answers there: a pool that tried until its time was over does not say.
async fn unanswered(options: &PgConnectOptions) -> sqlx::Error {
    let connecting = tokio::time::timeout(CONNECTING, PgConnection::connect_with(options)).await;
    connecting.ok().and_then(Result::err).unwrap_or(sqlx::Error::PoolTimedOut)
}

async fn sqlite(options: SqliteConnectOptions) -> Result<Database, StoreError> {
    let options = options
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // What was taken is on the disk when the call returns.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(CONNECTING);
    // A second connection to a database in memory would be another database.
    let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None);
    let pool = pool.max_lifetime(None).test_before_acquire(false).connect_with(options).await?;
    SQLITE.run(&pool).await?;
    Ok(Database::Sqlite(pool))
}

/// Passwords do not belong into messages: they are before the host, or in the query.
fn without_password(address: &str) -> String {
    let scheme = match address.split_once(':') {
        Some((scheme, rest)) if rest.starts_with("//") => scheme.len() + "://".len(),
        Some((scheme, _)) => scheme.len() + ":".len(),
        None => 0,
    };
    let (scheme, rest) = address.split_at(scheme);
    match (rest.rfind('@'), rest.find('?')) {
        // It may be part of either.
        (Some(at), Some(query)) if query < at => format!("{scheme}…"),
        (at, query) => {
            let shown = &rest[at.unwrap_or(0)..query.unwrap_or(rest.len())];
            format!("{scheme}{}{shown}", if at.is_some() { "…" } else { "" })
        }
    }
}
