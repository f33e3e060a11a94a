//! A database of an earlier version is brought to this one, with what it holds.

#![expect(clippy::unwrap_used, reason = "what a test asks for is there")]

use std::borrow::Cow;

use fulcrum_store::{Asked, Counted, Store};
use fulcrum_throwaway_postgres::Postgres;
use sqlx::migrate::Migrator;

/// The migrations up to a version.
fn until(version: i64, all: &Migrator) -> Migrator {
    let migrations = all.migrations.iter().filter(|migration| migration.version <= version);
    Migrator { migrations: Cow::Owned(migrations.cloned().collect()), ..Migrator::DEFAULT }
}

const BOARD: &str = "INSERT INTO boards (name, address, labels, stand_in, registered_at_ms) \
                     VALUES ('old', 'unix:///a', '{\"site\": \"lab\"}', '', 5)";
const JOB: &str = "INSERT INTO jobs (name, spec, generation, cancelled, state, message, \
                   created_at_ms, updated_at_ms) \
                   VALUES ('j', '{\"a\": 1}', 3, FALSE, 'running', 'runs', 1, 1)";

async fn holds_what_it_held(address: &str) {
    // A second opening changes nothing.
    for _ in 0..2 {
        let store = Store::open(address).await.unwrap();
        let boards = store.boards().await.unwrap();
        assert_eq!((boards.len(), boards[0].name.as_str()), (1, "old"));
        assert_eq!(boards[0].labels["site"], "lab");
        assert!(boards[0].lease_id.len() >= 24, "it has a lease's id: {boards:?}");
        assert!(!boards[0].simulate);
        assert_eq!(store.job("j").await.unwrap().generation, 3);
        let before = store.revision(Counted::Fleet).await.unwrap();
        store.put_board(&boards[0], Asked::default()).await.unwrap();
        assert!(store.revision(Counted::Fleet).await.unwrap() > before, "changes are counted");
        store.close().await;
    }
}

#[tokio::test]
async fn an_sqlite_file_of_version_1_is_brought_here() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", folder.path().join("fulcrum.db").display());
    let pool = sqlx::SqlitePool::connect(&format!("{address}?mode=rwc")).await.unwrap();
    until(1, &sqlx::migrate!("../../migrations/sqlite")).run(&pool).await.unwrap();
    for text in [BOARD, JOB] {
        sqlx::query(text).execute(&pool).await.unwrap();
    }
    pool.close().await;
    holds_what_it_held(&address).await;
}

#[tokio::test]
async fn a_postgres_database_of_version_1_is_brought_here() {
    let server = Postgres::start();
    let pool = sqlx::PgPool::connect(&server.address()).await.unwrap();
    until(1, &sqlx::migrate!("../../migrations/postgres")).run(&pool).await.unwrap();
    for text in [BOARD, JOB] {
        sqlx::query(text).execute(&pool).await.unwrap();
    }
    pool.close().await;
    holds_what_it_held(&server.address()).await;
}
