//! What a scheduler's edge bears: 10,000 calls of strangers, and how long others wait while 1,000
//! idle and 100 slow connections are open. It fails where a stranger is served, or where the others
//! wait for longer than twice as long as usual.

#![expect(clippy::print_stdout, reason = "it reports")]

use std::time::{Duration, Instant};

use fulcrum_end_to_end::{
    ACCESS, Crowd, Secured, call_as_strangers, quantile, waits, write_access,
};

const CALLS: usize = 10_000;
const IDLE: usize = 1000;
const SLOW: usize = 100;
/// So often usual and besieged waits are measured in turn.
const ROUNDS: usize = 5;
const CLIENTS: usize = 8;
/// Calls of each client in a round.
const EACH: usize = 500;

#[tokio::main]
async fn main() {
    let mut fleet = Secured::prepare();
    write_access(&fleet);
    let access = fleet.text(ACCESS);
    fleet.start_scheduler(&["--access", &access]);

    let began = Instant::now();
    let answers = call_as_strangers(&fleet, CALLS).await;
    println!(
        "{CALLS} calls of strangers in {:.1} s: {} served",
        began.elapsed().as_secs_f64(),
        answers.served
    );
    for ((what, code), times) in &answers.refused {
        println!("  {times:>6}  {what}: {code}");
    }
    let lines = fleet.audit("fulcrum-scheduler").lines().count();
    println!("  {lines} lines of audit, {} of log", fleet.log("fulcrum-scheduler").lines().count());

    // The first calls warm everything up.
    waits(&fleet, CLIENTS, EACH).await;
    let (mut usual, mut besieged) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        usual.push(waits(&fleet, CLIENTS, EACH).await);
        let crowd = Crowd::gather(&fleet, IDLE, SLOW).await;
        let before = crowd.open();
        besieged.push(waits(&fleet, CLIENTS, EACH).await);
        println!(
            "{before} and then {} of {} connections of the crowd are open",
            crowd.open(),
            crowd.wanted()
        );
        drop(crowd);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let p99 = |name: &str, rounds: &[Vec<Duration>]| {
        let of = |share: f64| {
            let mut each: Vec<Duration> =
                rounds.iter().map(|waits| quantile(waits, share)).collect();
            each.sort_unstable();
            each[each.len() / 2]
        };
        let (p50, p99) = (of(0.5), of(0.99));
        println!("{name}: p50 {p50:.2?}, p99 {p99:.2?} (medians of {} rounds)", rounds.len());
        p99
    };
    let (usual, besieged) = (p99("usual", &usual), p99("with the crowd", &besieged));
    let ratio = besieged.as_secs_f64() / usual.as_secs_f64();
    println!("p99 is {ratio:.2} times the usual one");
    assert_eq!(answers.served, 0, "a stranger was served");
    assert!(ratio <= 2.0, "those who are served wait {ratio:.2} times as long as usual");
}
