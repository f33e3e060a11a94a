//! What every store does, on SQLite and on Postgres.

#![expect(clippy::unwrap_used, reason = "what a test asks for is there")]

use std::collections::BTreeMap;
use std::time::Duration;

use fulcrum_domain::{Knob, ModeSpace};
use fulcrum_store::{
    Asked, Forgotten, FrontPoints, JobStanding, JobState, NewEvent, ProfileFilter, SearchState,
    Store, StoreError, StoredBoard, StoredBoardState, StoredFront, StoredPlan, StoredProfile,
    StoredWindow, WorkloadVersion, mode_from_text, mode_text,
};
use fulcrum_throwaway_postgres::Postgres;
use serde_json::json;

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
                let server = super::Postgres::start();
                super::$name(&server.address()).await;
            })+
        }
    };
}

on_both!(
    profiles_are_kept_replaced_and_found,
    a_hundred_thousand_profiles_are_kept_in_time,
    all_profiles_of_a_call_are_kept_or_none,
    texts_stay_what_they_are,
    jobs_change_by_their_spec_and_repeated_requests_change_nothing,
    a_request_that_comes_late_or_twice_changes_nothing,
    history_is_forgotten_and_what_is_in_force_is_not,
    a_clock_that_is_put_back_leaves_nobody_the_lead_for_long,
    a_state_of_an_older_generation_is_not_taken,
    whoever_does_not_lead_any_more_has_nothing_to_say,
    searches_end_once,
    plans_and_events_are_kept_in_their_order,
    windows_boards_fronts_and_settings_are_kept,
    one_leads_at_a_time_and_terms_tell_them_apart,
    opening_again_keeps_everything,
    boards_stand_as_was_last_said,
    a_change_of_what_is_wanted_counts_and_nothing_else_does,
    the_latest_window_of_each_board_is_found,
    a_suspect_profile_takes_the_fronts_built_of_it_along,
);

fn profile(mode: i64, batch_size: i64) -> StoredProfile {
    StoredProfile {
        board_model: "p3701-0005".into(),
        software: "L4T 36.4.3".into(),
        workload: "resnet18".into(),
        kind: "train".into(),
        fingerprint: String::new(),
        mode: format!("cpu_cores=4 gpu_khz={mode}"),
        batch_size,
        minibatch_seconds: Some(0.05),
        power_watts: Some(31.25),
        relative_error: 0.01,
        failure: None,
        peak_temperature_celsius: Some(51.5),
        measured_by: "orin-7".into(),
        measured_at_ms: 1_764_000_000_000,
        suspect: false,
    }
}

const TRAIN: WorkloadVersion<'static> =
    WorkloadVersion { name: "resnet18", kind: "train", fingerprint: "" };

async fn open(address: &str) -> Store {
    Store::open(address).await.unwrap()
}

async fn profiles_are_kept_replaced_and_found(address: &str) {
    let store = open(address).await;
    let failed = StoredProfile {
        minibatch_seconds: None,
        power_watts: None,
        failure: Some("the workload ran out of memory".into()),
        ..profile(3, 16)
    };
    let other = StoredProfile { workload: "lstm".into(), kind: "infer".into(), ..profile(1, 4) };
    let all = [profile(1, 16), profile(2, 16), failed.clone(), other.clone()];
    store.add_profiles(&all).await.unwrap();
    assert_eq!(store.all_profiles(&ProfileFilter::default()).await.unwrap(), all);
    let lstm = ProfileFilter { workload: Some("lstm".into()), ..Default::default() };
    assert_eq!(store.all_profiles(&lstm).await.unwrap(), [other]);

    let suspected = store
        .suspect_profiles("p3701-0005", TRAIN, "cpu_cores=4 gpu_khz=2", Asked::default())
        .await;
    assert_eq!(suspected.unwrap(), 1);
    let train = ProfileFilter { kind: Some("train".into()), ..Default::default() };
    assert!(store.all_profiles(&train).await.unwrap()[1].suspect);
    let again = StoredProfile { power_watts: Some(30.0), ..profile(2, 16) };
    store.add_profiles(&[profile(2, 16), again.clone()]).await.unwrap();
    let found = store.all_profiles(&train).await.unwrap();
    assert_eq!(found, [profile(1, 16), again, failed], "the later one, in the earlier's place");

    let (page, next) = store.profiles(&train, 0, 2).await.unwrap();
    let (rest, end) = store.profiles(&train, next.unwrap(), 2).await.unwrap();
    assert_eq!((page.len(), rest.len(), end), (2, 1, None));
}

async fn a_hundred_thousand_profiles_are_kept_in_time(address: &str) {
    let store = open(address).await;
    let profiles: Vec<_> = (0..100_000).map(|mode| profile(mode, 16)).collect();
    let began = std::time::Instant::now();
    for chunk in profiles.chunks(20_000) {
        store.add_profiles(chunk).await.unwrap();
    }
    let a_second = 100_000.0 / began.elapsed().as_secs_f64();
    assert!(a_second > 2_000.0, "{a_second:.0} a second, ten times fewer than there should be");
    assert_eq!(store.all_profiles(&ProfileFilter::default()).await.unwrap().len(), 100_000);
}

async fn all_profiles_of_a_call_are_kept_or_none(address: &str) {
    let store = open(address).await;
    let many = (0..5_000).map(|mode| profile(mode, 16));
    // Postgres refuses the name, SQLite the number.
    let bad = StoredProfile { relative_error: f64::NAN, ..profile(9_999, 16) };
    let bad = StoredProfile { workload: "bad\0".into(), ..bad };
    let refused = store.add_profiles(&many.chain([bad]).collect::<Vec<_>>()).await;
    let kept = store.all_profiles(&ProfileFilter::default()).await.unwrap().len();
    assert!(refused.is_err() && kept == 0, "{refused:?}, {kept} kept");
    store.add_profiles(&[]).await.unwrap();
}

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

/// Says as the leader of the first term how boards and jobs stand.
async fn say(store: &Store, boards: &[StoredBoardState], jobs: &[(&str, i64, JobState)]) {
    let term = store.lead("test", "a", Duration::from_mins(1)).await.unwrap().unwrap().term;
    let standing = |&(job, generation, state): &(&str, i64, JobState)| JobStanding {
        job: job.into(),
        generation,
        state,
        message: state.as_str().into(),
    };
    let jobs: Vec<_> = jobs.iter().map(standing).collect();
    assert!(store.set_standings(("test", term), boards, &jobs, 6).await.unwrap());
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

async fn whoever_does_not_lead_any_more_has_nothing_to_say(address: &str) {
    let store = open(address).await;
    store.put_job("j", &json!(1), Asked::new("", 1)).await.unwrap();
    store.put_board(&board("a"), Asked::default()).await.unwrap();
    let lead = async |holder: &str| {
        let lead = store.lead("test", holder, Duration::from_millis(20)).await.unwrap();
        lead.unwrap().term
    };
    let earlier = lead("a").await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    let later = lead("b").await;
    let said =
        |state| JobStanding { job: "j".into(), generation: 1, state, message: String::new() };
    let state =
        |message: &str| StoredBoardState { message: message.into(), ..board_state("a", None) };
    let now = [said(JobState::Running)];
    assert!(store.set_standings(("test", later), &[state("new")], &now, 2).await.unwrap());
    let old = [said(JobState::Blocked)];
    assert!(!store.set_standings(("test", earlier), &[state("old")], &old, 3).await.unwrap());
    assert_eq!(store.job("j").await.unwrap().state, JobState::Running);
    assert_eq!(store.board_states().await.unwrap(), [state("new")]);
}

async fn searches_end_once(address: &str) {
    let store = open(address).await;
    let spec = json!({"train": "resnet18"});
    let first = store.add_search("s1", &spec, "r1", 1).await.unwrap();
    assert_eq!((first.state, first.measurements), (SearchState::Running, 0));
    assert_eq!(store.add_search("s2", &spec, "r1", 2).await.unwrap(), first, "the same request");
    store.add_search("s3", &spec, "", 3).await.unwrap();
    store.add_search("s4", &spec, "", 4).await.unwrap();

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

fn event(job: &str, what: &str) -> NewEvent {
    NewEvent { job: job.into(), board: "x".into(), at_ms: 5, what: what.into() }
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

async fn windows_boards_fronts_and_settings_are_kept(address: &str) {
    let store = open(address).await;
    let window = |at: i64| StoredWindow {
        job: "a".into(),
        board: "x".into(),
        ended_at_ms: at,
        seconds: 1.0,
        minibatches: 9,
        requests: 60,
        late_requests: 0,
        longest_latency_seconds: None,
        power_watts: Some(29.5),
    };
    let windows: Vec<_> = (0..7_000).map(window).collect();
    store.add_windows(&windows).await.unwrap();
    assert_eq!(store.windows("a", 2).await.unwrap(), [window(6_999), window(6_998)]);
    let forgotten = Forgotten { windows: 6_000, ..Default::default() };
    assert_eq!(store.forget_windows(6_000).await.unwrap(), forgotten);

    let labels = BTreeMap::from([("site".to_owned(), "lab".to_owned())]);
    let board = |address: &str| StoredBoard {
        name: "x".into(),
        address: address.into(),
        labels: labels.clone(),
        stand_in: String::new(),
        simulate: address.ends_with('b'),
        metrics: format!("{address}:9600"),
        lease_id: "one".into(),
        registered_at_ms: 1,
    };
    store.put_board(&board("unix:///a"), Asked::default()).await.unwrap();
    store.put_board(&board("unix:///b"), Asked::default()).await.unwrap();
    assert_eq!(store.boards().await.unwrap(), [board("unix:///b")]);
    assert!(store.remove_board("x", Asked::default()).await.unwrap());
    assert!(!store.remove_board("x", Asked::default()).await.unwrap());

    let front = |measurements| StoredFront {
        board_model: "p3701-0005".into(),
        software: "L4T 36.4.3".into(),
        background: "resnet18 train".into(),
        urgent: String::new(),
        strategy: "als".into(),
        measurements,
        built_at_ms: 7,
    };
    store.put_front(&front(50), &[TRAIN]).await.unwrap();
    store.put_front(&front(60), &[TRAIN]).await.unwrap();
    let (board, by) = (("p3701-0005", "L4T 36.4.3"), ("resnet18 train", ""));
    let found = store.front(board, by).await.unwrap();
    assert_eq!(found, Some((front(60), None)));
    let points = FrontPoints { as_of: 7, points: "[4, 2]".to_owned() };
    store.put_front_points(board, by, &points).await.unwrap();
    store.put_front_points(board, ("lstm train", ""), &points).await.unwrap();
    assert_eq!(store.front(board, by).await.unwrap(), Some((front(60), Some(points))));
    assert_eq!(store.front(("p3701-0005", "other"), by).await.unwrap(), None);
    assert_eq!(store.fronts().await.unwrap(), [front(60)]);

    assert_eq!(store.setting("site_power").await.unwrap(), None);
    store.put_setting("site_power", &json!({"watts": 90.0}), Asked::default()).await.unwrap();
    store.put_setting("site_power", &json!({"watts": 60.0}), Asked::default()).await.unwrap();
    assert_eq!(store.setting("site_power").await.unwrap(), Some(json!({"watts": 60.0})));
}

async fn one_leads_at_a_time_and_terms_tell_them_apart(address: &str) {
    let store = open(address).await;
    let (long, short) = (Duration::from_mins(1), Duration::from_millis(50));
    let lead = |holder: &'static str, time| {
        let store = store.clone();
        async move { store.lead("scheduler", holder, time).await.unwrap().map(|l| l.term) }
    };
    let first = lead("a", long).await.unwrap();
    assert!(first > 1_700_000_000, "above that of any earlier database: {first}");
    assert_eq!(lead("b", long).await, None);
    assert_eq!(lead("a", short).await, Some(first));
    tokio::time::sleep(Duration::from_millis(120)).await;
    assert_eq!(lead("b", long).await, Some(first + 1));
    assert_eq!(lead("a", long).await, None);
    store.step_down("scheduler", "a").await.unwrap();
    assert_eq!(lead("a", long).await, None, "it is not a's to give up");
    store.step_down("scheduler", "b").await.unwrap();
    assert_eq!(lead("a", long).await, Some(first + 2));

    // Whoever asks at the same time, one gets it.
    let mut asking = Vec::new();
    for holder in ["c", "d", "e", "f", "g", "h"] {
        let store = store.clone();
        asking.push(tokio::spawn(async move { store.lead("other", holder, long).await.unwrap() }));
    }
    let mut leaders = 0;
    for asked in asking {
        leaders += usize::from(asked.await.unwrap().is_some());
    }
    assert_eq!(leaders, 1);
}

async fn a_clock_that_is_put_back_leaves_nobody_the_lead_for_long(address: &str) {
    let store = open(address).await;
    let short = Duration::from_millis(300);
    let lead = async |holder| store.lead("r", holder, short).await.unwrap().map(|l| l.term);
    let put_back = async || {
        let text = "UPDATE leaders SET taken_at_ms = taken_at_ms + 3600000, \
                    expires_at_ms = expires_at_ms + 3600000";
        if address.starts_with("sqlite:") {
            let pool = sqlx::SqlitePool::connect(address).await.unwrap();
            sqlx::query(text).execute(&pool).await.unwrap();
        } else {
            let pool = sqlx::PgPool::connect(address).await.unwrap();
            sqlx::query(text).execute(&pool).await.unwrap();
        }
    };
    let first = lead("a").await.unwrap();
    // Whoever leads goes on as if nothing had happened.
    put_back().await;
    assert_eq!(lead("a").await, Some(first));
    // Where it is gone, another waits as long as always, and no hour.
    put_back().await;
    assert_eq!(lead("b").await, None, "it may be there yet");
    assert_eq!(lead("b").await, None);
    tokio::time::sleep(2 * short).await;
    assert_eq!(lead("b").await, Some(first + 1));
    assert_eq!(lead("a").await, None);
    // What was given up is free at once.
    store.step_down("r", "b").await.unwrap();
    put_back().await;
    let _ = lead("a").await;
    assert_eq!(lead("a").await, Some(first + 2));
    store.end_role("r", "b").await.unwrap();
    assert_eq!(lead("b").await, None, "it is not b's to end");
    store.end_role("r", "a").await.unwrap();
    assert!(lead("b").await.is_some());
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

async fn history_is_forgotten_and_what_is_in_force_is_not(address: &str) {
    let store = open(address).await;
    store.put_job("a", &json!(1), Asked::new("r", 10)).await.unwrap();
    let plan = |board: &str, made_at_ms| StoredPlan {
        job: "a".into(),
        board: board.into(),
        generation: 1,
        plan: json!({}),
        origin: "front".into(),
        measurements: 0,
        made_at_ms,
    };
    let plans = [plan("x", 10), plan("y", 11), plan("x", 20), plan("x", 30)];
    store.add_plans(&plans).await.unwrap();
    let events = [event("a", "first"), NewEvent { at_ms: 100, ..event("a", "second") }];
    store.add_events(&events).await.unwrap();
    let lead = async |role, duration| store.lead(role, "x", duration).await.unwrap().unwrap();
    let held = lead("held", Duration::from_mins(1)).await;
    let forgotten = store.forget_history(25).await.unwrap();
    assert_eq!(forgotten, Forgotten { plans: 2, events: 1, requests: 1, ..Default::default() });
    assert_eq!(store.forget_history(25).await.unwrap(), Forgotten::default());
    assert_eq!(store.latest_plans("a").await.unwrap(), [plan("x", 30), plan("y", 11)]);
    let left = store.events("a", 0, 10).await.unwrap();
    assert_eq!((left.len(), left[0].what.as_str()), (1, "second"));

    // A role that has run out is forgotten, one that somebody has is not.
    lead("left", Duration::ZERO).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let forgotten = store.forget_history(i64::try_from(now).unwrap()).await.unwrap();
    assert_eq!((forgotten.roles, forgotten.plans), (1, 0));
    assert_eq!(lead("held", Duration::from_mins(1)).await, held);
}

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
    for (address, said) in [("mysql://me:secret@host/db", "mysql://…@host/db"), ("x", "`x`")] {
        let error = Store::open(address).await.unwrap_err().to_string();
        assert!(error.contains(said) && !error.contains("secret"), "{error}");
        assert!(error.contains("postgres://"), "{error}");
    }
    let gone = Store::open("postgres://me@%2Fnowhere/db").await.unwrap_err();
    assert!(gone.is_passing(), "{gone}");
}

fn board(name: &str) -> StoredBoard {
    StoredBoard {
        name: name.into(),
        address: format!("unix:///{name}"),
        labels: BTreeMap::new(),
        stand_in: String::new(),
        simulate: false,
        metrics: String::new(),
        lease_id: format!("lease of {name}"),
        registered_at_ms: 1,
    }
}

fn board_state(board: &str, budget_watts: Option<f64>) -> StoredBoardState {
    StoredBoardState {
        board: board.into(),
        job: "j".into(),
        state: "running".into(),
        message: "as planned".into(),
        model: "m".into(),
        software: "s".into(),
        budget_watts,
        updated_at_ms: 7,
    }
}

async fn boards_stand_as_was_last_said(address: &str) {
    let store = open(address).await;
    store.put_board(&board("a"), Asked::default()).await.unwrap();
    store.put_board(&board("b"), Asked::default()).await.unwrap();
    let state = board_state;
    let said = [state("a", None), state("b", Some(20.0)), state("gone", None)];
    say(&store, &said, &[]).await;
    say(&store, &[state("a", Some(30.0))], &[]).await;
    let found = store.board_states().await.unwrap();
    assert_eq!(found, [state("a", Some(30.0)), state("b", Some(20.0))]);
    store.remove_board("a", Asked::default()).await.unwrap();
    assert_eq!(store.board_states().await.unwrap().len(), 1);
}

async fn a_change_of_what_is_wanted_counts_and_nothing_else_does(address: &str) {
    let store = open(address).await;
    let mut last = store.fleet_revision().await.unwrap();
    let mut grown = async || {
        let now = store.fleet_revision().await.unwrap();
        now > std::mem::replace(&mut last, now)
    };
    store.put_board(&board("a"), Asked::default()).await.unwrap();
    assert!(grown().await, "a board came");
    let job = store.put_job("j", &json!({"a": 1}), Asked::new("", 1)).await.unwrap();
    assert!(grown().await, "a job came");
    say(&store, &[board_state("a", None)], &[("j", job.generation, JobState::Running)]).await;
    store.add_events(&[event("j", "something")]).await.unwrap();
    assert!(!grown().await, "that it runs is no wish");
    store.put_job("j", &json!({"a": 2}), Asked::new("", 3)).await.unwrap();
    assert!(grown().await, "a job changed");
    assert_eq!(store.jobs_to_tend().await.unwrap().len(), 1);
    store.cancel_job("j", Asked::new("", 4)).await.unwrap();
    assert!(grown().await, "a job ends");
    assert_eq!(store.jobs_to_tend().await.unwrap().len(), 1, "until it has ended");
    say(&store, &[], &[("j", 2, JobState::Cancelled)]).await;
    assert!(store.jobs_to_tend().await.unwrap().is_empty());
    store.put_setting("site_power_watts", &json!(100.0), Asked::default()).await.unwrap();
    assert!(grown().await, "a setting came");
    store.put_setting("site_power_watts", &json!(90.0), Asked::default()).await.unwrap();
    assert!(grown().await, "a setting changed");
    store.remove_board("a", Asked::default()).await.unwrap();
    assert!(grown().await, "a board went");
}

async fn the_latest_window_of_each_board_is_found(address: &str) {
    let store = open(address).await;
    let window = |board: &str, ended_at_ms| StoredWindow {
        job: "j".into(),
        board: board.into(),
        ended_at_ms,
        seconds: 1.0,
        minibatches: ended_at_ms,
        requests: 60,
        late_requests: 0,
        longest_latency_seconds: Some(0.1),
        power_watts: None,
    };
    let all = [window("a", 1), window("b", 2), window("a", 3), window("c", 0)];
    store.add_windows(&all).await.unwrap();
    assert_eq!(store.latest_windows(1).await.unwrap(), [window("a", 3), window("b", 2)]);
}

async fn a_suspect_profile_takes_the_fronts_built_of_it_along(address: &str) {
    let store = open(address).await;
    let front = |background: &str, urgent: &str| StoredFront {
        board_model: "p3701-0005".into(),
        software: "L4T 36.4.3".into(),
        background: background.into(),
        urgent: urgent.into(),
        strategy: "als".into(),
        measurements: 50,
        built_at_ms: 1,
    };
    for (background, urgent) in [("resnet18 train", "lstm"), ("resnet18 train", ""), ("", "lstm")] {
        store.put_front(&front(background, urgent), &[]).await.unwrap();
    }
    let on = ("p3701-0005", "L4T 36.4.3");
    let revision = async || store.profiles_revision(on, &[("resnet18", "train")]).await.unwrap();
    let of_others = async || store.profiles_revision(on, &[("lstm", "infer")]).await.unwrap();
    let (before, others) = (revision().await, of_others().await);
    store.add_profiles(&[profile(1, 16)]).await.unwrap();
    assert!(revision().await > before, "whoever has read reads anew");
    let suspect = async |mode: &str| {
        store.suspect_profiles("p3701-0005", TRAIN, mode, Asked::default()).await.unwrap()
    };
    assert_eq!(suspect("cpu_cores=4 gpu_khz=9").await, 0);
    assert_eq!(store.fronts().await.unwrap().len(), 3, "nothing is suspected");
    let before = revision().await;
    assert_eq!(suspect("cpu_cores=4 gpu_khz=1").await, 1);
    assert!(revision().await > before);
    assert_eq!(of_others().await, others, "those of others are as they were");
    assert_eq!(store.fronts().await.unwrap(), [front("", "lstm")]);
    store.add_profiles(&[profile(1, 16), profile(2, 16), profile(3, 16)]).await.unwrap();
    assert_eq!(suspect("").await, 3, "all of the workload");

    // Another version of it is another workload.
    let other = StoredProfile { fingerprint: "2b7e".into(), ..profile(1, 16) };
    let version = WorkloadVersion { fingerprint: "2b7e", ..TRAIN };
    store.add_profiles(&[other]).await.unwrap();
    store.put_front(&front(&version.in_background(), "lstm"), &[version]).await.unwrap();
    assert_eq!(suspect("").await, 3);
    assert_eq!(store.fronts().await.unwrap().len(), 2);
    let suspected = store.suspect_profiles("p3701-0005", version, "", Asked::default());
    assert_eq!(suspected.await.unwrap(), 1);
    assert_eq!(store.fronts().await.unwrap(), [front("", "lstm")]);
}
