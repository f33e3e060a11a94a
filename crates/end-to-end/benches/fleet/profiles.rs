//! How fast profiles are kept, and how fast a front of many answers.

use std::time::Instant;

use fulcrum_api::{connect_optimizer, v1};
use fulcrum_board::{Profiler as _, SimulatedOrin};
use fulcrum_domain::{BatchSize, Workload};
use fulcrum_end_to_end::{House, pair};
use fulcrum_store::{Store, StoredFront, StoredProfile, mode_text};
use fulcrum_throwaway_postgres::Postgres;

const PROFILES: u32 = 100_000;
const OF_A_FRONT: usize = 10_000;
const A_CALL: usize = 5_000;
/// So many processes in a row remember nothing.
const ANEW: usize = 9;

pub(crate) async fn bench() {
    let house = House::on(Postgres::start_durable());
    let file = format!("sqlite:{}", house.folder().join("bench.db").display());
    for (name, address) in [("Postgres", house.postgres.address()), ("SQLite", file)] {
        let store = Store::open(&address).await.unwrap();
        let all: Vec<StoredProfile> = (0..PROFILES).map(|n| numbered(n.into())).collect();
        let began = Instant::now();
        for chunk in all.chunks(A_CALL) {
            store.add_profiles(chunk).await.unwrap();
        }
        let rate = f64::from(PROFILES) / began.elapsed().as_secs_f64();
        println!("{name}: {rate:.0} profiles a second, {A_CALL} a call");
        store.close().await;
    }
    let store = Store::open(&house.postgres.address()).await.unwrap();
    let own = of_a_pair();
    store.add_profiles(&own).await.unwrap();
    store
        .put_front(
            &StoredFront {
                board_model: SimulatedOrin::NAME.into(),
                software: "table".into(),
                background: "resnet18 train".into(),
                urgent: "mobilenet_v3".into(),
                strategy: "als".into(),
                measurements: i64::try_from(own.len()).unwrap(),
                built_at_ms: 1,
            },
            &[],
        )
        .await
        .unwrap();
    let first_process = house.optimizer("optimizer");
    let mut took = answers(&house, 100).await;
    let first = took.remove(0);
    took.sort_by(f64::total_cmp);
    println!(
        "a front of {} profiles: read and solved in {first:.1} ms by the first who asks after a \
         change, {:.2} ms (p50) and {:.2} ms (p99) from then on, over gRPC and Postgres",
        own.len(),
        took[took.len() / 2],
        took[took.len() * 99 / 100]
    );
    first_process.kill();
    // Each remembers nothing, and finds the front's points.
    let mut anew = Vec::new();
    for _ in 0..ANEW {
        let optimizer = house.optimizer("optimizer");
        let _connects = answers_of(&house, "yolov8n", 1).await;
        anew.extend(answers(&house, 1).await);
        optimizer.kill();
    }
    anew.sort_by(f64::total_cmp);
    println!(
        "by a process that remembers nothing: {:.1} ms (median of {ANEW}), {:.1} ms at most",
        anew[ANEW / 2],
        anew[ANEW - 1]
    );
}

/// Asks so often for an answer from the front; gives how long each took, in milliseconds.
async fn answers(house: &House, count: u32) -> Vec<f64> {
    answers_of(house, "resnet18", count).await
}

/// The same for another network that trains, of which nothing is known.
async fn answers_of(house: &House, train: &str, count: u32) -> Vec<f64> {
    let address = house.address("optimizer").parse().unwrap();
    let mut client = connect_optimizer(&address).await.unwrap();
    let mut took = Vec::new();
    for n in 0..count {
        let problem = v1::Problem { train: train.into(), ..pair(22.0 + 0.1 * f64::from(n), 60.0) };
        let request = v1::SolveProblemsRequest {
            stand_in: SimulatedOrin::NAME.into(),
            problems: vec![problem],
            ..Default::default()
        };
        let began = Instant::now();
        let answer = client.solve_problems(request).await.unwrap().into_inner();
        took.push(began.elapsed().as_secs_f64() * 1e3);
        let is_front = answer.answers[0].origin == "front";
        assert_eq!(is_front, train == "resnet18");
    }
    took
}

fn numbered(n: i64) -> StoredProfile {
    StoredProfile {
        board_model: "p3701-0005".into(),
        software: "L4T 36.4.3".into(),
        workload: "resnet18".into(),
        kind: "train".into(),
        fingerprint: String::new(),
        mode: format!("cpu_cores=4 cpu_khz=1420800 gpu_khz={n} mem_khz=3199000"),
        batch_size: 16,
        minibatch_seconds: Some(0.05),
        power_watts: Some(31.25),
        relative_error: 0.01,
        failure: None,
        peak_temperature_celsius: Some(51.5),
        measured_by: "orin-7".into(),
        measured_at_ms: 1_764_000_000_000,
        suspect: false,
    }
}

/// As many profiles of one pair as a front may have.
fn of_a_pair() -> Vec<StoredProfile> {
    let mut orin = SimulatedOrin::exact();
    let space = orin.space().clone();
    let (train, infer) = (Workload::train("resnet18"), Workload::infer("mobilenet_v3"));
    let mut profiles = Vec::new();
    let step = space.len() * 3 / OF_A_FRONT;
    for mode in space.ids().step_by(step.max(1)) {
        for (workload, batch) in [(&train, 16), (&infer, 8), (&infer, 16), (&infer, 32)] {
            let size = BatchSize::new(batch).unwrap();
            let Ok(profile) = orin.measure(workload, mode, size) else { continue };
            profiles.push(StoredProfile {
                board_model: SimulatedOrin::NAME.into(),
                software: "table".into(),
                workload: workload.name.to_string(),
                kind: workload.kind.as_str().into(),
                mode: mode_text(&space, mode),
                batch_size: batch.into(),
                minibatch_seconds: Some(profile.minibatch.get()),
                power_watts: Some(profile.power.get()),
                ..numbered(0)
            });
        }
    }
    profiles.truncate(OF_A_FRONT);
    profiles
}
