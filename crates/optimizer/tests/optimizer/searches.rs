//! Searches from their beginning to what is left of them.

use std::time::{Duration, Instant};

use fulcrum_api::v1;
use fulcrum_board::{Profiler as _, SimulatedOrin};
use fulcrum_domain::{BatchSize, Workload};
use fulcrum_store::mode_text;
use fulcrum_throwaway_postgres::Postgres;

use crate::process::{Optimizer, create, problem, solve, spec, stored, watch};

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_watched_to_its_plan_and_every_profile_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let optimizer = Optimizer::with_sqlite(folder.path());
    let mut client = optimizer.client().await;
    let search = create(&mut client, "r1", spec("guided", problem(30.0, 60.0))).await;
    assert!(search.name.starts_with("searches/"), "{search:?}");
    let again = create(&mut client, "r1", spec("gmd", problem(50.0, 10.0))).await;
    assert_eq!(again.name, search.name, "the same request");

    let told = watch(&mut client, &search.name).await;
    let end = told.last().unwrap();
    assert_eq!((end.state.as_str(), end.message.as_str()), ("done", ""));
    assert!(end.measurements > 0 && end.modes > 0 && end.modes <= 15, "{end:?}");
    let outcome = end.outcome.as_ref().unwrap();
    let plan = outcome.plan.as_ref().expect("it is solvable");
    assert!(plan.peak_power_watts <= 30.0 && plan.peak_latency_seconds <= 0.8, "{plan:?}");
    assert!(plan.throughput_hertz > 0.0 && plan.mode.contains_key("gpu_khz"));
    assert_eq!(stored(&mut client).await, end.measurements as usize);

    // The same problem again asks for nothing that is known.
    let before = stored(&mut client).await;
    let second = create(&mut client, "", spec("guided", problem(30.0, 60.0))).await;
    let end = watch(&mut client, &second.name).await.pop().unwrap();
    assert_eq!(end.state, "done");
    assert_eq!(stored(&mut client).await, before + end.measurements as usize);

    let page = v1::ListSearchesRequest { page_size: 1, ..Default::default() };
    let first = client.list_searches(page.clone()).await.unwrap().into_inner();
    assert_eq!(first.searches.len(), 1);
    let page = v1::ListSearchesRequest { page_token: first.next_page_token, ..page };
    let rest = client.list_searches(page).await.unwrap().into_inner();
    assert_eq!(rest.searches.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_is_not_measured_however_much_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let optimizer = Optimizer::with_sqlite(folder.path());
    let mut client = optimizer.client().await;
    // Every mode of the board: far more than a search is told.
    let mut orin = SimulatedOrin::exact();
    let space = orin.space().clone();
    let (workload, size) = (Workload::train("resnet18"), BatchSize::new(16).unwrap());
    let every: Vec<v1::StoredProfile> = space
        .ids()
        .map(|mode| {
            let read = orin.measure(&workload, mode, size).unwrap();
            v1::StoredProfile {
                board_model: SimulatedOrin::NAME.into(),
                software: "table".into(),
                workload: "resnet18".into(),
                kind: "train".into(),
                mode: mode_text(&space, mode),
                batch_size: size.get(),
                minibatch_seconds: Some(read.minibatch.get()),
                power_watts: Some(read.power.get()),
                ..Default::default()
            }
        })
        .collect();
    let count = every.len();
    let messages: Vec<_> = every
        .chunks(5_000)
        .map(|part| v1::ImportProfilesRequest { profiles: part.to_vec() })
        .collect();
    client.import_profiles(tokio_stream::iter(messages)).await.unwrap();
    for watts in [20.0, 35.0] {
        let train =
            v1::Problem { train: "resnet18".into(), power_watts: watts, ..Default::default() };
        let search = create(&mut client, "", spec("guided", train)).await;
        let end = watch(&mut client, &search.name).await.pop().unwrap();
        assert_eq!((end.state.as_str(), end.measurements), ("done", 0), "{count} stored: {end:?}");
        let plan = end.outcome.unwrap().plan.expect("it is solvable");
        assert!(plan.peak_power_watts <= watts, "{plan:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_front_answers_every_later_budget_at_once_and_measures_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Postgres::start();
    let optimizer = Optimizer::start(folder.path(), "optimizer", &server.address());
    let mut client = optimizer.client().await;
    let answer = solve(&mut client, vec![problem(30.0, 60.0)]).await.remove(0);
    assert_eq!(answer.origin, "", "nothing is stored");

    let search = create(&mut client, "", spec("als", problem(30.0, 60.0))).await;
    let end = watch(&mut client, &search.name).await.pop().unwrap();
    assert_eq!(end.state, "done", "{end:?}");
    let kept = stored(&mut client).await;
    assert!(kept > 50, "{kept}");
    let fronts = client.list_fronts(v1::ListFrontsRequest {}).await.unwrap().into_inner().fronts;
    assert_eq!((fronts.len(), fronts[0].background.as_str()), (1, "resnet18 train"));

    let problems: Vec<_> =
        (0..20).map(|i| problem(22.0 + f64::from(i), 20.0 + 4.0 * f64::from(i))).collect();
    let began = Instant::now();
    let answers = solve(&mut client, problems.clone()).await;
    let took = began.elapsed() / 20;
    assert!(took < Duration::from_millis(10), "{took:?} a problem");
    let mut solved = 0;
    for (problem, answer) in problems.iter().zip(&answers) {
        assert_eq!(answer.origin, "front");
        let outcome = answer.outcome.as_ref().unwrap();
        if let Some(plan) = &outcome.plan {
            solved += 1;
            assert!(plan.peak_power_watts <= problem.power_watts, "{plan:?}");
        } else {
            assert!(!outcome.because.is_empty(), "{outcome:?}");
        }
    }
    assert!(solved > 15, "{solved} of 20");
    let hopeless = solve(&mut client, vec![problem(1.0, 60.0)]).await.remove(0);
    let outcome = hopeless.outcome.unwrap();
    assert!(outcome.plan.is_none() && outcome.because.contains("power budget"), "{outcome:?}");
    assert!(outcome.remedies[0].power_watts > 1.0, "{outcome:?}");
    assert_eq!(stored(&mut client).await, kept, "nothing was measured");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_search_stays_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let optimizer = Optimizer::with_sqlite(folder.path());
    let mut client = optimizer.client().await;
    let search = create(&mut client, "", spec("als", problem(30.0, 60.0))).await;
    let request = v1::CancelSearchRequest { name: search.name.clone() };
    let cancelled = client.cancel_search(request.clone()).await.unwrap().into_inner();
    assert_eq!(cancelled.search.unwrap().state, "cancelled");
    let end = watch(&mut client, &search.name).await.pop().unwrap();
    assert_eq!(end.state, "cancelled");
    let again = client.cancel_search(request).await.unwrap().into_inner().search.unwrap();
    assert_eq!(again.state, "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_measures_too_little_for_every_budget_is_kept_as_no_front() {
    let folder = tempfile::tempdir().unwrap();
    let optimizer = Optimizer::with_sqlite(folder.path());
    let mut client = optimizer.client().await;
    let few = v1::SearchSpec { measurements: 20, ..spec("als", problem(30.0, 60.0)) };
    for spec in [spec("maxn", problem(30.0, 60.0)), few] {
        let search = create(&mut client, "", spec).await;
        let end = watch(&mut client, &search.name).await.pop().unwrap();
        assert_eq!(end.state, "done", "{end:?}");
        let fronts = client.list_fronts(v1::ListFrontsRequest {}).await.unwrap().into_inner();
        assert!(fronts.fronts.is_empty(), "{fronts:?}");
    }
}
