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

    let request = v1::CancelJobRequest { name: "jobs/j".into(), ..Default::default() };
    client.scheduler.cancel_job(request).await.unwrap();
    client.until("j", SOON, |j| j.job.as_ref().unwrap().state == "cancelled").await;
    let what: Vec<String> = client.events("j").await.into_iter().map(|event| event.what).collect();
    assert!(what.iter().any(|what| what.contains("from front")), "{what:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_boards_share_a_search_and_jobs_of_every_kind_run() {
    let house = House::build();
    let _optimizer = house.optimizer("optimizer");
    let _agents = ["a", "b", "c", "d"].map(|name| house.agent(name));
    let _scheduler = house.scheduler("scheduler", "optimizer");
    let mut client = Client::of(&house, "scheduler").await;
    for (agent, label) in [("a", "two"), ("b", "two"), ("c", "inferences"), ("d", "bursts")] {
        client.register(&house, agent, label).await;
    }
    client.submit("two", job_spec("two", pair(30.0, 60.0))).await.unwrap();
    let inferences = v1::Problem {
        train: String::new(),
        background_infer: "mobilenet_v3".into(),
        infer: "resnet50".into(),
        ..pair(35.0, 30.0)
    };
    client.submit("inferences", job_spec("inferences", inferences)).await.unwrap();
    let bursts = v1::JobSpec { arrivals: "bursty".into(), ..job_spec("bursts", pair(40.0, 20.0)) };
    client.submit("bursts", bursts).await.unwrap();
    let two = client.until_runs("two", 2, SEARCHING).await;
    assert_eq!(two.plans[0].plan, two.plans[1].plan);
    for job in ["inferences", "bursts"] {
        client.until_runs(job, 1, SEARCHING).await;
        client
            .until(job, SOON, |answer| {
                let window = answer.boards[0].window.as_ref();
                window.is_some_and(|w| w.minibatches > 0 && w.requests > 0)
            })
            .await;
    }
    // One search for the pair, though three boards wanted one; one for the two inferences.
    let address = house.address("optimizer").parse().unwrap();
    let mut optimizer = fulcrum_api::connect_optimizer(&address).await.unwrap();
    let searches = optimizer.list_searches(v1::ListSearchesRequest::default()).await.unwrap();
    assert_eq!(searches.into_inner().searches.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_is_measured_on_itself_where_no_table_stands_in() {
    let house = House::build();
    let _optimizer = house.optimizer("optimizer");
    // Its measurements take a hundredth of their time; it can simulate no workers then.
    let _agent = house.agent_with("a", &["--speed", "100"]);
    let _scheduler = house.scheduler("scheduler", "optimizer");
    let mut client = Client::of(&house, "scheduler").await;
    let board = v1::FleetBoard {
        name: "boards/a".into(),
        address: house.address("a"),
        labels: [("for".to_owned(), "x".to_owned())].into(),
        ..Default::default()
    };
    let request = v1::RegisterBoardRequest { board: Some(board), ..Default::default() };
    client.scheduler.register_board(request).await.unwrap();
    let problem = v1::Problem { train: "resnet18".into(), ..Default::default() };
    let within = |power_watts| v1::Problem { power_watts, ..problem.clone() };
    client.submit("j", job_spec("x", within(30.0))).await.unwrap();
    let answer = client.until_runs("j", 1, 3 * SEARCHING).await;
    assert_eq!(answer.plans[0].origin, "search");
    assert!(answer.plans[0].measurements >= 50, "{answer:#?}");
    assert_eq!(lease(&house, "a").await.unwrap().holder, "fulcrum scheduler");
    client.submit("j", job_spec("x", within(25.0))).await.unwrap();
    let answer = client.until_runs("j", 1, SOON).await;
    assert_eq!((answer.plans[0].origin.as_str(), answer.plans[0].measurements), ("front", 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_with_its_field_and_changes_nothing() {
    let house = House::build();
    let _optimizer = house.optimizer("optimizer");
    let _scheduler = house.scheduler("scheduler", "optimizer");
    let mut client = Client::of(&house, "scheduler").await;
    let field = |status: tonic::Status| {
        use tonic_types::StatusExt as _;
        assert_eq!(status.code(), tonic::Code::InvalidArgument, "{status:?}");
        status.get_details_bad_request().unwrap().field_violations.remove(0).field
    };
    let good = job_spec("x", pair(30.0, 60.0));
    let refused = client.submit("a'; DROP TABLE jobs; --", good.clone()).await.unwrap_err();
    assert_eq!(field(refused), "name");
    let refused = client.submit("j", job_spec("x", pair(-30.0, 60.0))).await.unwrap_err();
    assert_eq!(field(refused), "spec.problem.power_watts");
    let endless = job_spec("x", pair(30.0, f64::INFINITY));
    assert_eq!(field(client.submit("j", endless).await.unwrap_err()), "spec.problem.rate_hertz");
    let long = client.submit(&"x".repeat(10 << 20), good.clone()).await.unwrap_err();
    assert_ne!(long.code(), tonic::Code::Internal, "{:?}", long.code());
    let request = v1::GetJobRequest { name: "boards/j".into() };
    assert_eq!(field(client.scheduler.get_job(request).await.unwrap_err()), "name");
    let request = v1::GetJobRequest { name: "jobs/nobody".into() };
    let missing = client.scheduler.get_job(request).await.unwrap_err();
    assert_eq!(missing.code(), tonic::Code::NotFound);
    let request = v1::SetSitePowerRequest { watts: Some(-1.0), ..Default::default() };
    assert_eq!(field(client.scheduler.set_site_power(request).await.unwrap_err()), "watts");
    let request = v1::ListJobsRequest { page_size: 1_000_000, ..Default::default() };
    assert_eq!(field(client.scheduler.list_jobs(request).await.unwrap_err()), "page_size");
    let board =
        v1::FleetBoard { name: "boards/a".into(), address: "nowhere".into(), ..Default::default() };
    let request = v1::RegisterBoardRequest { board: Some(board), ..Default::default() };
    let refused = client.scheduler.register_board(request).await.unwrap_err();
    assert_eq!(field(refused), "board.address");

    // What is only checked is not kept; what is asked for twice is done once.
    let checked = v1::SubmitJobRequest {
        name: "jobs/j".into(),
        spec: Some(good),
        validate_only: true,
        ..Default::default()
    };
    client.scheduler.submit_job(checked.clone()).await.unwrap();
    let none = client.scheduler.list_jobs(v1::ListJobsRequest::default()).await.unwrap();
    assert!(none.into_inner().jobs.is_empty());
    let once = v1::SubmitJobRequest { validate_only: false, request_id: "r".into(), ..checked };
    client.scheduler.submit_job(once.clone()).await.unwrap();
    client.submit("j", job_spec("x", pair(20.0, 60.0))).await.unwrap();
    // A late duplicate of the first request does not undo the second.
    let job = client.scheduler.submit_job(once).await.unwrap().into_inner().job.unwrap();
    assert_eq!(job.generation, 2);
    assert_eq!(job.spec.unwrap().problem.unwrap().power_watts, 20.0);
}
