//! The protocol and the rule for implausible rows on the tables of real boards.

#[path = "../../board/tests/measured/mod.rs"]
mod measured;

use std::collections::BTreeMap;

use fulcrum_board::{ProfileTable, read_tables};
use fulcrum_domain::{ProblemKind, WorkloadKind};
use fulcrum_evaluate::{Group, protocol, without_implausible_rows};
use measured::measured;

/// The measured tables of a folder or file, where they are.
fn tables(path: &str) -> Option<ProfileTable> {
    measured(path).map(|path| read_tables(&[path]).expect("good tables"))
}

#[test]
fn the_protocol_of_the_orin_agx_has_its_numbers_of_problems() {
    let Some(table) = tables("orin-agx") else { return };
    let problems = protocol(&table);
    let groups = Group::of(&problems);
    let mut counts = BTreeMap::new();
    for group in &groups {
        counts.entry((group.kind, group.problems.len())).and_modify(|n| *n += 1).or_insert(1);
    }
    let expected = [
        ((ProblemKind::Train, 41), 3),
        ((ProblemKind::Infer, 5_863), 3),
        ((ProblemKind::Concurrent, 6_560), 9),
    ];
    assert_eq!(counts, expected.into());
}

#[test]
fn rows_that_cannot_be_right_are_found() {
    let Some(table) = tables("orin-agx") else { return };
    let (clean, removed) = without_implausible_rows(&table);
    assert_eq!(clean.len() + removed.len(), table.len());
    assert_eq!(clean.space(), table.space());
    let share = removed.len() as f64 / table.len() as f64;
    assert!(share < 0.1, "{share} of all rows");

    let space = table.space();
    let spike = removed.iter().find(|row| {
        row.mode == space.highest()
            && row.batch_size.get() == 32
            && &*row.workload.name == "resnet50"
    });
    assert!(spike.is_some_and(|row| row.power_factor < 0.5), "18.4 W at the highest mode");

    // With the memory at its middle level and the fewest cores the GPU ran faster than it was told,
    // above its lowest level: at the second, these rows draw half as much again as they should.
    let stuck = |row: &&fulcrum_evaluate::Implausible| {
        let point = space.point(row.mode);
        row.workload.kind == WorkloadKind::Infer && point[0] == 0 && point[2] == 1 && point[3] == 1
    };
    let stuck = removed
        .iter()
        .filter(stuck)
        .filter(|row| row.power_factor > 1.2 || row.time_factor < 0.8)
        .count();
    assert!(stuck >= 10, "{stuck} of the rows that did not get their clock");
}

#[test]
fn other_devices_get_a_protocol_within_their_own_range() {
    for folder in ["other/v100.train.csv", "other/jetson-tx2.infer.csv"] {
        let Some(table) = tables(folder) else { continue };
        let problems = protocol(&table);
        assert!(!problems.is_empty());
        let evaluable = |kind, count| {
            Group::of(&problems)
                .iter()
                .filter(|g| g.kind == kind)
                .all(|g| g.problems.len() == count)
        };
        assert!(evaluable(ProblemKind::Train, 41) && evaluable(ProblemKind::Infer, 5_863));
        // Three modes, or one knob with a few levels, say nothing of what is plausible.
        assert_eq!(without_implausible_rows(&table).1, []);
    }
}
