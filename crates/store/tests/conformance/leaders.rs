//! Who leads, and what others may say.

use std::time::Duration;

use fulcrum_store::{Asked, JobStanding, JobState, StoredBoardState};
use serde_json::json;

use crate::samples::{board, board_state, open};

on_both!(
    whoever_does_not_lead_any_more_has_nothing_to_say,
    one_leads_at_a_time_and_terms_tell_them_apart,
    a_clock_that_is_put_back_leaves_nobody_the_lead_for_long,
);

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
