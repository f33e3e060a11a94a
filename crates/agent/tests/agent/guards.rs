//! The guards of a running agent, and measurements that end otherwise than with a profile.

use std::time::{Duration, Instant};

use fulcrum_api::{AgentClient, v1};
use v1::measure_failure::Kind;
use v1::measure_response::Update;

use crate::process::{Agent, knobs, lease, set, shown};

/// Measures training at a mode; gives the stream of what is said of it.
async fn measure(
    client: &mut AgentClient,
    token: &str,
    levels: &[f64],
    timeout: Duration,
) -> tonic::Streaming<v1::MeasureResponse> {
    let request = v1::MeasureRequest {
        lease_token: token.into(),
        workload: "resnet18".into(),
        kind: v1::WorkloadKind::Train.into(),
        batch_size: 16,
        mode: Some(v1::PowerMode { levels: levels.to_vec() }),
        minibatches: 10_000,
        timeout: Some(prost_types::Duration {
            seconds: timeout.as_secs().cast_signed(),
            nanos: timeout.subsec_nanos().cast_signed(),
        }),
        ..v1::MeasureRequest::default()
    };
    client.measure(request).await.unwrap().into_inner()
}

async fn failure(mut updates: tonic::Streaming<v1::MeasureResponse>) -> Kind {
    loop {
        match updates.message().await.unwrap().expect("it ends with an answer").update {
            Some(Update::Failure(failure)) => return failure.kind(),
            Some(Update::Profile(profile)) => unreachable!("a profile: {profile:?}"),
            _ => {}
        }
    }
}

async fn status(client: &mut AgentClient) -> v1::GetStatusResponse {
    client.get_status(v1::GetStatusRequest {}).await.unwrap().into_inner()
}

async fn highest(client: &mut AgentClient) -> Vec<f64> {
    knobs(client).await.iter().map(|knob| *knob.levels.last().unwrap()).collect()
}

const LONG: Duration = Duration::from_mins(10);

#[tokio::test]
async fn a_board_that_draws_too_much_steps_down_reports_and_fails_the_measurement() {
    let folder = tempfile::tempdir().unwrap();
    // Sensors are read once in 500 real milliseconds at most, whatever the interval says.
    let flags = ["--max-watts", "25", "--guard-hold", "0s", "--sample-interval", "1min"];
    let agent = Agent::simulated_at("1", folder.path(), &flags);
    let mut client = agent.client().await;
    let found = shown(&mut client).await;
    let highest = highest(&mut client).await;
    let token = lease(&mut client, 60).await;
    let updates = measure(&mut client, &token, &highest, LONG).await;
    assert_eq!(failure(updates).await, Kind::Throttled);
    let status = status(&mut client).await;
    let action = status.guard_actions.first().expect("the guard says what it did");
    assert!(action.reason.ends_with("W drawn is over 25W"), "{}", action.reason);
    let lower = &action.mode.as_ref().unwrap().levels;
    assert!(lower.iter().zip(&highest).all(|(now, before)| now <= before) && *lower != highest);
    client.release_lease(v1::ReleaseLeaseRequest { lease_token: token }).await.unwrap();
    assert_eq!(shown(&mut client).await, found);
}

#[tokio::test]
async fn a_board_that_is_too_hot_steps_down_until_the_lowest_mode_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated(folder.path(), &["--max-celsius", "5", "--guard-hold", "10ms"]);
    let mut client = agent.client().await;
    let lowest: Vec<f64> = knobs(&mut client).await.iter().map(|knob| knob.levels[0]).collect();
    let highest = highest(&mut client).await;
    let token = lease(&mut client, 60).await;
    set(&mut client, &token, &highest).await.unwrap();
    let began = Instant::now();
    let last = loop {
        let status = status(&mut client).await;
        let last = status.guard_actions.last().cloned();
        if let Some(last) = last.filter(|last| last.reason.contains("no lower mode")) {
            break last;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", status.guard_actions);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(last.reason.contains("is over 5C"), "{}", last.reason);
    assert_eq!(shown(&mut client).await, lowest);
    // Whoever asks for more gets it only until the guard looks again: it never steps up.
    assert!(agent.journal());
}

#[tokio::test]
async fn a_measurement_that_does_not_end_in_time_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated(folder.path(), &[]);
    let mut client = agent.client().await;
    let highest = highest(&mut client).await;
    let token = lease(&mut client, 60).await;
    let updates = measure(&mut client, &token, &highest, Duration::from_secs(5)).await;
    assert_eq!(failure(updates).await, Kind::TimedOut);
}

#[tokio::test]
async fn a_measurement_that_nobody_listens_to_ends() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated_at("10", folder.path(), &[]);
    let mut client = agent.client().await;
    let highest = highest(&mut client).await;
    let token = lease(&mut client, 1).await;
    let mut updates = measure(&mut client, &token, &highest, LONG).await;
    updates.message().await.unwrap().expect("it has begun");
    // A measurement keeps its lease alive, so the lease outlives its second while it runs...
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(status(&mut client).await.lease.is_some());
    drop(updates);
    // ... and ends with it when nobody renews it any more.
    let began = Instant::now();
    while status(&mut client).await.lease.is_some() {
        assert!(began.elapsed() < Duration::from_secs(5), "{}", agent.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!agent.journal(), "the board was put back");
}
