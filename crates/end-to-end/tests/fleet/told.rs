//! What processes tell a collector of OpenTelemetry.

use std::time::{Duration, Instant};

use fulcrum_api::v1;
use fulcrum_end_to_end::{Client, Collector, House, ToldSpan, job_spec, pair};

const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until the collector was told all of these.
async fn until_told(collector: &Collector, wanted: &[(&str, &str)]) {
    let began = Instant::now();
    loop {
        let told = collector.told();
        let has = |(service, metric): &(&str, &str)| {
            told.metrics.get(*service).is_some_and(|metrics| metrics.contains(*metric))
        };
        if wanted.iter().all(has) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{:#?}", told.metrics);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_process_tells_a_collector_also_one_that_comes_late_and_again() {
    let house = House::build();
    let mut collector = Collector::new();
    let url = collector.url();
    let to = ["--otlp", &url, "--otlp-every", "1"];
    let _optimizer = house.optimizer_with("optimizer", &to);
    let _agent = house.agent_with("a", &to);
    let _scheduler = house.scheduler_with("scheduler", "optimizer", &to);
    let mut client = Client::of(&house, "scheduler").await;
    client.register(&house, "a", "x").await;
    client.submit("j", job_spec("x", pair(30.0, 60.0))).await.unwrap();
    // Nobody minds that there is no collector yet.
    client.until_runs("j", 1, PATIENCE).await;
    let wanted = [
        ("fulcrum-agent", "fulcrum_board_total_power_watts"),
        ("fulcrum-agent", "fulcrum_workload_latency_seconds"),
        ("fulcrum-optimizer", "fulcrum_optimizer_measurements"),
        ("fulcrum-scheduler", "fulcrum_fleet_board_state"),
        ("fulcrum-scheduler", "fulcrum_rpc_seconds"),
    ];
    for _ in 0..2 {
        collector.start();
        until_told(&collector, &wanted).await;
        collector.stop();
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Waits until one trace that a submitted job began has all of these spans, and gives it.
async fn trace_with(collector: &Collector, wanted: &[(&str, &str)]) -> Vec<ToldSpan> {
    let began = Instant::now();
    loop {
        let spans = collector.told().spans;
        let submits =
            |span: &&ToldSpan| span.name == "SchedulerService/SubmitJob" && span.parent.is_empty();
        for root in spans.iter().filter(submits) {
            let of_it = |span: &&ToldSpan| span.trace == root.trace;
            let trace: Vec<ToldSpan> = spans.iter().filter(of_it).cloned().collect();
            let has = |(service, name): &(&str, &str)| {
                trace.iter().any(|span| span.service == *service && span.name == *name)
            };
            // Each process tells of its spans when it is time for it.
            let is_whole = |span: &ToldSpan| {
                span.parent.is_empty() || trace.iter().any(|other| other.id == span.parent)
            };
            if wanted.iter().all(has) && trace.iter().all(is_whole) {
                return trace;
            }
        }
        assert!(began.elapsed() < PATIENCE, "{spans:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The names of a span and of all that it is part of, up to the first.
fn lineage<'a>(trace: &'a [ToldSpan], mut span: &'a ToldSpan) -> Vec<&'a str> {
    let mut names = vec![&*span.name];
    while !span.parent.is_empty() {
        span = trace.iter().find(|other| other.id == span.parent).expect("what it is part of");
        names.push(&span.name);
    }
    names
}

/// One trace goes from whoever asks over the search and its measurements to the plan on the board
/// and its first turns, through the store and three processes.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_one_trace_from_the_request_to_the_first_turns() {
    let house = House::build();
    let mut collector = Collector::new();
    collector.start();
    let url = collector.url();
    let to = ["--otlp", &*url];
    let _optimizer = house.optimizer_with("optimizer", &to);
    let _scheduler = house.scheduler_with("scheduler", "optimizer", &to);
    // A board that is measured itself, a hundred times as fast as a real one, and one that has turns.
    let _measured = house.agent_with("measured", &["--speed", "100", to[0], to[1]]);
    let _turning = house.agent_with("turning", &to);
    let mut client = Client::of(&house, "scheduler").await;
    let measured = v1::FleetBoard {
        name: "boards/measured".into(),
        address: house.address("measured"),
        labels: [("for".to_owned(), "measured".to_owned())].into(),
        ..Default::default()
    };
    let request = v1::RegisterBoardRequest { board: Some(measured), ..Default::default() };
    client.scheduler.register_board(request).await.unwrap();
    client.register(&house, "turning", "turning").await;

    let train = v1::Problem { train: "resnet18".into(), power_watts: 30.0, ..Default::default() };
    let quick = |spec| v1::JobSpec { strategy: "guided".into(), ..spec };
    client.submit("m", quick(job_spec("measured", train))).await.unwrap();
    let wanted = [
        ("fulcrum-scheduler", "plan"),
        ("fulcrum-optimizer", "OptimizerService/SolveProblems"),
        ("fulcrum-optimizer", "OptimizerService/CreateSearch"),
        ("fulcrum-optimizer", "search"),
        ("fulcrum-optimizer", "measure"),
        ("fulcrum-agent", "AgentService/Measure"),
        ("fulcrum-agent", "TurnService/ApplyPlan"),
    ];
    let trace = trace_with(&collector, &wanted).await;
    let measuring = trace.iter().find(|span| span.name == "AgentService/Measure").unwrap();
    assert_eq!(
        lineage(&trace, measuring),
        [
            "AgentService/Measure",
            "measure",
            "search",
            "OptimizerService/CreateSearch",
            "plan",
            "SchedulerService/SubmitJob"
        ]
    );

    client.submit("t", quick(job_spec("turning", pair(30.0, 60.0)))).await.unwrap();
    let wanted = [("fulcrum-optimizer", "measure"), ("fulcrum-agent", "turn")];
    let trace = trace_with(&collector, &wanted).await;
    let turn = trace.iter().find(|span| span.name == "turn").unwrap();
    let way = ["turn", "TurnService/ApplyPlan", "plan", "SchedulerService/SubmitJob"];
    assert_eq!(lineage(&trace, turn), way);
}
