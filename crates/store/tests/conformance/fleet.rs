//! Boards, their windows, and what is forgotten.

use std::collections::BTreeMap;
use std::time::Duration;

use fulcrum_store::{
    Asked, Forgotten, FrontPoints, JobState, NewEvent, StoredBoard, StoredFront, StoredPlan,
    StoredWindow,
};
use serde_json::json;

use crate::samples::{TRAIN, board, board_state, event, open, say};

on_both!(
    windows_boards_fronts_and_settings_are_kept,
    boards_stand_as_was_last_said,
    a_change_of_what_is_wanted_counts_and_nothing_else_does,
    the_latest_window_of_each_board_is_found,
    history_is_forgotten_and_what_is_in_force_is_not,
);

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
    let job = store.put_job("j", &json!({"a": 2}), Asked::new("", 3)).await.unwrap();
    assert_eq!(job.revision, store.fleet_revision().await.unwrap(), "it says at which count");
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
