//! A scheduler that strangers call and a crowd leans on. `make bench-edge` does it with all of them,
//! and measures.

use std::time::Duration;

use fulcrum_end_to_end::{
    ACCESS, Crowd, Secured, call_as_strangers, quantile, waits, write_access,
};

#[tokio::test(flavor = "multi_thread")]
async fn no_stranger_is_served_and_a_crowd_keeps_nobody_else_waiting() {
    let mut fleet = Secured::prepare();
    write_access(&fleet);
    let access = fleet.text(ACCESS);
    fleet.start_scheduler(&["--access", &access]);
    let answers = call_as_strangers(&fleet, 1000).await;
    let refused: usize = answers.refused.values().sum();
    assert_eq!((answers.served, refused), (0, 1000), "{answers:#?}");
    let log = fleet.log("fulcrum-scheduler");
    assert!(log.lines().count() < 50, "they fill no log: {log}");
    assert!(!log.contains("fulcrum-secret") && !log.contains("PRIVATE KEY"), "{log}");
    let audit = fleet.audit("fulcrum-scheduler");
    assert!(!audit.contains("fulcrum-secret"), "{audit}");
    assert!((100..400).contains(&audit.lines().count()), "{}", audit.lines().count());

    let usual = quantile(&waits(&fleet, 4, 100).await, 0.99);
    let crowd = Crowd::gather(&fleet, 200, 40).await;
    assert!(crowd.open() >= crowd.wanted() * 9 / 10, "{} are there", crowd.open());
    let besieged = quantile(&waits(&fleet, 4, 100).await, 0.99);
    // Other tests run beside this one; what is measured alone is measured by the benchmark.
    let most = 4 * usual.max(Duration::from_millis(50));
    assert!(besieged < most, "{besieged:?} after {usual:?}");
}
