//! What holds of every board, whatever kind it is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a test says which case it is at")]

mod small_table;

use std::sync::Arc;

use fulcrum_board::{Noise, Profiler, Replay, SimulatedOrin, board_named, board_names};
use fulcrum_domain::{BatchSize, Failure, ModeId, ModeSpace, Reading, Workload};
use small_table::small_table;

/// A kind of board: the same seed makes the same board.
struct Kind {
    name: &'static str,
    make: fn(u64) -> Box<dyn Profiler>,
    exact: bool,
}

const KINDS: [Kind; 4] = [
    Kind { name: "replay", make: |_| Box::new(Replay::new(Arc::new(small_table()))), exact: true },
    Kind {
        name: "replay with noise",
        make: |seed| Box::new(Replay::new(Arc::new(small_table())).with_noise(0.02, seed)),
        exact: false,
    },
    Kind { name: "simulated", make: |seed| Box::new(SimulatedOrin::new(seed)), exact: false },
    Kind { name: "simulated, exact", make: |_| Box::new(SimulatedOrin::exact()), exact: true },
];

type Key = (Workload, ModeId, BatchSize);

/// Some of what a board offers: a few modes for each workload and batch size.
fn some_measurements(board: &dyn Profiler) -> Vec<Key> {
    let step = (board.space().len() / 7).max(1);
    let modes: Vec<ModeId> = board.space().ids().step_by(step).collect();
    let mut keys = Vec::new();
    for offer in board.offers() {
        for &batch_size in &offer.batch_sizes {
            keys.extend(modes.iter().map(|&mode| (offer.workload.clone(), mode, batch_size)));
        }
    }
    keys
}

fn measure_all(board: &mut dyn Profiler, keys: &[Key]) -> Vec<Reading> {
    keys.iter().map(|(workload, mode, batch)| board.measure(workload, *mode, *batch)).collect()
}

fn each_kind(check: impl Fn(&Kind, Box<dyn Profiler>)) {
    for kind in &KINDS {
        println!("{}", kind.name);
        check(kind, (kind.make)(1));
    }
}

#[test]
fn offers_are_by_kind_then_name_with_batch_sizes_ascending() {
    each_kind(|_, board| {
        assert!(!board.name().is_empty());
        assert!(!board.offers().is_empty());
        let order = |o: &fulcrum_board::Offer| (o.workload.kind, o.workload.name.clone());
        assert!(board.offers().is_sorted_by(|a, b| order(a) < order(b)));
        for offer in board.offers() {
            assert!(!offer.batch_sizes.is_empty());
            assert!(offer.batch_sizes.is_sorted_by(|a, b| a < b), "{offer:?}");
        }
    });
}

#[test]
fn presets_are_modes_of_the_space_from_the_smallest_to_the_largest() {
    each_kind(|_, board| {
        let modes: Vec<ModeId> = board.presets().iter().map(|preset| preset.mode).collect();
        assert_eq!(modes.last(), Some(&board.space().highest()));
        for mode in modes {
            assert!(mode.index() < board.space().len());
        }
    });
}

#[test]
fn what_is_offered_can_be_measured() {
    each_kind(|kind, mut board| {
        for key in some_measurements(&*board) {
            let profile = board.measure(&key.0, key.1, key.2).expect("offered");
            let (time, power) = (profile.minibatch.get(), profile.power.get());
            assert!(time > 0.0 && time.is_finite() && power > 0.0 && power.is_finite());
            assert_eq!(profile.error == 0.0, kind.exact, "exact readings say so, others too");
        }
    });
}

#[test]
fn what_is_not_offered_is_unavailable() {
    // Another board's modes, of which there are more.
    let large = ModeSpace::full_grid(vec![
        fulcrum_domain::Knob::new("x", (0..60_000).map(f64::from)).unwrap(),
    ])
    .unwrap();
    each_kind(|_, mut board| {
        let (workload, mode, batch) = some_measurements(&*board).remove(0);
        let other_batch = BatchSize::new(1_000_003).unwrap();
        for (workload, mode, batch) in [
            (Workload::train("unheard-of"), mode, batch),
            (Workload::infer("unheard-of"), mode, batch),
            (workload.clone(), mode, other_batch),
            (workload.clone(), large.highest(), batch),
        ] {
            assert_eq!(board.measure(&workload, mode, batch), Err(Failure::Unavailable));
        }
    });
}

#[test]
fn the_same_seed_gives_the_same_readings_in_any_order() {
    each_kind(|kind, mut board| {
        let keys = some_measurements(&*board);
        let readings = measure_all(&mut *board, &keys);
        let again: Vec<Reading> = measure_all(&mut *(kind.make)(1), &keys);
        assert_eq!(readings, again);

        let mut other_way = (kind.make)(1);
        let backwards: Vec<Key> = keys.iter().rev().cloned().collect();
        let mut backwards = measure_all(&mut *other_way, &backwards);
        backwards.reverse();
        assert_eq!(readings, backwards);
    });
}

#[test]
fn noise_is_drawn_afresh_for_every_measurement_and_seed() {
    each_kind(|kind, mut board| {
        let keys = some_measurements(&*board);
        let first = measure_all(&mut *board, &keys);
        let second = measure_all(&mut *board, &keys);
        let other_seed = measure_all(&mut *(kind.make)(2), &keys);
        let same = |a: &[Reading], b: &[Reading]| a.iter().zip(b).filter(|(a, b)| a == b).count();
        let expected = if kind.exact { keys.len() } else { 0 };
        assert_eq!(same(&first, &second), expected);
        assert_eq!(same(&first, &other_seed), expected);
    });
}

#[test]
fn noise_scatters_as_much_as_it_says_and_time_apart_from_power() {
    let exact = SimulatedOrin::exact();
    let noise = Noise { time: 0.02, power: 0.05, outliers: 0.0 };
    let mut noisy = SimulatedOrin::with_noise(noise, 7);
    let workload = Workload::train("resnet18");
    let batch = BatchSize::new(16).unwrap();
    let deviations: Vec<[f64; 2]> = exact
        .space()
        .ids()
        .map(|mode| {
            let truth = exact.truth(&workload, mode, batch).unwrap();
            let reading = noisy.measure(&workload, mode, batch).unwrap();
            let time: f64 = reading.minibatch / truth.minibatch;
            let power: f64 = reading.power / truth.power;
            [time.ln(), power.ln()]
        })
        .collect();
    let mean = |f: &dyn Fn(&[f64; 2]) -> f64| {
        deviations.iter().map(f).sum::<f64>() / deviations.len() as f64
    };
    let [time, power] = [0, 1].map(|i| mean(&|d| d[i].powi(2)).sqrt());
    assert!((time - 0.02).abs() < 0.001, "{time}");
    assert!((power - 0.05).abs() < 0.002, "{power}");
    assert!(mean(&|d| d[0]).abs() < 0.001 && mean(&|d| d[1]).abs() < 0.002);
    let correlation = mean(&|d| d[0] * d[1]) / (time * power);
    assert!(correlation.abs() < 0.03, "{correlation}");
}

#[test]
fn outliers_are_as_rare_as_they_are_said_to_be() {
    let noise = Noise { time: 0.0, power: 0.0, outliers: 0.01 };
    let mut noisy = SimulatedOrin::with_noise(noise, 3);
    let (workload, batch) = (Workload::infer("yolov8n"), BatchSize::new(4).unwrap());
    let modes = noisy.space().ids();
    let count = modes.len() as f64;
    let far_off = modes.filter(|&mode| {
        let truth = noisy.truth(&workload, mode, batch).unwrap();
        noisy.measure(&workload, mode, batch).unwrap() != truth
    });
    let share = far_off.count() as f64 / count;
    assert!((0.007..0.013).contains(&share), "{share}");
}

#[test]
fn boards_are_found_by_their_names() {
    for &name in board_names() {
        assert_eq!(board_named(name, 1).unwrap().name(), name);
    }
    let unknown = board_named("toaster", 1).err().unwrap();
    assert_eq!(unknown.to_string(), "unknown board `toaster`; known are: simulated-orin-agx");
}
