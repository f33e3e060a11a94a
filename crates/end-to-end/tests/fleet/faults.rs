//! Processes that are killed at random moments, and one that hangs, twenty times each.

use fulcrum_api::{connect_turns, v1};
use fulcrum_end_to_end::{Client, job_spec, pair};
use rand::RngExt as _;

use crate::rig::{PATIENCE, ROUNDS, Rig};

#[tokio::test(flavor = "multi_thread")]
async fn schedulers_that_are_killed_lose_nothing() {
    let mut rig = Rig::build("scheduler").await;
    for _ in 0..ROUNDS {
        let watts = rig.change().await;
        rig.moment(100).await;
        rig.scheduler.take().unwrap().kill();
        rig.moment(200).await;
        rig.scheduler = Some(rig.house.scheduler("scheduler", "optimizer"));
        rig.converges(watts).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn optimizers_that_are_killed_lose_nothing() {
    let mut rig = Rig::build("optimizer").await;
    for _ in 0..ROUNDS {
        let watts = rig.change().await;
        rig.moment(20).await;
        rig.optimizer.take().unwrap().kill();
        let watts = if rig.rng.random() { rig.change().await } else { watts };
        rig.moment(200).await;
        rig.optimizer = Some(rig.house.optimizer("optimizer"));
        rig.converges(watts).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_that_are_killed_get_their_plan_again() {
    let mut rig = Rig::build("agent").await;
    for _ in 0..ROUNDS {
        let watts = rig.change().await;
        rig.moment(100).await;
        rig.agent.take().unwrap().kill();
        let watts = if rig.rng.random() { rig.change().await } else { watts };
        rig.moment(200).await;
        rig.agent = Some(rig.house.agent("a"));
        rig.converges(watts).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_that_are_killed_lose_nothing() {
    let mut rig = Rig::build("postgres").await;
    for _ in 0..ROUNDS {
        let watts = rig.change().await;
        rig.moment(100).await;
        rig.house.postgres.kill();
        rig.moment(500).await;
        rig.house.postgres.restart();
        rig.converges(watts).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_hangs_is_replaced_and_does_not_act_when_it_wakes() {
    let mut rig = Rig::build("leader").await;
    let second = rig.house.scheduler("second", "optimizer");
    let first = rig.scheduler.take().unwrap();
    let address = rig.house.address("a").parse().unwrap();
    let generation = async || {
        let mut turns = connect_turns(&address).await.unwrap();
        turns.get_turns(v1::GetTurnsRequest {}).await.unwrap().into_inner().generation
    };
    let mut replicas = [("scheduler", first), ("second", second)];
    for _ in 0..ROUNDS {
        let before = generation().await;
        replicas[0].1.hang(true);
        // The other one is told, and takes over.
        let mut client = Client::of(&rig.house, replicas[1].0).await;
        let watts = rig.another_budget();
        client.submit("j", job_spec("x", pair(watts, 60.0))).await.unwrap();
        client
            .until("j", PATIENCE, |answer| {
                answer.boards.first().is_some_and(|board| board.budget_watts == Some(watts))
            })
            .await;
        let after = generation().await;
        assert!(after >> 32 > before >> 32, "another term: {before:x} {after:x}");
        replicas[0].1.hang(false);
        rig.moment(300).await;
        let later = generation().await;
        assert_eq!(later >> 32, after >> 32, "the one that woke does not act");
        replicas.swap(0, 1);
    }
}
