//! Jobs from their submission to what is left of them.

use std::time::{Duration, Instant};

use fulcrum_api::{connect, v1};
use fulcrum_end_to_end::{Client, House, job_spec, pair};

const SEARCHING: Duration = Duration::from_mins(1);
const SOON: Duration = Duration::from_secs(10);

/// The lease of a board, as its agent tells it.
async fn lease(house: &House, agent: &str) -> Option<v1::LeaseInfo> {
    let mut client = connect(&house.address(agent).parse().unwrap()).await.unwrap();
    client.get_status(v1::GetStatusRequest {}).await.unwrap().into_inner().lease
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_and_another_budget_is_answered_from_the_front() {
    let house = House::build();
    let (_optimizer, _agent) = (house.optimizer("optimizer"), house.agent("a"));
    let _scheduler = house.scheduler("scheduler", "optimizer");
    let mut client = Client::of(&house, "scheduler").await;
    client.register(&house, "a", "x").await;
    client.submit("j", job_spec("x", pair(30.0, 60.0))).await.unwrap();
    let first = client.until_runs("j", 1, SEARCHING).await;
    assert_eq!(first.plans[0].origin, "search", "{first:#?}");
    assert!(first.plans[0].measurements > 50);
    assert!(first.plans[0].rates_hertz.len() > 2, "it can follow the arrival rate: {first:#?}");
    assert_eq!(lease(&house, "a").await.unwrap().holder, "fulcrum scheduler");

    // The board does what was planned.
    let seen = client
        .until("j", SOON, |job| {
            let window = job.boards[0].window.as_ref();
            window.is_some_and(|w| w.minibatches > 0 && w.requests > 0)
        })
        .await;
    let window = seen.boards[0].window.clone().unwrap();
    let plan = first.plans[0].plan.clone().unwrap();
    assert!(window.power_watts.unwrap() <= 30.0 * 1.03, "{window:?}");
    assert!(window.longest_latency_seconds.unwrap() <= 0.8, "{window:?}");
    assert!(plan.peak_power_watts <= 30.0);

    // Another budget is planned for without a measurement.
    let began = Instant::now();
    client.submit("j", job_spec("x", pair(25.0, 60.0))).await.unwrap();
    let then = client.until_runs("j", 1, SOON).await;
    let took = began.elapsed();
    assert_eq!((then.plans[0].origin.as_str(), then.plans[0].measurements), ("front", 0));
    assert!(then.plans[0].plan.as_ref().unwrap().peak_power_watts <= 25.0);
    assert!(took < Duration::from_secs(1), "{took:?}");

    // What cannot be is said, with what would.
    client.submit("j", job_spec("x", pair(5.0, 60.0))).await.unwrap();
    let none = client.until("j", SOON, |j| j.job.as_ref().unwrap().state == "infeasible").await;
    let message = none.job.unwrap().message;
    assert!(message.contains("power budget"), "{message}");
    assert!(lease(&house, "a").await.is_none(), "and the board is given back");

    let request = v1::CancelJobRequest { name: "jobs/j".into() };
    client.scheduler.cancel_job(request).await.unwrap();
    client.until("j", SOON, |j| j.job.as_ref().unwrap().state == "cancelled").await;
    let what: Vec<String> = client.events("j").await.into_iter().map(|event| event.what).collect();
    assert!(what.iter().any(|what| what.contains("from front")), "{what:#?}");
}
