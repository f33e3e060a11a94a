//! What holds of every kind of board. A new kind is one more row of `KINDS`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a test says which kind it is at")]

mod fake_processes;
mod read_only;

use std::collections::BTreeSet;
use std::sync::Arc;

use fake_processes::FakeProcesses;
use fulcrum_board::{
    Absence, Board, HostBoard, JetsonBoard, ManualClock, ModeChange, Quantity, Sample, SetError,
    SimulatedBoard, SimulatedOrin, SystemClock,
};
use fulcrum_domain::{Knob, ModeId, ModeSpace};
use fulcrum_fake_jetson::{FakeTree, orin_agx_jp5, orin_agx_jp6, orin_nano, thor, xavier_nx};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use read_only::ReadOnly;

/// A kind of board, and how one is made.
struct Kind {
    name: &'static str,
    make: fn() -> Box<dyn Board>,
}

const KINDS: &[Kind] = &[
    Kind { name: "host, this machine", make: this_machine },
    Kind { name: "host, cpufreq of a new kernel", make: || host_on(orin_nano()) },
    Kind { name: "host, cpufreq of an old kernel", make: || host_on(xavier_nx()) },
    Kind { name: "host, a virtual machine", make: virtual_machine },
    Kind { name: "jetson, AGX Orin with JetPack 5", make: || jetson(orin_agx_jp5()) },
    Kind { name: "jetson, AGX Orin with JetPack 6", make: || jetson(orin_agx_jp6()) },
    Kind { name: "jetson, Orin Nano", make: || jetson(orin_nano()) },
    Kind { name: "jetson, Xavier NX", make: || jetson(xavier_nx()) },
    Kind { name: "jetson, AGX Thor", make: || jetson(thor()) },
    Kind { name: "simulated", make: simulated },
];

fn jetson(tree: FakeTree) -> Box<dyn Board> {
    let clock = Arc::new(ManualClock::new());
    Box::new(JetsonBoard::probe(Arc::new(tree), clock).unwrap())
}

fn this_machine() -> Box<dyn Board> {
    let files = Arc::new(ReadOnly::new());
    Box::new(HostBoard::new(files, Arc::new(SystemClock::new())).unwrap())
}

fn host_on(tree: FakeTree) -> Box<dyn Board> {
    let processes = FakeProcesses::new(6);
    processes.start(100, 7, &[0, 1, 2, 3, 4, 5]);
    let clock = Arc::new(ManualClock::new());
    let mut board = HostBoard::with_processes(Arc::new(tree), clock, Box::new(processes)).unwrap();
    board.place(100);
    Box::new(board)
}

fn virtual_machine() -> Box<dyn Board> {
    let tree = orin_nano();
    for path in ["/sys/devices/system/cpu/cpufreq", "/sys/class/thermal", "/sys/class/hwmon"] {
        tree.remove(path);
    }
    host_on(tree)
}

fn simulated() -> Box<dyn Board> {
    let clock = Arc::new(SystemClock::faster(1000.0));
    Box::new(SimulatedBoard::new(clock, SimulatedOrin::NOISE, 1))
}

fn each_kind(check: impl Fn(&mut dyn Board)) {
    for kind in KINDS {
        println!("{}", kind.name);
        check(&mut *(kind.make)());
    }
}

/// Some modes of a board: its corners, its middle, its presets.
fn some_modes(board: &dyn Board) -> Vec<ModeId> {
    let space = board.space();
    let presets = board.presets().iter().map(|preset| preset.mode);
    [space.highest(), space.lowest(), space.middle()].into_iter().chain(presets).collect()
}

fn quantities_that_cannot_be_negative(quantity: Quantity) -> bool {
    // A current that flows back and frost are not errors.
    !matches!(quantity, Quantity::Current | Quantity::Temperature)
}

fn check_sample(board: &dyn Board, sample: &Sample) {
    assert_eq!(sample.values.len(), board.sensors().len());
    for (sensor, value) in board.sensors().iter().zip(&sample.values) {
        let Ok(value) = value else { continue };
        assert!(value.is_finite(), "{sensor}: {value}");
        if quantities_that_cannot_be_negative(sensor.quantity) {
            assert!(*value >= 0.0, "{sensor}: {value}");
        }
        if matches!(sensor.quantity, Quantity::Load | Quantity::FanDrive) {
            assert!(*value <= 1.0, "{sensor}: {value}");
        }
    }
}

fn check_total(board: &dyn Board, sample: &Sample) {
    let rule = board.total_power();
    if rule.parts.is_empty() {
        assert_eq!(sample.total_power, Err(Absence::Missing), "not known is not zero");
        assert!(!rule.leaves_out.is_empty());
        return;
    }
    let value = |part: &String| {
        let at = board
            .sensors()
            .iter()
            .position(|sensor| sensor.part == *part && sensor.quantity == Quantity::Power);
        sample.values[at.unwrap_or_else(|| panic!("{part} is no power sensor"))].clone()
    };
    let sum: Result<f64, Absence> = rule.parts.iter().map(value).sum();
    match (&sample.total_power, sum) {
        (Ok(total), Ok(sum)) => assert!((total - sum).abs() < 1e-9 * sum.max(1.0)),
        (total, sum) => assert_eq!((total.is_ok(), sum.is_ok()), (false, false)),
    }
}

/// Whether the board shows what was asked for, or says of each knob that does not.
fn check_change(board: &mut dyn Board, mode: ModeId, change: &ModeChange) {
    let space = board.space().clone();
    assert_eq!(change.requested, mode);
    assert_eq!(change.applied, space.levels(mode).collect::<Vec<_>>());
    assert_eq!(change.observed.len(), space.knobs().len());
    for (place, knob) in space.knobs().iter().enumerate() {
        let over = change.overrides.iter().find(|over| over.knob == knob.name());
        match over {
            None => {
                assert_eq!(change.observed[place], Ok(change.applied[place]), "{}", knob.name());
            }
            Some(over) => assert_eq!(over.wanted, change.applied[place]),
        }
    }
    if change.holds() {
        assert_eq!(board.levels(), change.observed);
        assert_eq!(board.overrides(&change.applied), []);
    }
}

#[test]
fn it_says_what_it_is() {
    each_kind(|board| {
        let identity = board.identity();
        assert!(["jetson", "host", "simulated"].contains(&identity.kind));
        assert!(!identity.model.is_empty() && !identity.software.is_empty());
        assert!(!identity.compatible.is_empty());
        let clean = |text: &String| !text.contains(['\0', '\n']);
        assert!(clean(&identity.model) && identity.compatible.iter().all(clean));
    });
}

#[test]
fn no_two_sensors_are_called_alike() {
    each_kind(|board| {
        let names: BTreeSet<String> = board.sensors().iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), board.sensors().len());
    });
}

#[test]
fn a_sample_has_one_value_a_sensor_and_each_can_be() {
    each_kind(|board| {
        let sample = board.sense();
        check_sample(board, &sample);
        let later = board.sense();
        check_sample(board, &later);
        assert!(later.at >= sample.at);
    });
}

#[test]
fn total_power_is_the_sum_of_its_parts_or_absent() {
    each_kind(|board| {
        for mode in some_modes(board) {
            board.set(mode).unwrap();
            let sample = board.sense();
            check_total(board, &sample);
        }
    });
}

#[test]
fn presets_are_modes_of_the_space() {
    each_kind(|board| {
        let names: BTreeSet<&str> = board.presets().iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names.len(), board.presets().len(), "each has a name of its own");
        for preset in board.presets() {
            assert!(preset.mode.index() < board.space().len() && !preset.name.is_empty());
        }
    });
}

#[test]
fn a_mode_that_is_set_shows_or_its_overrides_explain() {
    each_kind(|board| {
        assert_eq!(board.levels().len(), board.space().knobs().len());
        for mode in some_modes(board) {
            let change = board.set(mode).unwrap();
            check_change(board, mode, &change);
        }
    });
}

#[test]
fn setting_a_mode_twice_changes_nothing_more() {
    each_kind(|board| {
        for mode in some_modes(board) {
            let once = board.set(mode).unwrap();
            let state = board.found_state().unwrap();
            assert_eq!(board.set(mode).unwrap(), once);
            assert_eq!(board.found_state().unwrap(), state);
        }
    });
}

#[test]
fn a_mode_of_another_board_is_refused_and_changes_nothing() {
    let knob = |name| Knob::new(name, (0..2000).map(f64::from)).unwrap();
    let large = ModeSpace::full_grid(vec![knob("x"), knob("y")]).unwrap();
    each_kind(|board| {
        board.set(board.space().middle()).unwrap();
        let before = board.found_state().unwrap();
        let count = board.space().len();
        for stranger in [large.id(count).unwrap(), large.highest()] {
            let expected = SetError::Unknown { index: stranger.index(), count };
            assert_eq!(board.set(stranger), Err(expected));
            assert_eq!(board.found_state().unwrap(), before);
        }
    });
}

#[test]
fn restoring_puts_back_what_was_found_and_doing_so_again_is_harmless() {
    each_kind(|board| {
        let found = board.found_state().unwrap();
        let levels = board.levels();
        board.restore(&found).unwrap();
        assert_eq!(board.found_state().unwrap(), found, "nothing was changed yet");
        board.set(board.space().lowest()).unwrap();
        for _ in 0..2 {
            board.restore(&found).unwrap();
            assert_eq!(board.found_state().unwrap(), found);
            assert_eq!(board.levels(), levels);
        }
    });
}

#[test]
fn probing_again_finds_nothing_new_where_nothing_came_up() {
    each_kind(|board| {
        let first = (board.space().clone(), board.sensors().to_vec());
        assert!(!board.probe_again(), "nothing has come up since");
        assert_eq!((board.space().clone(), board.sensors().to_vec()), first);
    });
}

#[test]
fn whatever_modes_are_set_in_whatever_order_the_board_goes_back() {
    for kind in KINDS {
        println!("{}", kind.name);
        let mut runner = TestRunner::new(Config { cases: 48, ..Config::default() });
        // Places among the modes, as shares, so that they fit any board.
        let steps = prop::collection::vec((0.0..1.0_f64, any::<bool>()), 1..12);
        let board = std::cell::RefCell::new((kind.make)());
        let ran = runner.run(&steps, |steps| {
            let board = &mut **board.borrow_mut();
            let found = board.found_state().unwrap();
            for (share, restores) in steps {
                let index = (share * board.space().len() as f64) as usize;
                let mode = board.space().id(index).unwrap();
                let change = board.set(mode).unwrap();
                check_change(board, mode, &change);
                let sample = board.sense();
                check_sample(board, &sample);
                check_total(board, &sample);
                if restores {
                    board.restore(&found).unwrap();
                }
            }
            board.restore(&found).unwrap();
            prop_assert_eq!(board.found_state().unwrap(), found);
            Ok(())
        });
        ran.unwrap_or_else(|error| panic!("{}: {error}", kind.name));
    }
}
