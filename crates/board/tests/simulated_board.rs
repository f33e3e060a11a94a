//! The simulated board as a device: what lags, what settles, what throttles.

use std::sync::Arc;
use std::time::Duration;

use fulcrum_board::{
    Board, ManualClock, Noise, Profiler as _, SimulatedBoard, SimulatedOrin, Suspect,
};
use fulcrum_domain::{BatchSize, ModeId, Workload};

fn board() -> (SimulatedBoard, ManualClock) {
    let clock = ManualClock::new();
    (SimulatedBoard::new(Arc::new(clock.clone()), Noise::NONE, 1), clock)
}

/// Some modes from all over the space.
fn some_modes() -> Vec<ModeId> {
    SimulatedOrin::exact().space().ids().step_by(1_733).collect()
}

#[test]
fn what_is_settled_is_exactly_what_the_model_says() {
    let (mut board, clock) = board();
    let model = SimulatedOrin::exact();
    let (workload, batch) = (Workload::infer("resnet50"), BatchSize::new(16).unwrap());
    for mode in some_modes() {
        board.set(mode).unwrap();
        let mut worker = board.worker(&workload, batch).unwrap();
        for _ in 0..10 {
            let time = worker.minibatch();
            clock.advance(Duration::from_secs_f64(time.get()));
            board.sense();
        }
        clock.advance(Duration::from_millis(430));
        let truth = model.truth(&workload, mode, batch).unwrap();
        assert_eq!(worker.minibatch(), truth.minibatch);
        assert_eq!(board.sense().total_power, Ok(truth.power.get()));
    }
}

#[test]
fn the_power_lags_and_the_first_minibatches_are_slow() {
    let (mut board, clock) = board();
    let idle = board.sense().total_power;
    let workload = Workload::train("resnet18");
    let mut worker = board.worker(&workload, BatchSize::new(16).unwrap()).unwrap();
    clock.advance(Duration::from_millis(400));
    assert_eq!(board.sense().total_power, idle);
    clock.advance(Duration::from_millis(40));
    assert_ne!(board.sense().total_power, idle);
    let (first, later) = (worker.minibatch(), (0..9).map(|_| worker.minibatch()).last().unwrap());
    assert!(first.get() > 1.3 * later.get());
    drop(worker);
    clock.advance(Duration::from_secs(1));
    assert_eq!(board.sense().total_power, idle);
}

#[test]
fn a_clock_takes_a_moment_to_change() {
    let (mut board, clock) = board();
    let space = board.space().clone();
    let mut worker =
        board.worker(&Workload::train("resnet18"), BatchSize::new(16).unwrap()).unwrap();
    board.set(space.lowest()).unwrap();
    clock.advance(Duration::from_secs(1));
    let slow = (0..9).map(|_| worker.minibatch()).last().unwrap();
    let shown = board.set(space.highest()).unwrap().observed;
    assert!(shown.iter().zip(space.levels(space.highest())).all(|(a, b)| *a == Ok(b)));
    assert!(worker.minibatch() > slow, "the old clocks, and disturbed");
    clock.advance(Duration::from_millis(9));
    assert!(worker.minibatch().get() < 0.5 * slow.get());
}

#[test]
fn a_hot_board_holds_its_gpu_down_and_says_why() {
    let (board, clock) = board();
    let mut board = board.with_ambient(70.0);
    let highest = board.space().highest();
    let applied = board.set(highest).unwrap().applied;
    let _worker = board.worker(&Workload::train("resnet18"), BatchSize::new(16).unwrap()).unwrap();
    assert!(board.overrides(&applied).is_empty());
    clock.advance(Duration::from_mins(5));
    let overrides = board.overrides(&applied);
    assert_eq!(overrides.len(), 1);
    assert_eq!((overrides[0].knob.as_str(), overrides[0].suspect), ("gpu_khz", Suspect::Thermal));
}

#[test]
fn noise_scatters_about_the_truth() {
    let clock = ManualClock::new();
    let board = SimulatedBoard::new(Arc::new(clock), SimulatedOrin::NOISE, 7);
    let mut worker =
        board.worker(&Workload::train("resnet18"), BatchSize::new(16).unwrap()).unwrap();
    let times: Vec<f64> = (0..200).map(|_| worker.minibatch().get()).skip(5).collect();
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    let off =
        times.iter().map(|time| (time / mean - 1.0).powi(2)).sum::<f64>() / times.len() as f64;
    assert!((0.01..0.04).contains(&off.sqrt()), "{}", off.sqrt());
}
