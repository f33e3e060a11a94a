//! Leases: who may set, and that the board goes back however a lease ends.

use std::time::Duration;

use fulcrum_api::v1;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::process::{Agent, knobs, lease, set, shown};

#[tokio::test]
async fn a_mode_is_set_under_the_lease_and_goes_back_when_it_is_released() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated(folder.path(), &[]);
    let mut client = agent.client().await;
    let found = shown(&mut client).await;
    let lowest: Vec<f64> = knobs(&mut client).await.iter().map(|knob| knob.levels[0]).collect();
    assert_ne!(found, lowest);

    let refused = set(&mut client, "no lease", &lowest).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "LEASE_NOT_HELD");

    let mode = Some(v1::PowerMode { levels: lowest.clone() });
    let dry = v1::SetPowerModeRequest { mode, validate_only: true, ..Default::default() };
    let would = client.set_power_mode(dry).await.unwrap().into_inner();
    assert_eq!(would.applied.unwrap().levels, lowest);
    assert_eq!(would.observed.len(), lowest.len());
    assert_eq!(shown(&mut client).await, found, "asking changes nothing");

    let token = lease(&mut client, 60).await;
    assert!(!agent.journal());
    let change = set(&mut client, &token, &lowest).await.unwrap();
    assert_eq!(change.applied.unwrap().levels, lowest);
    assert!(change.overrides.is_empty());
    assert_eq!(shown(&mut client).await, lowest);
    assert!(agent.journal(), "the state found is on disk while the board is changed");

    let other = v1::TakeLeaseRequest { holder: "another".into(), ..Default::default() };
    let refused = client.take_lease(other.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("held by `a test`"), "{}", refused.message());

    let release = v1::ReleaseLeaseRequest { lease_token: token };
    client.release_lease(release.clone()).await.unwrap();
    assert_eq!(shown(&mut client).await, found);
    assert!(!agent.journal());
    client.release_lease(release).await.unwrap();
    client.take_lease(other).await.unwrap();
}

#[tokio::test]
async fn setting_a_mode_can_wait_until_the_board_has_settled() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated(folder.path(), &[]);
    let mut client = agent.client().await;
    let levels: Vec<f64> = knobs(&mut client).await.iter().map(|knob| knob.levels[0]).collect();
    let token = lease(&mut client, 60).await;
    let within = |seconds, nanos| v1::SetPowerModeRequest {
        lease_token: token.clone(),
        mode: Some(v1::PowerMode { levels: levels.clone() }),
        settle_within: Some(prost_types::Duration { seconds, nanos }),
        ..Default::default()
    };
    let change = client.set_power_mode(within(20, 0)).await.unwrap().into_inner();
    let after = change.settled_after.expect("a board without noise settles");
    let after = Duration::try_from(after).unwrap();
    // Two values of a sensor that has a new one every 430 ms, of the time after the change.
    assert!(after > Duration::from_millis(860) && after < Duration::from_secs(10), "{after:?}");

    let change = client.set_power_mode(within(0, 1_000_000)).await.unwrap().into_inner();
    assert_eq!(change.settled_after, None, "nothing settles within a millisecond");
    let refused = client.set_power_mode(within(21, 0)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("settle_within"), "{}", refused.message());
}

#[tokio::test]
async fn a_holder_that_does_not_renew_loses_the_lease_and_the_board_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated(folder.path(), &[]);
    let mut client = agent.client().await;
    let found = shown(&mut client).await;
    let lowest: Vec<f64> = knobs(&mut client).await.iter().map(|knob| knob.levels[0]).collect();
    let token = lease(&mut client, 1).await;
    set(&mut client, &token, &lowest).await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    client.renew_lease(v1::RenewLeaseRequest { lease_token: token.clone() }).await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(shown(&mut client).await, lowest, "renewed");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(shown(&mut client).await, found);
    assert_eq!(
        set(&mut client, &token, &lowest).await.unwrap_err().code(),
        Code::FailedPrecondition
    );
}

#[tokio::test]
async fn an_agent_that_is_stopped_puts_the_board_back_first() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated(folder.path(), &[]);
    let mut client = agent.client().await;
    let lowest: Vec<f64> = knobs(&mut client).await.iter().map(|knob| knob.levels[0]).collect();
    let token = lease(&mut client, 60).await;
    set(&mut client, &token, &lowest).await.unwrap();
    let journal = folder.path().join("state/found-state.json");
    assert!(journal.exists());
    assert!(agent.terminate().success());
    assert!(!journal.exists());
    assert!(!folder.path().join("agent.sock").exists());
}

#[tokio::test]
async fn a_second_agent_leaves_the_first_ones_board_alone() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated(folder.path(), &[]);
    let mut client = agent.client().await;
    let lowest: Vec<f64> = knobs(&mut client).await.iter().map(|knob| knob.levels[0]).collect();
    let token = lease(&mut client, 60).await;
    set(&mut client, &token, &lowest).await.unwrap();
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_fulcrum-agent"))
        .args(["--board", "simulated-orin-agx", "--socket"])
        .arg(folder.path().join("other.sock"))
        .arg("--state-dir")
        .arg(folder.path().join("state"))
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("another agent keeps its journal there"), "{said}");
    assert!(agent.journal());
    assert_eq!(shown(&mut client).await, lowest);
}

#[tokio::test]
async fn what_is_not_allowed_here_is_refused_whoever_asks() {
    let folder = tempfile::tempdir().unwrap();
    let limits = ["--allow", "gpu_khz=114750..930750", "--minimum-dwell", "30s"];
    let agent = Agent::simulated(folder.path(), &limits);
    let mut client = agent.client().await;
    let knobs = knobs(&mut client).await;
    let lowest: Vec<f64> = knobs.iter().map(|knob| knob.levels[0]).collect();
    let highest: Vec<f64> = knobs.iter().map(|knob| *knob.levels.last().unwrap()).collect();
    let token = lease(&mut client, 60).await;
    let refused = set(&mut client, &token, &highest).await.unwrap_err();
    assert_eq!(refused.get_details_error_info().unwrap().reason, "NOT_ALLOWED_HERE");
    assert!(refused.message().contains("gpu_khz at 1300500 is not allowed here"));
    set(&mut client, &token, &lowest).await.unwrap();
    let refused = set(&mut client, &token, &lowest).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn samples_are_watched_with_their_history() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated(folder.path(), &[]);
    let mut client = agent.client().await;
    client.get_sample(v1::GetSampleRequest {}).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let request = v1::WatchSamplesRequest {
        interval: Some(prost_types::Duration { seconds: 0, nanos: 20_000_000 }),
        history: Some(prost_types::Duration { seconds: 600, nanos: 0 }),
    };
    let mut samples = client.watch_samples(request).await.unwrap().into_inner();
    let mut last = 0.0;
    for _ in 0..20 {
        let sample = samples.message().await.unwrap().unwrap().sample.unwrap();
        assert_eq!(sample.values.len(), 6);
        assert!(sample.energy_joules >= last);
        last = sample.energy_joules;
    }
    assert!(last > 0.0);
}
