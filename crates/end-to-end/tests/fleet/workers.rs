//! Training and inference programs that are killed while a fleet's job runs on them.

use std::process::{Child, Command};
use std::time::Duration;

use fulcrum_api::{TurnClient, connect_turns, v1};
use fulcrum_end_to_end::{Client, House};
use fulcrum_fake_jetson::orin_agx_jp6;
use rand::RngExt as _;

use crate::rig::{PATIENCE, ROUNDS, Rig, seed};

const SECOND: Duration = Duration::from_secs(1);

/// A program that has attached, or will.
struct Worker(Child);

impl Worker {
    fn start(house: &House, kind: &str, name: &str) -> Self {
        let program = env!("CARGO_BIN_EXE_fulcrum-end-to-end-worker");
        let socket = house.folder().join("a-workers.sock");
        Self(Command::new(program).arg(socket).args([kind, name]).spawn().unwrap())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Waits for a window in which these workloads ran, and no other of the two.
async fn until_only(turns: &mut TurnClient, running: &[&str]) {
    let length = Some(fulcrum_api::duration_to_wire(SECOND / 2));
    let request = v1::WatchWindowsRequest { length };
    let mut windows = turns.watch_windows(request).await.unwrap().into_inner();
    let watched = async {
        loop {
            let window = windows.message().await.unwrap().unwrap().window.unwrap();
            let ran = window.workloads.iter().filter(|seen| seen.minibatches > 0);
            let mut ran: Vec<_> = ran.map(|seen| seen.workload.as_str()).collect();
            ran.sort_unstable();
            if ran == running {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, watched).await.expect("they run");
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_are_killed_are_done_without_until_they_return() {
    let rng = seed("workers");
    let house = House::build();
    let root = house.folder().join("root");
    orin_agx_jp6().write_to(&root).unwrap();
    let (optimizer, scheduler) =
        (house.optimizer("optimizer"), house.scheduler("scheduler", "optimizer"));
    let agent = house.agent_of("a", &["--board", "jetson", "--root", root.to_str().unwrap()]);
    let start = |house: &House, name: &str| {
        Worker::start(house, if name == "a" { "train" } else { "infer" }, name)
    };
    let mut workers = ["a", "b"].map(|name| Some(start(&house, name)));
    let mut client = Client::of(&house, "scheduler").await;
    let board = v1::FleetBoard {
        name: "boards/a".into(),
        address: house.address("a"),
        ..Default::default()
    };
    let request = v1::RegisterBoardRequest { board: Some(board), ..Default::default() };
    client.scheduler.register_board(request).await.unwrap();
    let spec = v1::JobSpec {
        problem: Some(v1::Problem {
            train: "a".into(),
            infer: "b".into(),
            rate_hertz: 20.0,
            latency_seconds: 0.5,
            power_watts: 60.0,
            ..Default::default()
        }),
        strategy: "gmd".into(),
        ..Default::default()
    };
    client.submit("j", spec).await.unwrap();
    client.until_runs("j", 1, 3 * PATIENCE).await;
    let mut turns = connect_turns(&house.address("a").parse().unwrap()).await.unwrap();
    until_only(&mut turns, &["a", "b"]).await;

    let mut rig = Rig::of(house, rng, client, [optimizer, scheduler, agent]).await;
    for _ in 0..ROUNDS {
        rig.moment(300).await;
        let killed = rig.rng.random_range(0..workers.len());
        let name = ["a", "b"][killed];
        workers[killed] = None;
        if rig.rng.random() {
            until_only(&mut turns, &[["a", "b"][1 - killed]]).await;
        } else {
            rig.moment(100).await;
        }
        workers[killed] = Some(start(&rig.house, name));
        until_only(&mut turns, &["a", "b"]).await;
    }
    let job = rig.client.until_runs("j", 1, PATIENCE).await;
    assert_eq!(rig.profiles().await, rig.profiles, "nothing was measured again: {job:?}");
    assert!(rig.has(job.plans[0].plan.as_ref().unwrap()).await, "the board is held");
}
