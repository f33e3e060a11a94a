//! Optimizers and databases that die.

use std::time::{Duration, Instant};

use fulcrum_api::v1;
use fulcrum_throwaway_postgres::Postgres;

use crate::process::{Optimizer, create, problem, spec, stored, watch};

/// A front that is small enough to be built a few times.
fn front() -> v1::SearchSpec {
    v1::SearchSpec { measurements: 50, ..spec("als", problem(30.0, 60.0)) }
}

/// How many measurements a front takes that is built without a crash.
async fn without_a_crash() -> usize {
    let folder = tempfile::tempdir().unwrap();
    let optimizer = Optimizer::with_sqlite(folder.path());
    let mut client = optimizer.client().await;
    let search = create(&mut client, "", front()).await;
    watch(&mut client, &search.name).await.pop().unwrap().measurements as usize
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_whose_process_is_killed_is_taken_up_and_repeats_nothing() {
    let whole = without_a_crash().await;
    let folder = tempfile::tempdir().unwrap();
    let mut optimizer = Optimizer::with_sqlite(folder.path());
    let mut client = optimizer.client().await;
    let search = create(&mut client, "", front()).await;
    for kill in 0..2usize {
        let wanted = 10 + 10 * kill;
        let began = Instant::now();
        while stored(&mut client).await < wanted {
            assert!(began.elapsed() < Duration::from_mins(1), "it does not go on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        optimizer.kill();
        optimizer = Optimizer::with_sqlite(folder.path());
        client = optimizer.client().await;
        assert!(stored(&mut client).await >= wanted, "what was kept is kept");
    }
    let end = watch(&mut client, &search.name).await.pop().unwrap();
    assert_eq!(end.state, "done", "{end:?}");
    assert!(end.outcome.unwrap().plan.is_some());
    let kept = stored(&mut client).await;
    // Each kill may lose a measurement that was made and not yet kept; none is made twice, so no
    // more are kept than a search without a crash makes.
    assert!(kept <= whole, "{kept} profiles where {whole} are enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_outlives_its_database() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Postgres::start();
    let optimizer = Optimizer::start(folder.path(), "optimizer", &server.address());
    let mut client = optimizer.client().await;
    let search = create(&mut client, "", front()).await;
    let began = Instant::now();
    while stored(&mut client).await < 10 {
        assert!(began.elapsed() < Duration::from_mins(1), "it does not go on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.kill();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let request = v1::GetSearchRequest { name: search.name.clone() };
    let status = client.get_search(request).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable, "{status:?}");
    server.restart();
    let end = watch(&mut client, &search.name).await.pop().unwrap();
    assert_eq!(end.state, "done", "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_asked_to_end_leaves_its_search_to_the_next_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let optimizer = Optimizer::with_sqlite(folder.path());
    let mut client = optimizer.client().await;
    let search = create(&mut client, "", front()).await;
    while stored(&mut client).await < 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(client);
    let log = optimizer.end();
    assert!(log.contains("left to another process") && !log.contains("panicked"), "{log}");
    let next = Optimizer::with_sqlite(folder.path());
    let mut client = next.client().await;
    let before = stored(&mut client).await;
    let began = Instant::now();
    while stored(&mut client).await == before {
        // One that was killed is waited for, for ten seconds.
        assert!(began.elapsed() < Duration::from_secs(6), "nobody goes on with it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let end = watch(&mut client, &search.name).await.pop().unwrap();
    assert_eq!(end.state, "done", "{end:?}");
}
