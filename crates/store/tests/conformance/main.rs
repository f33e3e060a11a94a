//! What every store does, on SQLite and on Postgres.

#![expect(clippy::unwrap_used, reason = "what a test asks for is there")]

/// Runs each check on a fresh database of each kind.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let folder = tempfile::tempdir().unwrap();
                let address = format!("sqlite:{}", folder.path().join("fulcrum.db").display());
                super::$name(&address).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let server = fulcrum_throwaway_postgres::Postgres::start();
                super::$name(&server.address()).await;
            })+
        }
    };
}

mod fleet;
mod jobs;
mod leaders;
mod profiles;
mod samples;

use fulcrum_domain::{Knob, ModeSpace};
use fulcrum_store::{ProfileFilter, Store, mode_from_text, mode_text};

use crate::samples::{open, profile};

on_both!(opening_again_keeps_everything);

async fn opening_again_keeps_everything(address: &str) {
    let store = open(address).await;
    store.add_profiles(&[profile(1, 16)]).await.unwrap();
    store.close().await;
    let again = open(address).await;
    assert_eq!(again.all_profiles(&ProfileFilter::default()).await.unwrap(), [profile(1, 16)]);
}

#[test]
fn a_mode_survives_being_kept() {
    let knobs = [("cpu_cores", vec![2.0, 4.0]), ("gpu_khz", vec![114_750.5, 1_300_500.0])];
    let knobs = knobs.map(|(name, levels)| Knob::new(name, levels).unwrap());
    let space = ModeSpace::full_grid(knobs.to_vec()).unwrap();
    for mode in space.ids() {
        assert_eq!(mode_from_text(&space, &mode_text(&space, mode)), Some(mode));
    }
    for other in ["", "cpu_cores=2", "cpu_cores=2 gpu_khz=1", "cpu_cores=2 gpu_khz=1300500 x=1"] {
        assert_eq!(mode_from_text(&space, other), None, "{other}");
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_said_without_its_password() {
    for (address, said) in [
        ("mysql://me:secret@host/db", "`mysql://…@host/db`"),
        ("mysql://host/db?password=secret", "`mysql://host/db`"),
        ("mysql://host/db?password=a@secret", "`mysql://…`"),
        ("mysql:host?password=secret", "`mysql:host`"),
        ("mysql:me:secret@host/db", "`mysql:…@host/db`"),
        ("x", "`x`"),
    ] {
        let error = Store::open(address).await.unwrap_err().to_string();
        assert!(error.contains(said) && !error.contains("secret"), "{error}");
        assert!(error.contains("postgres://"), "{error}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_named_with_why() {
    let why = "database does not answer: error communicating with database: ";
    for (address, said, is_passing) in [
        ("postgres://me:secret@127.0.0.1:1/db", format!("{why}Connection refused"), true),
        ("postgres://me@%2Fnowhere/db", format!("{why}No such file or directory"), true),
        ("sqlite:/nowhere/fulcrum.db", "unable to open database file".to_owned(), false),
    ] {
        let error = Store::open(address).await.unwrap_err();
        assert_eq!(error.is_passing(), is_passing, "{error}");
        let error = error.to_string();
        assert!(
            error.starts_with(&address.replace("me:secret@", "…@").replace("me@", "…@")),
            "{error}"
        );
        assert!(error.contains(&said), "{error}");
    }
}
