//! Every Jetson whose values were recorded: described, read, set and put back.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use fulcrum_board::{
    Absence, Board, Files as _, JetsonBoard, ManualClock, ProbeError, Quantity, Rooted, SensorValue,
};
use fulcrum_domain::ModeId;
use fulcrum_fake_jetson::{FakeTree, Jetson, jetsons, orin_agx_jp6};

fn probe(tree: &FakeTree) -> JetsonBoard {
    JetsonBoard::probe(Arc::new(tree.clone()), Arc::new(ManualClock::new())).expect("a Jetson")
}

fn described(board: &JetsonBoard) -> String {
    let mut text = String::new();
    let identity = board.identity();
    let _ = writeln!(text, "{}, {}", identity.model, identity.software);
    let _ = writeln!(text, "{}\n", identity.compatible.join(" "));
    for knob in board.space().knobs() {
        let levels = knob.levels();
        let (low, high) = (levels[0], levels[levels.len() - 1]);
        let _ = writeln!(text, "{}: {} levels, {low} to {high}", knob.name(), levels.len());
    }
    let _ = writeln!(text, "{} modes\n", board.space().len());
    for preset in board.presets() {
        let _ = writeln!(text, "{}: {}", preset.name, board.space().describe(preset.mode));
    }
    for preset in board.presets_after_reboot() {
        let _ = writeln!(text, "{}: not now, {}", preset.name, preset.why);
    }
    let total = board.total_power();
    let _ = writeln!(text, "\ntotal power: {}", total.parts.join(" + "));
    let _ = writeln!(text, "leaves out {}\n", total.leaves_out);
    text
}

fn sensed(board: &mut JetsonBoard) -> String {
    let sample = board.sense();
    let mut text = String::new();
    for (sensor, value) in board.sensors().iter().zip(&sample.values) {
        let value = value.as_ref().map_or_else(ToString::to_string, ToString::to_string);
        let refresh = sensor.refresh.map_or(String::new(), |time| format!(", every {time:?}"));
        let _ = writeln!(text, "{sensor}: {value}{refresh}");
    }
    let total = sample.total_power.map_or_else(|why| why.to_string(), |w| format!("{w:.3}"));
    let _ = writeln!(text, "total watts: {total}");
    text
}

#[test]
fn every_board_is_found_with_what_it_has() {
    for Jetson { name, tree } in jetsons() {
        let tree = tree();
        let mut board = probe(&tree);
        let text = described(&board) + &sensed(&mut board);
        insta::assert_snapshot!(name.replace([',', ' '], "_").to_lowercase(), text);
    }
}

/// Modes from all over a space, the presets among them.
fn modes(board: &JetsonBoard) -> Vec<ModeId> {
    let space = board.space();
    let spread = (0..12).filter_map(|place| space.id(place * (space.len() - 1) / 11));
    let presets = board.presets().iter().map(|preset| preset.mode);
    [space.highest(), space.lowest(), space.highest(), space.middle()]
        .into_iter()
        .chain(spread)
        .chain(presets)
        .collect()
}

#[test]
fn every_board_shows_each_mode_that_is_set_and_goes_back_to_what_was_found() {
    for Jetson { name, tree } in jetsons() {
        let tree = tree();
        let mut board = probe(&tree);
        let before = tree.controls();
        let found = board.found_state().expect(name);
        for mode in modes(&board) {
            let change = board.set(mode).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(change.holds(), "{name}: {:?}", change.overrides);
            let wanted: Vec<SensorValue> = change.applied.iter().copied().map(Ok).collect();
            assert_eq!(change.observed, wanted, "{name}");
            assert_eq!(board.levels(), wanted, "{name}");
        }
        board.restore(&found).expect(name);
        assert_eq!(tree.controls().differences(&before), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn no_mode_ever_writes_what_takes_a_reboot_and_no_write_is_refused() {
    for Jetson { name, tree } in jetsons() {
        let tree = tree();
        let mut board = probe(&tree);
        let found = board.found_state().expect(name);
        for mode in modes(&board) {
            board.set(mode).expect(name);
        }
        board.restore(&found).expect(name);
        for write in tree.written() {
            assert!(!write.path.contains("mask"), "{name}: {write:?}");
            assert_eq!(write.result, Ok(()), "{name}: {write:?}");
        }
    }
}

#[test]
fn every_vendor_mode_found_is_what_a_board_goes_back_to() {
    for Jetson { name, tree } in jetsons() {
        for vendor in tree().vendor_modes() {
            let tree = tree();
            tree.set_vendor_mode(vendor.id);
            let mut board = probe(&tree);
            let before = tree.controls();
            let found = board.found_state().expect(name);
            board.set(board.space().highest()).expect(name);
            board.set(board.space().lowest()).expect(name);
            board.restore(&found).expect(name);
            let differences = tree.controls().differences(&before);
            assert_eq!(differences, Vec::<String>::new(), "{name}, {}", vendor.name);
        }
    }
}

#[test]
fn another_process_puts_back_what_one_that_died_had_found() {
    for Jetson { name, tree } in jetsons() {
        let tree = tree();
        let before = tree.controls();
        let found = {
            let mut board = probe(&tree);
            let found = board.found_state().expect(name);
            board.set(board.space().lowest()).expect(name);
            found
        };
        probe(&tree).restore(&found).expect(name);
        assert_eq!(tree.controls().differences(&before), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_folder_of_plain_files_is_a_board_as_well() {
    let tree = orin_agx_jp6();
    let folder = std::env::temp_dir().join(format!("fulcrum-jetson-{}", std::process::id()));
    tree.write_to(&folder).expect("a folder for temporary files");
    let files = Arc::new(Rooted::new(&folder));
    let mut board = JetsonBoard::probe(files, Arc::new(ManualClock::new())).expect("a Jetson");
    assert_eq!(described(&board), described(&probe(&tree)));
    let found = board.found_state().expect("all is readable");
    let change = board.set(board.space().lowest()).expect("all is writable");
    assert!(change.holds(), "{:?}", change.overrides);
    board.restore(&found).expect("all is writable");
    let left = tree.controls_in(&folder).differences(&tree.controls());
    let _ = std::fs::remove_dir_all(&folder);
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn what_is_no_jetson_says_so() {
    let tree = orin_agx_jp6();
    tree.put("/proc/device-tree/compatible", "raspberrypi,5-model-b\0brcm,bcm2712\0");
    let clock = Arc::new(ManualClock::new());
    let error = JetsonBoard::probe(Arc::new(tree.clone()), clock.clone()).expect_err("no Tegra");
    assert_eq!(
        error.to_string(),
        "not a Jetson: /proc/device-tree/compatible says `raspberrypi,5-model-b, brcm,bcm2712`, \
         and should name nvidia,tegra…"
    );
    tree.remove("/proc/device-tree/compatible");
    let error = JetsonBoard::probe(Arc::new(tree), clock).expect_err("no device tree");
    assert!(matches!(error, ProbeError::NotAJetson { .. }), "{error}");
}

#[test]
fn a_power_sensor_tells_how_often_it_has_a_new_value() {
    let board = probe(&orin_agx_jp6());
    let rails = board.sensors().iter().filter(|sensor| sensor.quantity == Quantity::Power);
    for rail in rails {
        assert_eq!(rail.refresh, Some(Duration::from_millis(430)), "{rail}");
    }
}

#[test]
fn loads_are_known_from_the_second_reading_on() {
    let tree = orin_agx_jp6();
    tree.load_cpus(0.75);
    let mut board = probe(&tree);
    let place = board.sensors().iter().position(|sensor| sensor.to_string() == "cpu3 ratio");
    let place = place.expect("core 3 has a load");
    assert_eq!(board.sense().values[place], Err(Absence::Missing));
    tree.advance(Duration::from_secs(10));
    let load = board.sense().values[place].clone().expect("it has been read twice");
    assert!((load - 0.75).abs() < 0.01, "{load}");
    tree.write("/sys/devices/system/cpu/cpu3/online".as_ref(), "0").expect("a core can go");
    assert_eq!(board.sense().values[place], Err(Absence::Gated));
}
