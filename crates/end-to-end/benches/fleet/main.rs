//! How a fleet grows: one scheduler with Postgres, one optimizer, and boards that only say what a
//! board says, a window a second each. Then how fast profiles are kept, and a front answers.
//!
//! `FULCRUM_BENCH_BOARDS=100,1000` chooses how many boards.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

mod profiles;
mod stub;
mod usage;

use std::time::{Duration, Instant};

use fulcrum_api::v1;
use fulcrum_end_to_end::{Client, House, job_spec, pair};
use fulcrum_throwaway_postgres::Postgres;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use stub::Stubs;
use usage::Usage;

/// For so long the fleet is watched while nothing changes.
const STEADY: Duration = Duration::from_secs(20);
/// So many budgets are changed, one after the other.
const CHANGES: usize = 200;
/// So many jobs are submitted for boards that had none, one after the other.
const NEW_JOBS: usize = 100;
const PATIENCE: Duration = Duration::from_mins(5);

#[tokio::main]
async fn main() {
    // What cargo passes to every benchmark means nothing here.
    let asked = std::env::var("FULCRUM_BENCH_BOARDS").unwrap_or_else(|_| "100,1000,5000".into());
    println!(
        "boards  all run  scheduler  memory    postgres  windows    rows a day  change to plan    new job to plan"
    );
    println!(
        "             s   % of core     MiB   % of core  a second      millions   p50 ms  p99 ms   p50 ms  p99 ms"
    );
    for boards in asked.split(',').map(|count| count.trim().parse().unwrap()) {
        fleet(boards).await;
    }
    profiles::bench().await;
}

async fn fleet(boards: usize) {
    let house = House::on(Postgres::start_durable());
    let _optimizer = house.optimizer("optimizer");
    let scheduler = house.scheduler_with("scheduler", "optimizer", &[]);
    let mut client = Client::of(&house, "scheduler").await;
    let mut stubs = Stubs::start(house.folder(), boards + NEW_JOBS);
    // One job a board: the most that there is to decide.
    for number in 0..boards {
        client.register(&house, &Stubs::name(number), &format!("b{number}")).await;
    }
    // The pair's front is built once, before the clock runs.
    client.submit(&job(0), spec(0, 30.0)).await.unwrap();
    stubs.planned(0, PATIENCE).await;
    let began = Instant::now();
    for number in 1..boards {
        client.submit(&job(number), spec(number, 30.0)).await.unwrap();
    }
    for number in 1..boards {
        stubs.planned(number, PATIENCE).await;
    }
    let all_run = began.elapsed();

    tokio::time::sleep(Duration::from_secs(3)).await;
    let store = fulcrum_store::Store::open(&house.postgres.address()).await.unwrap();
    let postgres = house.postgres.id().unwrap();
    let before = (Usage::of(scheduler.id()), Usage::of_family(postgres), windows(&store).await);
    tokio::time::sleep(STEADY).await;
    let after = (Usage::of(scheduler.id()), Usage::of_family(postgres), windows(&store).await);
    let share =
        |before: &Usage, after: &Usage| 100.0 * (after.cpu - before.cpu) / STEADY.as_secs_f64();
    let rows = (after.2 - before.2) as f64 / STEADY.as_secs_f64();

    let mut changes = changes(&mut client, &mut stubs, boards).await;
    let mut new_jobs = new_jobs(&house, &mut client, &mut stubs, boards).await;
    println!(
        "{boards:6}  {:7.1}  {:9.1}  {:6.0}  {:9.1}  {rows:8.0}  {:12.1}  {:7.1}  {:6.1}  {:7.1}  {:6.1}   ({} changes)",
        all_run.as_secs_f64(),
        share(&before.0, &after.0),
        after.0.memory as f64 / f64::from(1 << 20),
        share(&before.1, &after.1),
        rows * 86_400.0 / 1e6,
        at(&mut changes, 0.5),
        at(&mut changes, 0.99),
        at(&mut new_jobs, 0.5),
        at(&mut new_jobs, 0.99),
        changes.len(),
    );
}

fn at(times: &mut [f64], share: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    times[((times.len() - 1) as f64 * share).round() as usize]
}

fn ms(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1e3
}

/// How long budgets that are changed take to become plans on their boards, in milliseconds.
async fn changes(client: &mut Client, stubs: &mut Stubs, boards: usize) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut took = Vec::new();
    for change in 0..CHANGES {
        let number = rng.random_range(0..boards);
        stubs.forget();
        // Another plan each time: from 22 to 36 W.
        let watts = 22.0 + 14.0 * change as f64 / CHANGES as f64 + rng.random_range(0.0..0.01);
        let began = Instant::now();
        client.submit(&job(number), spec(number, watts)).await.unwrap();
        if let Some(at) = stubs.planned_or_same(number, Duration::from_secs(2)).await {
            took.push(ms(began, at));
        }
    }
    took
}

/// The same of jobs for boards that had none; all of a pair whose front is known.
async fn new_jobs(
    house: &House,
    client: &mut Client,
    stubs: &mut Stubs,
    boards: usize,
) -> Vec<f64> {
    let new = boards..boards + NEW_JOBS;
    for number in new.clone() {
        client.register(house, &Stubs::name(number), &format!("b{number}")).await;
    }
    for number in new.clone() {
        while client.board(&Stubs::name(number)).await.state != "idle" {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let mut took = Vec::new();
    for number in new {
        let watts = 22.0 + 14.0 * (number - boards) as f64 / NEW_JOBS as f64;
        let began = Instant::now();
        client.submit(&job(number), spec(number, watts)).await.unwrap();
        took.push(ms(began, stubs.planned(number, PATIENCE).await));
    }
    took
}

fn job(number: usize) -> String {
    format!("job-{number}")
}

fn spec(number: usize, watts: f64) -> v1::JobSpec {
    job_spec(&format!("b{number}"), pair(watts, 60.0))
}

async fn windows(store: &fulcrum_store::Store) -> i64 {
    store.windows_kept().await.unwrap()
}
