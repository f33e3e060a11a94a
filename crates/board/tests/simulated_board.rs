//! The simulated Jetson AGX Orin as a device.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use fulcrum_board::{
    Board, ManualClock, Quantity, SimulatedBoard, SimulatedOptions, SimulatedOrin, Suspect,
};
use fulcrum_domain::{BatchSize, Workload};

const TICK: Duration = Duration::from_millis(100);

fn board(options: SimulatedOptions) -> (Arc<ManualClock>, SimulatedBoard) {
    let clock = Arc::new(ManualClock::new());
    (clock.clone(), SimulatedBoard::new(clock, options))
}

fn value(board: &mut SimulatedBoard, part: &str, quantity: Quantity) -> f64 {
    let place = board.sensors().iter().position(|s| s.part == part && s.quantity == quantity);
    board.sense().values[place.unwrap()].clone().unwrap()
}

#[test]
fn what_has_settled_reads_exactly_as_the_model_says() {
    let exact = SimulatedOrin::exact();
    let (clock, mut board) = board(SimulatedOptions::default());
    let workers = board.workers();
    for offer in workers.offers().to_vec() {
        let batch_size = offer.batch_sizes[0];
        for mode in board.space().clone().ids().step_by(3001) {
            let truth = exact.truth(&offer.workload, mode, batch_size).unwrap();
            board.set(mode).unwrap();
            let mut worker = workers.start(&offer.workload, batch_size).unwrap();
            let mut times = Vec::new();
            while times.len() < 20 {
                clock.advance(TICK);
                times.extend(worker.finished());
            }
            clock.advance(2 * TICK * 10);
            assert!(times[7..].iter().all(|time| *time == truth.minibatch.get()), "{times:?}");
            assert!(times[0] > 2.0 * truth.minibatch.get(), "the first is slow");
            assert_eq!(board.sense().total_power, Ok(truth.power.get()));
        }
    }
}

#[test]
fn the_power_reading_changes_every_430_ms_and_no_sooner() {
    let options = SimulatedOptions { noise: SimulatedOrin::NOISE, ..SimulatedOptions::default() };
    let (clock, mut board) = board(options);
    let mut changes = Vec::new();
    let mut last = board.sense().total_power;
    for millis in 1..=4300 {
        clock.advance(Duration::from_millis(1));
        let now = board.sense().total_power;
        if now != last {
            changes.push(millis);
            last = now;
        }
    }
    assert_eq!(changes.len(), 10);
    assert!(changes.windows(2).all(|pair| (429..=431).contains(&(pair[1] - pair[0]))));
}

#[test]
fn a_hot_board_holds_its_gpu_down_says_so_and_lets_go_when_it_has_cooled() {
    let options = SimulatedOptions { ambient_celsius: 70.0, ..SimulatedOptions::default() };
    let (clock, mut board) = board(options);
    let change = board.set(board.space().highest()).unwrap();
    assert!(change.holds());
    let workers = board.workers();
    let batch_size = BatchSize::new(64).unwrap();
    let worker = workers.start(&Workload::infer("resnet50"), batch_size).unwrap();
    let mut hottest = 0.0_f64;
    for _ in 0..3000 {
        clock.advance(TICK);
        hottest = hottest.max(value(&mut board, "tj", Quantity::Temperature));
    }
    assert!((99.0..104.0).contains(&hottest), "{hottest}");
    let overrides = board.overrides(&change.applied);
    let [held] = overrides.as_slice() else { panic!("{overrides:?}") };
    assert_eq!((held.knob.as_str(), held.suspect), ("gpu_khz", Suspect::Thermal));
    assert!(held.shown.clone().unwrap() < held.wanted);
    assert!(value(&mut board, "gpu", Quantity::Clock) < 1_300_500_000.0);

    drop(worker);
    clock.advance(Duration::from_mins(5));
    assert_eq!(board.overrides(&change.applied), []);
}

#[test]
fn energy_is_power_over_time() {
    let (clock, mut board) = board(SimulatedOptions::default());
    let idle = board.sense().total_power.unwrap();
    clock.advance(Duration::from_secs(100));
    let joules = value(&mut board, "board", Quantity::Energy);
    assert!((joules - 100.0 * idle).abs() < 1e-6, "{joules}");
}

#[test]
fn two_workloads_share_the_time() {
    let (clock, board) = board(SimulatedOptions::default());
    let workers = board.workers();
    let [workload, other] = [Workload::train("resnet18"), Workload::infer("resnet50")];
    let mut one = workers.start(&workload, BatchSize::new(16).unwrap()).unwrap();
    let minibatches = |worker: &mut fulcrum_board::SimulatedWorker| {
        clock.advance(Duration::from_mins(1));
        worker.finished().len() as f64
    };
    let alone = minibatches(&mut one);
    let _two = workers.start(&other, BatchSize::new(16).unwrap()).unwrap();
    let shared = minibatches(&mut one);
    assert!((0.48..0.52).contains(&(shared / alone)), "{shared} of {alone}");
}

#[test]
fn the_same_seed_makes_the_same_board() {
    let run = |seed| {
        let options = SimulatedOptions { noise: SimulatedOrin::NOISE, seed, ambient_celsius: 25.0 };
        let (clock, mut board) = board(options);
        let workers = board.workers();
        let batch_size = BatchSize::new(16).unwrap();
        let mut worker = workers.start(&Workload::train("resnet18"), batch_size).unwrap();
        clock.advance(Duration::from_secs(20));
        (worker.finished(), board.sense())
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
