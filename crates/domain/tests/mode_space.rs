//! Mode spaces with and without holes.

use fulcrum_domain::{Knob, KnobError, ModeSpace, ModeSpaceError};
use proptest::prelude::*;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|k| format!("knob_{k}")).collect()
}

proptest! {
    #[test]
    fn every_mode_is_found_by_its_point_and_its_levels(
        rows in prop::collection::vec(prop::collection::vec(0u8..4, 3), 1..30),
    ) {
        let rows: Vec<Vec<f64>> =
            rows.iter().map(|row| row.iter().map(|&level| f64::from(level)).collect()).collect();
        let space = ModeSpace::from_modes(&names(3), &rows).unwrap();
        for row in &rows {
            let mode = space.find_levels(row).unwrap();
            prop_assert_eq!(space.levels(mode).collect::<Vec<_>>(), row.clone());
            prop_assert_eq!(space.find(space.point(mode)), Some(mode));
            prop_assert_eq!(space.nearest(space.point(mode)), mode);
        }
        prop_assert!(space.len() <= rows.len());
    }

    #[test]
    fn a_full_grid_has_every_combination_in_order(counts in prop::collection::vec(1usize..5, 1..4)) {
        let knobs = counts.iter().enumerate().map(|(k, &count)| {
            Knob::new(format!("knob_{k}"), (0..count).map(|level| level as f64)).unwrap()
        });
        let space = ModeSpace::full_grid(knobs.collect()).unwrap();
        prop_assert_eq!(space.len(), counts.iter().product::<usize>());
        let points: Vec<_> = space.ids().map(|mode| space.point(mode).to_vec()).collect();
        prop_assert!(points.is_sorted());
        prop_assert!(space.ids().all(|mode| space.at_most(space.lowest(), mode)));
        prop_assert!(space.ids().all(|mode| space.at_most(mode, space.highest())));
    }
}

#[test]
fn what_is_no_mode_space_is_refused() {
    assert_eq!(Knob::new("k", []), Err(KnobError::NoLevel { knob: "k".into() }));
    assert!(matches!(Knob::new("k", [f64::NAN]), Err(KnobError::NotFinite { .. })));
    assert_eq!(ModeSpace::full_grid(Vec::new()), Err(ModeSpaceError::NoKnob));
    let none: [Vec<f64>; 0] = [];
    assert_eq!(ModeSpace::from_modes(&names(1), &none), Err(ModeSpaceError::NoMode));
    let ragged = ModeSpace::from_modes(&names(2), &[vec![1.0]]);
    assert_eq!(ragged, Err(ModeSpaceError::Ragged { levels: 1, knobs: 2 }));
}

#[test]
fn a_mode_is_described_in_the_units_of_its_knobs() {
    let knobs = vec![
        Knob::new("cpu_cores", [4.0, 12.0]).unwrap(),
        Knob::new("gpu_khz", [114_750.0, 1_300_500.0]).unwrap(),
        Knob::new("power_limit_w", [100.0]).unwrap(),
    ];
    let space = ModeSpace::full_grid(knobs).unwrap();
    let described = space.describe(space.highest());
    assert_eq!(described, "12 cpu cores, gpu 1.30GHz, power limit 100W");
    let one = Knob::new("cpu_cores", [1.0, 2.0]).unwrap();
    assert_eq!(one.describe(1.0).to_string(), "1 cpu core");
    let mode = space.power_mode(space.lowest()).to_string();
    assert_eq!(mode, "cpu_cores=4 gpu_khz=114750 power_limit_w=100");
}
