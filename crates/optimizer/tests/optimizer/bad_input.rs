//! What is wrong with a request is said by its field, and leaves nothing behind.

use fulcrum_api::v1;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::process::{Optimizer, problem, spec, stored};

fn field(status: &Status) -> String {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    status.get_details_bad_request().unwrap().field_violations[0].field.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_search_is_refused_by_its_field() {
    let folder = tempfile::tempdir().unwrap();
    let optimizer = Optimizer::with_sqlite(folder.path());
    let mut client = optimizer.client().await;
    let good = || spec("guided", problem(30.0, 60.0));
    let of_problem = |change: &dyn Fn(&mut v1::Problem)| {
        let mut spec = good();
        change(spec.problem.as_mut().unwrap());
        spec
    };
    let cases = [
        (v1::SearchSpec { problem: None, ..good() }, "spec.problem"),
        (v1::SearchSpec { strategy: "best".into(), ..good() }, "spec.strategy"),
        (v1::SearchSpec { alternate: "never".into(), ..good() }, "spec.alternate"),
        (v1::SearchSpec { stand_in: "'; DROP TABLE jobs".into(), ..good() }, "stand_in"),
        (v1::SearchSpec { stand_in: String::new(), ..good() }, "board_address"),
        (of_problem(&|p| p.power_watts = -1.0), "spec.problem.power_watts"),
        (of_problem(&|p| p.rate_hertz = f64::NAN), "spec.problem.rate_hertz"),
        (of_problem(&|p| p.train = "x".repeat(512 << 10)), "spec.problem.train"),
        (of_problem(&|p| p.train = "nobody".into()), "spec.problem"),
    ];
    for (spec, name) in cases {
        let request = v1::CreateSearchRequest { spec: Some(spec), ..Default::default() };
        assert_eq!(field(&client.create_search(request).await.unwrap_err()), name);
    }
    let request = v1::CreateSearchRequest { request_id: "x".repeat(65), spec: Some(good()) };
    assert_eq!(field(&client.create_search(request).await.unwrap_err()), "request_id");
    for name in ["", "searches/", "jobs/a"] {
        let request = v1::GetSearchRequest { name: name.into() };
        assert_eq!(field(&client.get_search(request).await.unwrap_err()), "name");
    }
    let request = v1::GetSearchRequest { name: "searches/none".into() };
    assert_eq!(client.get_search(request).await.unwrap_err().code(), Code::NotFound);
    let nobody = v1::SearchSpec {
        stand_in: String::new(),
        board_address: "unix:///nowhere/agent.sock".into(),
        ..good()
    };
    let request = v1::CreateSearchRequest { spec: Some(nobody), ..Default::default() };
    assert_eq!(client.create_search(request).await.unwrap_err().code(), Code::Unavailable);
    let searches = client.list_searches(v1::ListSearchesRequest::default()).await.unwrap();
    assert!(searches.into_inner().searches.is_empty(), "nothing was started");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_with_one_wrong_profile_keeps_none_and_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let optimizer = Optimizer::with_sqlite(folder.path());
    let mut client = optimizer.client().await;
    let profile = |place: u32| v1::StoredProfile {
        board_model: "p3701-0005".into(),
        workload: "resnet18".into(),
        kind: "train".into(),
        mode: format!("gpu_khz={place}"),
        batch_size: 16,
        minibatch_seconds: Some(0.1),
        power_watts: Some(30.0),
        ..Default::default()
    };
    let messages = |wrong: Option<u32>| {
        let profile = move |place| {
            let mut profile = profile(place);
            if wrong == Some(place) {
                profile.power_watts = Some(-1.0);
            }
            profile
        };
        let message = move |first: u32| v1::ImportProfilesRequest {
            profiles: (first..first + 5_000).map(profile).collect(),
        };
        tokio_stream::iter((0..4).map(move |part| message(5_000 * part)))
    };
    let refused = client.import_profiles(messages(Some(17_001))).await.unwrap_err();
    assert_eq!(field(&refused), "profiles[17001].power_watts");
    assert_eq!(stored(&mut client).await, 0);
    let kept = client.import_profiles(messages(None)).await.unwrap().into_inner().profiles;
    assert_eq!(kept, 20_000);
    let page = v1::ListProfilesRequest { page_size: 10_000, ..Default::default() };
    let first = client.list_profiles(page.clone()).await.unwrap().into_inner();
    let page = v1::ListProfilesRequest { page_token: first.next_page_token, ..page };
    let second = client.list_profiles(page).await.unwrap().into_inner();
    assert_eq!((first.profiles.len(), second.profiles.len()), (10_000, 10_000));
}
