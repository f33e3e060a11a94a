//! The tables that were measured on a real board: they are read, and the simulated board is near
//! them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a test says which case it is at")]

mod measured;

use fulcrum_board::{Profiler, SimulatedOrin, read_tables};
use measured::measured;

#[test]
fn every_measured_table_can_be_read() {
    let Some(data) = measured(".") else { return };
    for (path, device, modes, profiles) in [
        ("orin-agx", "orin-agx", 441, 7_938),
        ("orin-agx-fine", "orin-agx", 4_368, 13_104),
        ("other/v100.train.csv", "v100", 7, 196),
        ("other/jetson-tx2.infer.csv", "jetson-tx2", 3, 480),
    ] {
        let table = read_tables(&[data.join(path)]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(table.device(), device);
        assert_eq!((table.space().len(), table.len()), (modes, profiles), "{path}");
    }
    let both = [data.join("orin-agx"), data.join("orin-agx-fine")];
    assert!(read_tables(&both).is_err(), "the one is a part of the other");
}

#[test]
fn the_simulated_board_is_near_the_measured_one() {
    let Some(tables) = measured("orin-agx") else { return };
    let measured = read_tables(&[tables]).unwrap_or_else(|error| panic!("{error}"));
    let simulated = SimulatedOrin::exact();
    assert_eq!(simulated.offers(), measured.offers());
    for offer in measured.offers() {
        for &batch_size in &offer.batch_sizes {
            let rows = measured.rows(&offer.workload).iter();
            let rows = rows.filter(|((_, batch), _)| *batch == batch_size);
            let (mut times, mut powers): (Vec<f64>, Vec<f64>) = rows
                .map(|((mode, batch), profile)| {
                    let levels: Vec<f64> = measured.space().levels(*mode).collect();
                    let mode = simulated.space().find_levels(&levels).expect("a mode of the board");
                    let modelled = simulated.truth(&offer.workload, mode, *batch).unwrap();
                    let time: f64 = modelled.minibatch / profile.minibatch;
                    let power: f64 = modelled.power / profile.power;
                    ((time - 1.0).abs(), (power - 1.0).abs())
                })
                .unzip();
            assert_eq!(times.len(), 441);
            let (time, power) = (median(&mut times), median(&mut powers));
            println!("{} {batch_size}: time {time:.3}, power {power:.3}", offer.workload);
            assert!(time <= 0.08 && power <= 0.06);
        }
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
