//! A network that is cut, that swallows what is sent, and that delivers it twice and late.

use std::time::Duration;

use fulcrum_api::{connect, v1};
use fulcrum_end_to_end::{Client, House, Repeater, Wire, job_spec, pair, request_id};
use rand::RngExt as _;

use crate::rig::{PATIENCE, ROUNDS, Rig, seed};

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_cut_and_heals_is_reached_over_again() {
    let mut rig = Rig::build("network").await;
    let wire = Wire::to(rig.house.folder().join("a.sock")).await;
    rig.client.register_at("a", wire.address().to_owned(), "x").await;
    for _ in 0..ROUNDS {
        let watts = rig.change().await;
        rig.moment(100).await;
        wire.cut();
        let watts = if rig.rng.random() { rig.change().await } else { watts };
        rig.moment(500).await;
        wire.heal();
        rig.converges(watts).await;
    }
}

/// Every board has its own silence, of its own length, while another budget is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_swallows_everything_is_noticed_and_reached_over_again() {
    let mut rng = seed("silence");
    let house = House::build();
    let (_optimizer, _scheduler) =
        (house.optimizer("optimizer"), house.scheduler("scheduler", "optimizer"));
    let mut client = Client::of(&house, "scheduler").await;
    let (mut agents, mut wires) = (Vec::new(), Vec::new());
    for number in 0..ROUNDS {
        let name = format!("a{number}");
        agents.push(house.agent_with(&name, &["--sample-interval", "1s"]));
        let wire = Wire::to(house.folder().join(format!("{name}.sock"))).await;
        client.register_at(&name, wire.address().to_owned(), "x").await;
        wires.push(wire);
    }
    client.submit("j", job_spec("x", pair(30.0, 60.0))).await.unwrap();
    client.until_runs("j", ROUNDS, PATIENCE).await;

    let changing = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        client.submit("j", job_spec("x", pair(27.5, 60.0))).await.unwrap();
    };
    let mut silences = tokio::task::JoinSet::new();
    for wire in wires {
        let (begins, lasts) = (rng.random_range(0..2_000), rng.random_range(0..5_000));
        silences.spawn(async move {
            tokio::time::sleep(Duration::from_millis(begins)).await;
            wire.silence();
            tokio::time::sleep(Duration::from_millis(lasts)).await;
            wire.heal();
            wire
        });
    }
    let ((), _wires) = tokio::join!(changing, silences.join_all());
    let answer = client
        .until("j", 2 * PATIENCE, |answer| {
            let has = |board: &v1::BoardStanding| {
                board.state == "running" && board.budget_watts == Some(27.5)
            };
            // Its plans are kept a moment after they are in force.
            answer.boards.len() == ROUNDS
                && answer.boards.iter().all(has)
                && answer.plans.iter().filter(|plan| plan.generation == 2).count() == ROUNDS
        })
        .await;
    for plan in answer.plans {
        let agent = plan.board.trim_start_matches("boards/");
        let mut agent = connect(&house.address(agent).parse().unwrap()).await.unwrap();
        let status = agent.get_status(v1::GetStatusRequest {}).await.unwrap().into_inner();
        assert_eq!(status.lease.unwrap().holder, "fulcrum scheduler");
        let levels: Vec<f64> = plan.plan.unwrap().mode.values().copied().collect();
        let wanted = status.wanted.unwrap().levels;
        assert!(wanted.iter().all(|level| levels.contains(level)), "{wanted:?} {levels:?}");
    }
}

/// Whatever the client, the scheduler, the optimizer and the agent say to each other comes up to four
/// times, up to two seconds late: after what was said since.
#[tokio::test(flavor = "multi_thread")]
async fn messages_that_come_twice_and_late_change_nothing() {
    let mut rng = seed("repeater");
    let house = House::build();
    let mut between = |near: &str, far: &str| {
        let near = house.folder().join(format!("{near}.sock"));
        Repeater::between(near, &house.address(far), rng.random())
    };
    let repeaters = [
        between("optimizer-heard", "optimizer"),
        between("scheduler-heard", "scheduler"),
        between("a-heard", "a"),
    ];
    let (optimizer, agent) = (house.optimizer("optimizer"), house.agent("a"));
    let scheduler = house.scheduler("scheduler", "optimizer-heard");
    let mut client = Client::of(&house, "scheduler-heard").await;
    client.register_at("a", house.address("a-heard"), "x").await;
    client.submit("j", job_spec("x", pair(30.0, 60.0))).await.unwrap();
    client.until_runs("j", 1, PATIENCE).await;
    let mut rig = Rig::of(house, rng, client, [optimizer, scheduler, agent]).await;
    let mut generation = 1;
    for _ in 0..ROUNDS {
        if rig.rng.random() {
            let cancel = v1::CancelJobRequest { name: "jobs/j".into(), request_id: request_id() };
            rig.client.scheduler.cancel_job(cancel).await.unwrap();
        }
        for watts in [Some(100.0), None] {
            let request = v1::SetSitePowerRequest { watts, request_id: request_id() };
            rig.client.scheduler.set_site_power(request).await.unwrap();
        }
        let watts = rig.change().await;
        generation += 1;
        rig.moment(500).await;
        rig.converges(watts).await;
        assert_eq!(rig.client.job("j").await.job.unwrap().generation, generation);
    }
    // Whatever is still to come comes, and leaves everything as it is.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let job = rig.client.job("j").await.job.unwrap();
    assert_eq!((job.generation, job.state.as_str()), (generation, "running"));
    let site = rig.client.scheduler.get_site_power(v1::GetSitePowerRequest {}).await.unwrap();
    assert_eq!(site.into_inner().watts, None);
    for repeater in repeaters {
        assert!(repeater.repeated() > 10, "{repeater:?}");
    }
}
