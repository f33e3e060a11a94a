//! Workers that the agent of a simulated board simulates.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use fulcrum_api::{RemoteBoard, RemoteOptions, Seen, v1};
use tonic::Code;

use crate::plans::{plan, terms, turns};
use crate::process::{Agent, lease};

#[tokio::test]
async fn a_simulated_board_runs_a_plan_by_itself_and_accounts_for_its_energy() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated_at("1", folder.path(), &["--sample-interval", "20ms"]);
    let mut client = agent.client().await;
    let token = lease(&mut client, 60).await;
    let mut turns = turns(folder.path()).await;
    let worker = |workload: &str, kind: v1::WorkloadKind, rate| v1::SimulatedWorker {
        workload: workload.into(),
        kind: kind.into(),
        arrivals_per_second: rate,
        arrivals: "poisson".into(),
    };
    let unknown = v1::ApplyPlanRequest {
        lease_token: token.clone(),
        generation: 1,
        plan: Some(plan(vec![])),
        simulate: vec![worker("nobody", v1::WorkloadKind::Train, 0.0)],
    };
    let refused = turns.apply_plan(unknown).await.unwrap_err();
    assert!(refused.message().contains("does not simulate nobody train"), "{refused:?}");
    let budget = Duration::from_millis(800);
    let request = v1::ApplyPlanRequest {
        lease_token: token,
        generation: 1,
        plan: Some(plan(vec![
            terms("resnet18", 16, None),
            terms("mobilenet_v3", 16, Some(budget)),
        ])),
        simulate: vec![
            worker("resnet18", v1::WorkloadKind::Train, 0.0),
            worker("mobilenet_v3", v1::WorkloadKind::Infer, 30.0),
        ],
    };
    turns.apply_plan(request).await.unwrap();
    let sample = async |client: &mut fulcrum_api::AgentClient| {
        client.get_sample(v1::GetSampleRequest {}).await.unwrap().into_inner().sample.unwrap()
    };
    let before = sample(&mut client).await.energy_joules;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let standing = turns.get_turns(v1::GetTurnsRequest {}).await.unwrap().into_inner();
    let after = sample(&mut client).await.energy_joules;
    assert_eq!(standing.generation, 1);
    assert_eq!(standing.workers.len(), 2, "{standing:?}");
    let [infer, train] = ["mobilenet_v3", "resnet18"]
        .map(|name| standing.workers.iter().find(|w| w.workload == name).unwrap());
    assert!(train.minibatches > 10 && infer.requests > 30, "{standing:?}");
    assert!(train.joules > 0.0 && infer.joules > 0.0, "{standing:?}");
    let sum = train.joules + infer.joules + standing.idle_joules;
    assert!(sum >= 0.5 * (after - before) && sum <= after + 1.0, "{sum} of {before}..{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_tell_what_simulated_workers_do_until_the_plan_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated_at("1", folder.path(), &["--sample-interval", "100ms"]);
    let token = lease(&mut agent.client().await, 60).await;
    let mut turns = turns(folder.path()).await;
    let simulated = v1::SimulatedWorker {
        workload: "mobilenet_v3".into(),
        kind: v1::WorkloadKind::Infer.into(),
        arrivals_per_second: 20.0,
        arrivals: "constant".into(),
    };
    let budget = Some(Duration::from_millis(800));
    let request = v1::ApplyPlanRequest {
        lease_token: token.clone(),
        generation: 7,
        plan: Some(plan(vec![terms("mobilenet_v3", 4, budget)])),
        simulate: vec![simulated],
    };
    turns.apply_plan(request).await.unwrap();
    let length = prost_types::Duration { seconds: 0, nanos: 500_000_000 };
    let request = v1::WatchWindowsRequest { length: Some(length) };
    let mut windows = turns.watch_windows(request).await.unwrap().into_inner();
    let (mut arrived, mut answered) = (0, 0);
    for _ in 0..6 {
        let window = windows.message().await.unwrap().unwrap().window.unwrap();
        assert_eq!(window.generation, 7);
        let watts = window.mean_power_watts.unwrap();
        assert!((5.0..70.0).contains(&watts), "{watts}");
        for workload in &window.workloads {
            assert_eq!(workload.workload, "mobilenet_v3");
            arrived += workload.arrived;
            answered += workload.requests;
        }
    }
    assert!((45..=75).contains(&arrived) && answered + 12 >= arrived, "{arrived}, {answered}");

    let request = v1::ApplyPlanRequest {
        lease_token: token,
        generation: 8,
        plan: Some(plan(Vec::new())),
        simulate: Vec::new(),
    };
    turns.apply_plan(request).await.unwrap();
    for _ in 0..2 {
        windows.message().await.unwrap();
    }
    let window = windows.message().await.unwrap().unwrap().window.unwrap();
    assert!(window.workloads.is_empty(), "{window:?}");
    let wrong = prost_types::Duration { seconds: 3600, nanos: 0 };
    let refused = turns.watch_windows(v1::WatchWindowsRequest { length: Some(wrong) }).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
}

#[test]
fn watching_ends_in_time_however_slowly_somebody_looks() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated_at("1", folder.path(), &[]);
    let address = agent.address();
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        let mut board = RemoteBoard::borrow(&address, RemoteOptions::new("a test")).unwrap();
        let mut samples = 0;
        let watched = board.watch_turns(Duration::from_millis(2500), |seen| {
            if matches!(seen, Seen::Sample(_)) {
                samples += 1;
                thread::sleep(Duration::from_millis(1100));
            }
        });
        done.send(watched.map(|()| samples)).unwrap();
    });
    let samples = ended.recv_timeout(Duration::from_secs(15)).expect("it ends").unwrap();
    assert!((1..=2).contains(&samples), "{samples}");
}
