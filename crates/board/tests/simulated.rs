//! The simulated Jetson AGX Orin.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use fulcrum_board::{Profiler, SimulatedOrin};
use fulcrum_domain::{BatchSize, Workload};

#[test]
fn it_has_every_mode_of_the_board_and_the_vendors_presets() {
    let board = SimulatedOrin::new(1);
    assert_eq!(board.space().len(), 18_096);
    let presets: Vec<(&str, Vec<f64>)> = board
        .presets()
        .iter()
        .map(|preset| (preset.name.as_str(), board.space().levels(preset.mode).collect()))
        .collect();
    assert_eq!(
        presets,
        [
            ("15W", vec![4.0, 1_113_600.0, 318_750.0, 2_133_000.0]),
            ("30W", vec![8.0, 1_728_000.0, 522_750.0, 3_199_000.0]),
            ("50W", vec![12.0, 1_497_600.0, 726_750.0, 3_199_000.0]),
            ("MAXN", vec![12.0, 2_201_600.0, 1_300_500.0, 3_199_000.0]),
        ]
    );
}

#[test]
fn its_table_holds_the_truth_of_all_it_offers() {
    let board = SimulatedOrin::new(1);
    let table = board.table();
    assert_eq!(table.offers(), board.offers());
    assert_eq!(table.len(), 18_096 * (3 + 3 * 5));
    let (workload, batch) = (Workload::infer("resnet50"), BatchSize::new(32).unwrap());
    for mode in board.space().ids() {
        let truth = board.truth(&workload, mode, batch);
        assert!(truth.is_some_and(|profile| profile.error == 0.0));
        assert_eq!(table.profile(&workload, mode, batch), truth);
    }
}

#[test]
fn a_higher_mode_is_never_slower() {
    let board = SimulatedOrin::exact();
    let space = board.space();
    for offer in board.offers() {
        let batch = offer.batch_sizes[0];
        let time = |mode| board.truth(&offer.workload, mode, batch).unwrap().minibatch;
        for mode in space.ids() {
            for knob in 0..space.knobs().len() {
                let mut point = space.point(mode).to_vec();
                point[knob] += 1;
                if let Some(higher) = space.find(&point) {
                    assert!(time(higher) <= time(mode), "{}", space.describe(mode));
                }
            }
        }
    }
}

#[test]
fn its_noise_can_be_taken_off() {
    let mut board = SimulatedOrin::exact();
    let (workload, batch) = (Workload::train("resnet18"), BatchSize::new(16).unwrap());
    let mode = board.space().middle();
    let truth = board.truth(&workload, mode, batch).unwrap();
    assert_eq!(board.measure(&workload, mode, batch), Ok(truth));
    let reading = SimulatedOrin::new(1).measure(&workload, mode, batch).unwrap();
    assert!(reading != truth && (reading.error - 0.025).abs() < 1e-12);
}
