//! What the scheduler sees and acts on: profiles that are wrong, changes that break a budget, a
//! site's power, boards that others hold.

use std::time::{Duration, Instant};

use fulcrum_api::{OptimizerClient, connect, connect_optimizer, duration_to_wire, v1};
use fulcrum_end_to_end::{Client, House, job_spec, pair};

const PATIENCE: Duration = Duration::from_mins(1);

async fn optimizer(house: &House) -> OptimizerClient {
    connect_optimizer(&house.address("optimizer").parse().unwrap()).await.unwrap()
}

/// Changes stored profiles, as if something else had been measured.
async fn falsify(house: &House, change: impl Fn(&mut v1::StoredProfile)) {
    let mut optimizer = optimizer(house).await;
    let request = v1::ListProfilesRequest { page_size: 10_000, ..Default::default() };
    let mut profiles = optimizer.list_profiles(request).await.unwrap().into_inner().profiles;
    profiles.iter_mut().for_each(change);
    let messages = tokio_stream::iter([v1::ImportProfilesRequest { profiles }]);
    optimizer.import_profiles(messages).await.unwrap();
}

fn training(plan: &v1::JobPlan) -> f64 {
    let plan = plan.plan.clone().unwrap_or_default();
    let train = plan.workloads.iter().find(|workload| workload.kind == "train");
    train.map_or(0.0, |workload| workload.minibatch_seconds)
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_that_are_contradicted_are_measured_again() {
    let house = House::build();
    let (_optimizer, _agent) = (house.optimizer("optimizer"), house.agent("a"));
    let _scheduler = house.scheduler("scheduler", "optimizer");
    let mut client = Client::of(&house, "scheduler").await;
    client.register(&house, "a", "x").await;
    let train = v1::Problem { train: "resnet18".into(), power_watts: 30.0, ..Default::default() };
    client.submit("j", job_spec("x", train.clone())).await.unwrap();
    let right = training(&client.until_runs("j", 1, PATIENCE).await.plans[0]);

    // Training became slower since, wherever it was measured.
    falsify(&house, |profile| {
        profile.minibatch_seconds = profile.minibatch_seconds.map(|seconds| 0.6 * seconds);
    })
    .await;
    let other = v1::Problem { power_watts: 29.9, ..train };
    client.submit("j", job_spec("x", other)).await.unwrap();
    let wrong = training(&client.until_runs("j", 1, PATIENCE).await.plans[0]);
    assert!(wrong < 0.8 * right, "the plan rests on what is stored: {wrong} {right}");

    let seen = client
        .until("j", PATIENCE, |answer| {
            answer.plans.first().is_some_and(|plan| training(plan) > 0.9 * right)
                && answer.boards[0].state == "running"
        })
        .await;
    assert_eq!(seen.plans[0].origin, "search", "{seen:#?}");
    let what: Vec<String> = client.events("j").await.into_iter().map(|event| event.what).collect();
    let told = what.iter().filter(|what| what.contains("times what was measured")).count();
    assert!((1..=3).contains(&told), "it does not take one contradiction a mode: {what:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_breaks_a_budget_stops_at_its_first_board() {
    let house = House::build();
    let _optimizer = house.optimizer("optimizer");
    let _agents = ["a", "b", "c"].map(|name| house.agent(name));
    let _scheduler = house.scheduler("scheduler", "optimizer");
    let mut client = Client::of(&house, "scheduler").await;
    for name in ["a", "b", "c"] {
        client.register(&house, name, "x").await;
    }
    let spec = |watts| v1::JobSpec { at_a_time: 2, ..job_spec("x", pair(watts, 60.0)) };
    client.submit("j", spec(32.0)).await.unwrap();
    // One board begins; the others follow once it has kept its budgets.
    let first = client
        .until("j", PATIENCE, |answer| answer.boards.iter().any(|b| b.state == "running"))
        .await;
    let running = first.boards.iter().filter(|board| board.state == "running").count();
    assert_eq!(running, 1, "{first:#?}");
    client.until_runs("j", 3, PATIENCE).await;

    // Nothing draws as little as is stored now.
    falsify(&house, |profile| {
        profile.power_watts = profile.power_watts.map(|watts| 0.6 * watts);
    })
    .await;
    let job = client.submit("j", spec(31.0)).await.unwrap();
    let halted = client
        .until("j", PATIENCE, |answer| {
            let job = answer.job.clone().unwrap_or_default();
            job.state == "blocked" && job.message.contains("no further board is changed")
        })
        .await;
    assert!(halted.job.unwrap().message.contains(" W of 31.0 W"));
    let changed = halted.plans.iter().filter(|plan| plan.generation == job.generation).count();
    assert_eq!(changed, 1, "{:#?}", halted.plans);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sites_power_is_shared_out_and_kept_on_the_way() {
    let house = House::build();
    let _optimizer = house.optimizer("optimizer");
    let _agents = ["a", "b"].map(|name| house.agent(name));
    let _scheduler = house.scheduler("scheduler", "optimizer");
    let mut client = Client::of(&house, "scheduler").await;
    client.register(&house, "a", "x").await;
    client.register(&house, "b", "y").await;
    client.submit("steady", job_spec("x", pair(35.0, 60.0))).await.unwrap();
    let train = v1::Problem { train: "resnet18".into(), power_watts: 35.0, ..Default::default() };
    client.submit("greedy", job_spec("y", train)).await.unwrap();
    client.until_runs("steady", 1, PATIENCE).await;
    client.until_runs("greedy", 1, PATIENCE).await;
    let in_force = async |client: &mut Client| {
        let answer = client.scheduler.get_site_power(v1::GetSitePowerRequest {}).await.unwrap();
        answer.into_inner().in_force_watts
    };
    assert_eq!(in_force(&mut client).await, 70.0, "each has its job's budget");
    let mut most = 70.0f64;
    for site in [55.0, 45.0, 60.0, 40.0] {
        let request = v1::SetSitePowerRequest { watts: Some(site), ..Default::default() };
        client.scheduler.set_site_power(request).await.unwrap();
        let began = Instant::now();
        loop {
            let now = in_force(&mut client).await;
            assert!(now <= most.max(site) + 1e-6, "{now} on the way to {site}");
            if now <= site && now > 0.8 * site {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "{now} W of {site}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        most = site;
    }
    // Too little for both: the job that came first has what there is.
    let request = v1::SetSitePowerRequest { watts: Some(25.0), ..Default::default() };
    client.scheduler.set_site_power(request).await.unwrap();
    let none = client
        .until("greedy", PATIENCE, |answer| answer.job.as_ref().unwrap().state == "blocked")
        .await;
    assert!(none.job.unwrap().message.contains("leaves nothing for it"));
    client.until_runs("steady", 1, PATIENCE).await;
    let request = v1::SetSitePowerRequest { watts: None, ..Default::default() };
    client.scheduler.set_site_power(request).await.unwrap();
    client.until_runs("greedy", 1, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_that_another_holds_is_waited_for() {
    let house = House::build();
    let (_optimizer, _agent) = (house.optimizer("optimizer"), house.agent("a"));
    let _scheduler = house.scheduler("scheduler", "optimizer");
    let mut client = Client::of(&house, "scheduler").await;
    let mut agent = connect(&house.address("a").parse().unwrap()).await.unwrap();
    let request = v1::TakeLeaseRequest {
        holder: "somebody".into(),
        duration: Some(duration_to_wire(Duration::from_mins(1))),
        request_id: String::new(),
    };
    let token = agent.take_lease(request).await.unwrap().into_inner().lease_token;
    client.register(&house, "a", "x").await;
    client.submit("j", job_spec("x", pair(30.0, 60.0))).await.unwrap();
    let blocked =
        client.until("j", PATIENCE, |answer| answer.job.as_ref().unwrap().state == "blocked").await;
    assert!(blocked.job.unwrap().message.contains("somebody"));
    agent.release_lease(v1::ReleaseLeaseRequest { lease_token: token }).await.unwrap();
    client.until_runs("j", 1, PATIENCE).await;

    // A job that wants boards that are not there says so, and one that wants too many waits.
    client.submit("none", job_spec("nowhere", pair(30.0, 60.0))).await.unwrap();
    let none = client
        .until("none", PATIENCE, |answer| answer.job.as_ref().unwrap().state == "blocked")
        .await;
    assert!(none.job.unwrap().message.contains("labels for=nowhere"));
    client.submit("late", job_spec("x", pair(30.0, 60.0))).await.unwrap();
    let late = client
        .until("late", PATIENCE, |answer| answer.job.as_ref().unwrap().state == "blocked")
        .await;
    assert!(late.job.unwrap().message.contains("run other jobs"));
    // It gets the board once the first has ended.
    let request = v1::CancelJobRequest { name: "jobs/j".into(), ..Default::default() };
    client.scheduler.cancel_job(request).await.unwrap();
    client.until_runs("late", 1, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_over_in_the_midst_of_a_change_leaves_the_others_as_they_are() {
    let house = House::build();
    let _optimizer = house.optimizer("optimizer");
    let mut agents: Vec<_> = ["a", "b"].into_iter().map(|name| house.agent(name)).collect();
    let scheduler = house.scheduler("scheduler", "optimizer");
    let mut client = Client::of(&house, "scheduler").await;
    client.register(&house, "a", "x").await;
    client.register(&house, "b", "x").await;
    let spec = |watts| v1::JobSpec { at_a_time: 1, ..job_spec("x", pair(watts, 60.0)) };
    client.submit("j", spec(32.0)).await.unwrap();
    client.until_runs("j", 2, PATIENCE).await;
    let job = client.submit("j", spec(30.0)).await.unwrap();
    client
        .until("j", PATIENCE, |answer| {
            answer.plans.iter().any(|plan| plan.generation == job.generation)
        })
        .await;
    scheduler.kill();
    let _second = house.scheduler("second", "optimizer");
    let mut client = Client::of(&house, "second").await;
    // Until its turn comes, the other board keeps its plan and the lease.
    let mut agent = connect(&house.address("b").parse().unwrap()).await.unwrap();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(4) {
        let status = agent.get_status(v1::GetStatusRequest {}).await.unwrap().into_inner();
        assert!(status.lease.is_some() && status.wanted.is_some(), "{status:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    client.until_runs("j", 2, PATIENCE).await;

    // A job ends though one of its boards is gone.
    agents.pop().unwrap().kill();
    client.until("j", PATIENCE, |a| a.boards.iter().any(|b| b.state == "unreachable")).await;
    client
        .scheduler
        .cancel_job(v1::CancelJobRequest { name: "jobs/j".into(), ..Default::default() })
        .await
        .unwrap();
    client.until("j", PATIENCE, |a| a.job.as_ref().unwrap().state == "cancelled").await;
}
