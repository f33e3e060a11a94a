//! What processes tell a collector of OpenTelemetry.

use std::time::{Duration, Instant};

use fulcrum_end_to_end::{Client, Collector, House, job_spec, pair};

const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until the collector was told all of these.
async fn until_told(collector: &Collector, wanted: &[(&str, &str)]) {
    let began = Instant::now();
    loop {
        let told = collector.told();
        let has = |(service, metric): &(&str, &str)| {
            told.get(*service).is_some_and(|metrics| metrics.contains(*metric))
        };
        if wanted.iter().all(has) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{told:#?}");
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
