//! Jobs, searches, plans and events.

use fulcrum_store::{
    Asked, JobState, ProfileFilter, SearchState, StoreError, StoredBoard, StoredPlan, StoredProfile,
};
use serde_json::json;

use crate::samples::{TRAIN, board, event, open, profile, say};

on_both!(
    texts_stay_what_they_are,
    jobs_change_by_their_spec_and_repeated_requests_change_nothing,
    the_trace_of_what_was_asked_is_kept_with_it,
    a_request_that_comes_late_or_twice_changes_nothing,
    a_state_of_an_older_generation_is_not_taken,
    plans_and_events_are_kept_in_their_order,
    searches_end_once,
);

async fn texts_stay_what_they_are(address: &str) {
    let store = open(address).await;
    let texts = ["'; DROP TABLE profiles; --", "\"quoted\" \\ %_", "Ünï\u{1f980}", "$1 $2 ?"];
    let long = "x".repeat(1 << 20);
    for text in texts.into_iter().chain([long.as_str()]) {
        let profile = StoredProfile {
            measured_by: text.into(),
            software: text.chars().take(100).collect(),
            ..profile(1, 16)
        };
        store.add_profiles(std::slice::from_ref(&profile)).await.unwrap();
        let filter =
            ProfileFilter { software: Some(profile.software.clone()), ..Default::default() };
        assert_eq!(store.all_profiles(&filter).await.unwrap(), [profile]);
        // A name is a key, and no key is as long.
        let name: String = text.chars().take(100).collect();
        let job = store.put_job(&name, &json!({ "text": text }), Asked::new("", 1)).await.unwrap();
        assert_eq!((job.name, &job.spec["text"]), (name, &json!(text)));
    }
}

async fn jobs_change_by_their_spec_and_repeated_requests_change_nothing(address: &str) {
    let store = open(address).await;
    let (slow, fast) = (json!({"power_watts": 20.0}), json!({"power_watts": 50.0}));
    let first = store.put_job("a", &slow, Asked::new("r1", 1)).await.unwrap();
    assert_eq!((first.generation, first.state, first.created_at_ms), (1, JobState::Pending, 1));
    assert_eq!(
        store.put_job("a", &slow, Asked::new("r2", 2)).await.unwrap(),
        first,
        "the same spec"
    );
    assert_eq!(
        store.put_job("a", &fast, Asked::new("r1", 3)).await.unwrap(),
        first,
        "the same request"
    );
    let second = store.put_job("a", &fast, Asked::new("r3", 4)).await.unwrap();
    assert_eq!((second.generation, &second.spec, second.updated_at_ms), (2, &fast, 4));

    assert!(store.cancel_job("a", Asked::new("", 5)).await.unwrap());
    assert!(!store.cancel_job("a", Asked::new("", 6)).await.unwrap());
    assert!(store.job("a").await.unwrap().cancelled);
    let third = store.put_job("a", &fast, Asked::new("r4", 7)).await.unwrap();
    assert_eq!((third.generation, third.cancelled), (3, false), "submitted again");
    assert!(!store.cancel_job("nobody", Asked::new("", 8)).await.unwrap());
    let missing = store.job("nobody").await.unwrap_err();
    assert!(matches!(missing, StoreError::NotFound { what: "job", .. }), "{missing}");

    store.put_job("b", &slow, Asked::new("", 9)).await.unwrap();
    let names = |jobs: Vec<fulcrum_store::StoredJob>| -> Vec<String> {
        jobs.into_iter().map(|job| job.name).collect()
    };
    assert_eq!(names(store.jobs("", 10).await.unwrap()), ["a", "b"]);
    assert_eq!(names(store.jobs("a", 10).await.unwrap()), ["b"]);
}

async fn the_trace_of_what_was_asked_is_kept_with_it(address: &str) {
    let store = open(address).await;
    let by = |trace| Asked::new("", 1).traced(trace);
    assert_eq!(store.put_job("j", &json!(1), by("first")).await.unwrap().trace, "first");
    let unchanged = store.put_job("j", &json!(1), by("of no change")).await.unwrap();
    assert_eq!(unchanged.trace, "first", "what is in force was asked for with that");
    assert_eq!(store.put_job("j", &json!(2), by("second")).await.unwrap().trace, "second");
    assert_eq!(
        store.add_search("s", &json!(1), by("of a search")).await.unwrap().trace,
        "of a search"
    );
    assert_eq!(store.search("s").await.unwrap().trace, "of a search");
}

async fn a_request_that_comes_late_or_twice_changes_nothing(address: &str) {
    let store = open(address).await;
    let asked = |id| Asked::new(id, 1);
    let (slow, fast) = (json!({"rate": 1}), json!({"rate": 2}));
    store.put_job("a", &slow, asked("put")).await.unwrap();
    assert!(store.cancel_job("a", asked("cancel")).await.unwrap());
    store.put_job("a", &fast, asked("put again")).await.unwrap();
    assert!(!store.cancel_job("a", asked("cancel")).await.unwrap());
    let job = store.put_job("a", &slow, asked("put")).await.unwrap();
    assert!(!job.cancelled && job.spec == fast && job.generation == 2, "{job:?}");

    let elsewhere = StoredBoard { address: "unix:///elsewhere".into(), ..board("x") };
    store.put_board(&board("x"), asked("add")).await.unwrap();
    store.put_board(&elsewhere, asked("move")).await.unwrap();
    store.put_board(&board("x"), asked("add")).await.unwrap();
    assert_eq!(store.boards().await.unwrap()[0].address, "unix:///elsewhere");
    assert!(store.remove_board("x", asked("remove")).await.unwrap());
    store.put_board(&board("x"), asked("add again")).await.unwrap();
    assert!(!store.remove_board("x", asked("remove")).await.unwrap());
    assert_eq!(store.boards().await.unwrap().len(), 1);

    store.put_setting("site", &json!(90), asked("90")).await.unwrap();
    store.put_setting("site", &json!(60), asked("60")).await.unwrap();
    store.put_setting("site", &json!(90), asked("90")).await.unwrap();
    assert_eq!(store.setting("site").await.unwrap(), Some(json!(60)));

    store.add_profiles(&[profile(1, 16)]).await.unwrap();
    let suspect =
        async || store.suspect_profiles("p3701-0005", TRAIN, "", asked("suspect")).await.unwrap();
    assert_eq!(suspect().await, 1);
    store.add_profiles(&[profile(1, 16)]).await.unwrap();
    assert_eq!(suspect().await, 0, "it was measured again since");

    // A request that the database did not take is not known, and can be repeated.
    let nobody = store.job("nobody").await;
    assert!(matches!(nobody, Err(StoreError::NotFound { .. })));
    assert!(!store.cancel_job("nobody", asked("early")).await.unwrap());
}

async fn a_state_of_an_older_generation_is_not_taken(address: &str) {
    let store = open(address).await;
    store.put_job("a", &json!(1), Asked::new("", 1)).await.unwrap();
    say(&store, &[], &[("a", 1, JobState::Running)]).await;
    assert_eq!(store.job("a").await.unwrap().state, JobState::Running);
    store.put_job("a", &json!(2), Asked::new("", 4)).await.unwrap();
    say(&store, &[], &[("a", 1, JobState::Infeasible)]).await;
    assert_eq!(store.job("a").await.unwrap().state, JobState::Pending);
    for state in JobState::ALL {
        say(&store, &[], &[("a", 2, state)]).await;
        assert_eq!(store.job("a").await.unwrap().state, state);
    }
}

async fn plans_and_events_are_kept_in_their_order(address: &str) {
    let store = open(address).await;
    store.put_job("a", &json!(1), Asked::new("", 1)).await.unwrap();
    let plan = |board: &str, at: i64| StoredPlan {
        job: "a".into(),
        board: board.into(),
        generation: 1,
        plan: json!({"at": at}),
        origin: "front".into(),
        measurements: 0,
        made_at_ms: at,
    };
    store.add_plans(&[plan("x", 1), plan("y", 2), plan("x", 3)]).await.unwrap();
    assert_eq!(store.latest_plans("a").await.unwrap(), [plan("x", 3), plan("y", 2)]);
    let told = ["searching", "planned", "running"].map(|what| event("a", what));
    store.add_events(&told).await.unwrap();
    let events = store.events("a", 0, 10).await.unwrap();
    assert_eq!(events.len(), 3);
    let rest = store.events("a", events[0].id, 10).await.unwrap();
    assert_eq!(rest, events[1..]);
    let none = [event("a", "more"), event("nobody", "there is no such job")];
    assert!(store.add_events(&none).await.is_err());
    assert_eq!(store.events("a", 0, 10).await.unwrap().len(), 3, "all of them or none");
}

async fn searches_end_once(address: &str) {
    let store = open(address).await;
    let spec = json!({"train": "resnet18"});
    let first = store.add_search("s1", &spec, Asked::new("r1", 1)).await.unwrap();
    assert_eq!((first.state, first.measurements), (SearchState::Running, 0));
    assert_eq!(
        store.add_search("s2", &spec, Asked::new("r1", 2)).await.unwrap(),
        first,
        "the same request"
    );
    store.add_search("s3", &spec, Asked::new("", 3)).await.unwrap();
    store.add_search("s4", &spec, Asked::new("", 4)).await.unwrap();

    let progress = fulcrum_store::StoredSearch { measurements: 5, modes: 3, ..first.clone() };
    assert!(store.set_search(&progress).await.unwrap());
    let done = fulcrum_store::StoredSearch {
        state: SearchState::Done,
        outcome: Some(json!({"solved": true})),
        ..progress
    };
    assert!(store.set_search(&done).await.unwrap());
    let cancelled = fulcrum_store::StoredSearch { state: SearchState::Cancelled, ..first };
    assert!(!store.set_search(&cancelled).await.unwrap(), "it has ended");
    assert_eq!(store.search("s1").await.unwrap(), done);
    assert!(store.search("s2").await.is_err());
    let running = store.searches(Some(SearchState::Running), "", 10).await.unwrap();
    assert_eq!(running.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["s3", "s4"]);
    assert_eq!(store.searches(None, "s1", 1).await.unwrap()[0].id, "s3");
}
