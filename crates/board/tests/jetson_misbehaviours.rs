//! What real Jetsons do to whoever reads and sets them.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fulcrum_board::{
    Absence, Board, Files, JetsonBoard, ManualClock, SensorValue, SetError, Suspect,
};
use fulcrum_domain::ModeId;
use fulcrum_fake_jetson::{FakeTree, KernelProfile, jetsons, orin_agx_jp6, orin_nano, xavier_nx};

const EMC: &str = "/sys/kernel/debug/bpmp/debug/emc/possible_rates";

fn probe(tree: &FakeTree) -> (JetsonBoard, ManualClock) {
    let clock = ManualClock::new();
    tree.follow(Arc::new(clock.clone()));
    let board = JetsonBoard::probe(Arc::new(tree.clone()), Arc::new(clock.clone()));
    (board.expect("a Jetson"), clock)
}

fn value(board: &mut JetsonBoard, sensor: &str) -> SensorValue {
    let place = board.sensors().iter().position(|found| found.to_string() == sensor);
    let place = place.expect(sensor);
    board.sense().values[place].clone()
}

fn mode(board: &JetsonBoard, levels: &[f64]) -> ModeId {
    board.space().find_levels(levels).expect("a mode")
}

fn suspects(board: &mut JetsonBoard, applied: &[f64]) -> Vec<(String, Suspect)> {
    board.overrides(applied).into_iter().map(|over| (over.knob, over.suspect)).collect()
}

#[test]
fn parts_that_are_switched_off_are_gated_however_their_zones_say_so() {
    let tree = orin_agx_jp6();
    let (mut board, _) = probe(&tree);
    for minus_256 in [false, true] {
        tree.gated_zones_show_minus_256(minus_256);
        assert_eq!(value(&mut board, "cv0 celsius"), Err(Absence::Gated));
        tree.gate_gpu(true);
        assert_eq!(value(&mut board, "gpu celsius"), Err(Absence::Gated));
        tree.gate_gpu(false);
        assert_eq!(value(&mut board, "gpu celsius"), Ok(45.343));
    }
}

#[test]
fn a_channel_that_is_disabled_takes_the_total_with_it() {
    let tree = orin_agx_jp6();
    let (mut board, _) = probe(&tree);
    tree.enable_rail("VDD_CPU_CV", false);
    assert_eq!(value(&mut board, "VDD_CPU_CV watts"), Err(Absence::Gated));
    assert_eq!(board.sense().total_power, Err(Absence::Gated));
    tree.enable_rail("VDD_CPU_CV", true);
    assert!(board.sense().total_power.is_ok());
}

#[test]
fn a_text_that_is_no_number_is_unreadable() {
    let tree = orin_agx_jp6();
    let (mut board, _) = probe(&tree);
    tree.put("/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "<unknown>\n");
    assert_eq!(value(&mut board, "cpu0 hertz"), Err(Absence::Unreadable("<unknown>".into())));
}

#[test]
fn a_kernel_that_refuses_crossed_limits_is_never_given_any() {
    for jetson in jetsons() {
        let tree = (jetson.tree)();
        tree.set_kernel_profile(KernelProfile::Rejecting);
        let (mut board, _) = probe(&tree);
        let before = tree.controls();
        let found = board.found_state().expect(jetson.name);
        let space = board.space().clone();
        let steps = space.len().div_ceil(150);
        for mode in space.ids().step_by(steps).chain(space.ids().rev().step_by(steps)) {
            assert!(board.set(mode).expect(jetson.name).holds(), "{}", jetson.name);
        }
        board.restore(&found).expect(jetson.name);
        assert_eq!(tree.controls().differences(&before), Vec::<String>::new(), "{}", jetson.name);
    }
}

#[test]
fn a_clock_that_the_kernel_rounds_is_an_override() {
    let tree = orin_agx_jp6();
    for policy in [0, 4, 8] {
        let path = format!("/sys/devices/system/cpu/cpufreq/policy{policy}");
        tree.put(&format!("{path}/scaling_available_frequencies"), "729600 1000000 2201600 \n");
    }
    let (mut board, _) = probe(&tree);
    let mode = mode(&board, &[12.0, 1_000_000.0, 816_000.0, 3_199_000.0]);
    let change = board.set(mode).expect("every write is taken");
    let over = &change.overrides[..];
    assert_eq!(over.len(), 1, "{over:?}");
    assert_eq!((over[0].wanted, &over[0].shown), (1_000_000.0, &Ok(960_000.0)));
    assert_eq!((over[0].knob.as_str(), over[0].suspect), ("cpu_khz", Suspect::Kernel));
}

#[test]
fn a_memory_clock_that_the_firmware_ignores_is_an_override() {
    let tree = orin_agx_jp6();
    tree.put(EMC, "204000 1600000 3199000 (kHz)\n");
    let (mut board, _) = probe(&tree);
    let mode = mode(&board, &[12.0, 729_600.0, 306_000.0, 1_600_000.0]);
    let change = board.set(mode).expect("every write is taken");
    let over = &change.overrides[..];
    assert_eq!(over.len(), 1, "{over:?}");
    assert_eq!((over[0].knob.as_str(), over[0].suspect), ("mem_khz", Suspect::Firmware));
}

#[test]
fn a_cluster_that_comes_back_gets_the_limits_that_were_found() {
    let tree = orin_agx_jp6();
    let (mut board, _) = probe(&tree);
    let before = tree.controls();
    let max = "/sys/devices/system/cpu/cpufreq/policy8/scaling_max_freq";
    assert_eq!(before.get(max), Some("1497600"));
    let found = board.found_state().expect("all is readable");
    board.set(mode(&board, &[3.0, 729_600.0, 306_000.0, 3_199_000.0])).expect("cores can go");
    assert_eq!(tree.controls().get(max), None, "the cluster is gone");
    assert_eq!(value(&mut board, "cpu8 hertz"), Err(Absence::Gated));
    board.restore(&found).expect("all is writable");
    assert_eq!(tree.controls().get(max), Some("1497600"));
    assert_eq!(tree.controls().differences(&before), Vec::<String>::new());
}

#[test]
fn other_numbers_change_no_value() {
    for jetson in jetsons() {
        let tree = (jetson.tree)();
        let (mut board, clock) = probe(&tree);
        let loads_apart = |board: &mut JetsonBoard| {
            let values = board.sense().values;
            let sensors = board.sensors().iter().map(ToString::to_string);
            let pairs = sensors.zip(values).filter(|(sensor, _)| !sensor.ends_with("ratio"));
            pairs.collect::<Vec<_>>()
        };
        tree.steady_rails();
        clock.advance(Duration::from_secs(1));
        let before = loads_apart(&mut board);
        for seed in 0..8 {
            tree.renumber(seed);
            clock.advance(Duration::from_secs(1));
            assert_eq!(loads_apart(&mut board), before, "{}, seed {seed}", jetson.name);
        }
    }
}

#[test]
fn a_rail_is_found_again_at_once_when_its_number_has_gone() {
    let tree = orin_agx_jp6();
    let (mut board, _) = probe(&tree);
    let before = value(&mut board, "VDD_GPU_SOC watts");
    for seed in 0..8 {
        tree.renumber(seed);
        assert_eq!(value(&mut board, "VDD_GPU_SOC watts"), before, "seed {seed}");
    }
}

#[test]
fn a_gpu_whose_driver_comes_late_is_found_when_looked_for_again() {
    let tree = orin_nano();
    tree.gpu_appears_after(Duration::from_secs(5));
    let (mut board, clock) = probe(&tree);
    let has_gpu = |board: &JetsonBoard| {
        let knob = board.space().knobs().iter().any(|knob| knob.name() == "gpu_khz");
        (knob, board.sensors().iter().any(|sensor| sensor.to_string() == "gpu hertz"))
    };
    assert_eq!(has_gpu(&board), (false, false));
    assert!(!board.probe_again());
    clock.advance(Duration::from_secs(6));
    assert!(board.probe_again());
    assert_eq!(has_gpu(&board), (true, true));
    assert!(!board.probe_again());
}

#[test]
fn a_power_sensor_has_as_many_values_as_it_had_time_for() {
    let tree = orin_nano();
    let (mut board, clock) = probe(&tree);
    let mut powers = BTreeSet::new();
    let mut changes = 0;
    let mut last = None;
    for _ in 0..430 {
        clock.advance(Duration::from_millis(10));
        let power = board.sense().total_power.expect("VDD_IN is there").to_bits();
        changes += usize::from(last.is_some_and(|last| last != power));
        last = Some(power);
        powers.insert(power);
    }
    assert!(powers.len() > 1);
    assert!((8..=10).contains(&changes), "{changes} new values in 4.3 s");
}

#[test]
fn over_current_is_counted() {
    let tree = orin_nano();
    let (mut board, clock) = probe(&tree);
    tree.over_current(3, 100.0);
    clock.advance(Duration::from_secs(10));
    assert_eq!(value(&mut board, "oc3 total"), Ok(1000.0));
    assert_eq!(value(&mut board, "oc1 total"), Ok(0.0));
}

#[test]
fn who_is_not_root_reads_what_everyone_may_and_sets_nothing() {
    let tree = orin_agx_jp6();
    tree.as_root(false);
    let (mut board, _) = probe(&tree);
    let before = tree.controls();
    assert_eq!(value(&mut board, "emc hertz"), Err(Absence::Denied));
    assert!(board.sense().total_power.is_ok());
    let memory = &board.space().knobs()[3];
    assert_eq!(memory.levels(), [204_000.0, 665_600.0, 2_133_000.0, 3_199_000.0]);
    let error = board.set(board.space().lowest()).expect_err("not root");
    assert!(matches!(&error, SetError::Denied { path } if path.ends_with("online")), "{error}");
    assert_eq!(tree.controls().differences(&before), Vec::<String>::new());
}

#[test]
fn without_debugfs_the_cap_alone_sets_the_memory() {
    let tree = orin_agx_jp6();
    tree.mount_debugfs(false);
    let (mut board, _) = probe(&tree);
    let before = tree.controls();
    assert_eq!(value(&mut board, "emc hertz"), Err(Absence::Missing));
    let found = board.found_state().expect("all is readable");
    let mode = mode(&board, &[12.0, 729_600.0, 306_000.0, 2_133_000.0]);
    assert!(board.set(mode).expect("the cap is writable").holds());
    assert_eq!(tree.controls().get("/sys/kernel/nvpmodel_clk_cap/emc"), Some("2133000000"));
    board.restore(&found).expect("the cap is writable");
    assert_eq!(tree.controls().differences(&before), Vec::<String>::new());
}

/// A tree whose debugfs may be read and not written, as in a hardened service.
#[derive(Debug)]
struct ReadOnlyDebugfs(FakeTree);

impl Files for ReadOnlyDebugfs {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.0.read(path)
    }

    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        if path.starts_with("/sys/kernel/debug") {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        self.0.write(path, text)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.0.list(folder)
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.exists(path)
    }
}

#[test]
fn a_lock_that_may_be_read_only_is_done_without_unless_it_is_held() {
    let tree = orin_agx_jp6();
    let files = Arc::new(ReadOnlyDebugfs(tree.clone()));
    let mut board = JetsonBoard::probe(files, Arc::new(ManualClock::new())).expect("a Jetson");
    let before = tree.controls();
    let found = board.found_state().expect("all is readable");
    let mode = mode(&board, &[12.0, 729_600.0, 306_000.0, 2_133_000.0]);
    let change = board.set(mode).expect("the cap is writable");
    assert!(change.holds(), "{:?}", change.overrides);
    board.restore(&found).expect("the lock was not taken");
    assert_eq!(tree.controls().differences(&before), Vec::<String>::new());

    tree.lock_clocks();
    let error = board.set(mode).expect_err("another process holds the lock");
    assert!(matches!(&error, SetError::Denied { path } if path.contains("emc")), "{error}");
}

#[test]
fn systems_without_nvpmodel_s_nodes_set_the_memory_by_its_lock() {
    let tree = orin_agx_jp6();
    tree.have_nvpmodel_nodes(false);
    let (mut board, _) = probe(&tree);
    let before = tree.controls();
    let found = board.found_state().expect("all is readable");
    let mode = mode(&board, &[12.0, 729_600.0, 306_000.0, 665_600.0]);
    assert!(board.set(mode).expect("the lock is writable").holds());
    assert_eq!(value(&mut board, "emc hertz"), Ok(665_600_000.0));
    board.restore(&found).expect("the lock is writable");
    assert_eq!(tree.controls().differences(&before), Vec::<String>::new());
}

#[test]
fn whoever_wipes_or_takes_the_clocks_is_suspected() {
    let tree = orin_agx_jp6();
    let (mut board, _) = probe(&tree);
    let applied = [12.0, 1_036_800.0, 510_000.0, 2_133_000.0];
    let mode = mode(&board, &applied);
    assert!(board.set(mode).expect("all is writable").holds());
    assert_eq!(suspects(&mut board, &applied), []);
    tree.wipe_locks();
    let found = suspects(&mut board, &applied);
    assert_eq!(found[0], ("cpu_khz".into(), Suspect::VendorMode), "{found:?}");
    assert_eq!(found.len(), 3, "{found:?}");

    board.set(mode).expect("all is writable");
    tree.set_vendor_mode(1);
    let found = suspects(&mut board, &applied);
    assert!(found.iter().all(|(_, suspect)| *suspect == Suspect::VendorMode), "{found:?}");
    assert!(found.iter().any(|(knob, _)| knob == "cpu_cores"), "{found:?}");
}

#[test]
fn clocks_that_another_process_pins_at_the_top_are_a_clock_lock() {
    let tree = xavier_nx();
    let (mut board, _) = probe(&tree);
    let lowest = board.space().lowest();
    let applied: Vec<f64> = board.space().levels(lowest).collect();
    board.set(lowest).expect("all is writable");
    tree.wipe_locks();
    tree.lock_clocks();
    let found = suspects(&mut board, &applied);
    assert!(found.iter().any(|(knob, _)| knob == "gpu_khz"), "{found:?}");
    assert!(found.contains(&("gpu_khz".into(), Suspect::ClockLock)), "{found:?}");
}

#[test]
fn a_cooling_device_that_holds_a_clock_down_is_suspected() {
    let tree = orin_agx_jp6();
    let (mut board, _) = probe(&tree);
    let before = tree.controls();
    let found = board.found_state().expect("all is readable");
    let highest = board.space().highest();
    tree.cool_cpus(Some(1_190_400));
    let change = board.set(highest).expect("all is writable");
    let over = &change.overrides[..];
    assert_eq!(over.len(), 1, "{over:?}");
    assert_eq!((over[0].suspect, &over[0].shown), (Suspect::Thermal, &Ok(1_190_400.0)));
    tree.cool_cpus(None);
    board.restore(&found).expect("all is writable");
    assert_eq!(tree.controls().differences(&before), Vec::<String>::new());
}

#[test]
fn a_state_that_is_not_a_jetson_s_is_said_to_be_left() {
    let (mut board, _) = probe(&orin_nano());
    let mut found = board.found_state().expect("all is readable");
    found.controls.push(("cpu1/../../../../etc/passwd".into(), "x".into()));
    let error = board.restore(&found).expect_err("not a control");
    assert_eq!(error.left.len(), 1, "{error}");
}

#[test]
fn a_mode_in_force_that_no_mode_may_change_is_listed_with_why() {
    let (board, _) = probe(&orin_agx_jp6());
    let listed = board.presets_after_reboot();
    assert_eq!(
        listed.iter().map(|preset| &*preset.name).collect::<Vec<_>>(),
        ["MODE_15W", "MODE_30W"]
    );
    assert!(listed[0].why.contains("tpc_pg_mask would become 248, and is 0"), "{listed:?}");
}
