//! Any Linux machine as a board: on copies of others' files, and on this machine.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod fake_processes;
mod read_only;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fake_processes::FakeProcesses;
use fulcrum_board::{
    Absence, Board, Files as _, HostBoard, ManualClock, Quantity, SensorValue, SetError, Suspect,
    SystemClock,
};
use fulcrum_fake_jetson::{FakeTree, orin_nano, xavier_nx};
use read_only::ReadOnly;

const RAPL: &str = "/sys/class/powercap/intel-rapl:0";
const BATTERY: &str = "/sys/class/power_supply/BAT0";
const GROUP: &str = "/sys/fs/cgroup/fulcrum/workers";
const POLICY: &str = "/sys/devices/system/cpu/cpufreq/policy0";

/// A machine of six cores with cpufreq, made of an Orin Nano's files.
struct Machine {
    tree: FakeTree,
    clock: ManualClock,
    processes: FakeProcesses,
}

impl Machine {
    fn new() -> Self {
        Self::of(orin_nano())
    }

    fn of(tree: FakeTree) -> Self {
        Self { tree, clock: ManualClock::new(), processes: FakeProcesses::new(6) }
    }

    fn board(&self) -> HostBoard {
        let (files, clock) = (Arc::new(self.tree.clone()), Arc::new(self.clock.clone()));
        HostBoard::with_processes(files, clock, Box::new(self.processes.clone())).unwrap()
    }

    fn with_counter(self, name: &str, microjoules: &str) -> Self {
        self.tree.put(&format!("{RAPL}/name"), &format!("{name}\n"));
        self.tree.put(&format!("{RAPL}/energy_uj"), microjoules);
        self.tree.put(&format!("{RAPL}/max_energy_range_uj"), "262143328850\n");
        self
    }

    fn with_battery(self, status: &str) -> Self {
        self.tree.put(&format!("{BATTERY}/type"), "Battery\n");
        self.tree.put(&format!("{BATTERY}/status"), &format!("{status}\n"));
        self.tree.put(&format!("{BATTERY}/voltage_now"), "12000000\n");
        self.tree.put(&format!("{BATTERY}/current_now"), "-1500000\n");
        self
    }
}

/// What a board says of one part.
fn value(board: &mut dyn Board, part: &str, quantity: Quantity) -> SensorValue {
    let sample = board.sense();
    let place = board.sensors().iter().position(|s| s.part == part && s.quantity == quantity);
    sample.values[place.unwrap_or_else(|| panic!("no {part}"))].clone()
}

fn knobs(board: &HostBoard) -> Vec<(String, usize)> {
    let knobs = board.space().knobs().iter();
    knobs.map(|knob| (knob.name().to_owned(), knob.levels().len())).collect()
}

#[test]
fn its_knobs_are_cores_and_a_clock_where_it_can_be_written() {
    let machine = Machine::new();
    assert_eq!(knobs(&machine.board()), [("cpu_cores".into(), 6), ("cpu_khz".into(), 22)]);
    machine.tree.as_root(false);
    assert_eq!(knobs(&machine.board()), [("cpu_cores".into(), 6)], "not root");
    machine.tree.as_root(true);
    let table = "/sys/devices/system/cpu/cpufreq/policy4/scaling_available_frequencies";
    machine.tree.put(table, "115200 1728000 \n");
    assert_eq!(knobs(&machine.board()), [("cpu_cores".into(), 6)], "clusters that differ");
    machine.tree.remove("/sys/devices/system/cpu/cpufreq");
    assert_eq!(knobs(&machine.board()), [("cpu_cores".into(), 6)], "a virtual machine");
    let container = Machine { processes: FakeProcesses::new(2), ..Machine::new() };
    assert_eq!(knobs(&container.board())[0], ("cpu_cores".into(), 2), "a container");
}

#[test]
fn placed_processes_are_kept_to_the_modes_cores_with_all_their_threads() {
    let machine = Machine::new();
    let mut board = machine.board();
    machine.processes.start(100, 7, &[0, 1, 2, 3, 4, 5]);
    let mode = |cores: f64| board.space().find_levels(&[cores, 960_000.0]).unwrap();
    let (two, four) = (mode(2.0), mode(4.0));
    board.place(100);
    assert_eq!(machine.processes.cores(100), [[0, 1, 2, 3, 4, 5]; 3], "no mode is set yet");
    let change = board.set(two).unwrap();
    assert!(change.holds(), "{change:?}");
    assert_eq!(change.observed, [Ok(2.0), Ok(960_000.0)]);
    assert_eq!(machine.processes.cores(100), [[0, 1]; 3]);
    machine.processes.start(200, 8, &[0, 1, 2, 3, 4, 5]);
    board.place(200);
    assert_eq!(machine.processes.cores(200), [[0, 1]; 3]);
    board.set(four).unwrap();
    assert_eq!(machine.processes.cores(100), [[0, 1, 2, 3]; 3]);
}

#[test]
fn a_thread_that_someone_else_moved_shows_as_an_override() {
    use fulcrum_board::Processes as _;
    let machine = Machine::new();
    let mut board = machine.board();
    machine.processes.start(100, 7, &[0, 1, 2, 3, 4, 5]);
    board.place(100);
    board.set(board.space().lowest()).unwrap();
    assert_eq!(board.overrides(&[1.0, 115_200.0]), []);
    machine.processes.allow(101, &[2, 3, 4]).unwrap();
    assert_eq!(board.levels()[0], Ok(3.0));
    let overrides = board.overrides(&[1.0, 115_200.0]);
    assert_eq!((overrides.len(), overrides[0].knob.as_str()), (1, "cpu_cores"));
}

#[test]
fn the_clock_is_pinned_and_an_override_is_named() {
    let machine = Machine::new();
    let mut board = machine.board();
    let mode = board.space().find_levels(&[6.0, 1_344_000.0]).unwrap();
    assert!(board.set(mode).unwrap().holds());
    let read = |name: &str| machine.tree.read(&Path::new(POLICY).join(name)).unwrap();
    assert_eq!(
        (read("scaling_min_freq"), read("scaling_max_freq")),
        ("1344000\n".into(), "1344000\n".into())
    );
    machine.tree.cool_cpus(Some(960_000));
    let change = board.set(mode).unwrap();
    let [over] = change.overrides.as_slice() else { panic!("{change:?}") };
    assert_eq!((over.knob.as_str(), over.wanted), ("cpu_khz", 1_344_000.0));
    assert_eq!((&over.shown, over.suspect), (&Ok(960_000.0), Suspect::Thermal));
    assert_eq!(board.levels(), [Ok(6.0), Ok(960_000.0)]);
}

#[test]
fn a_kernel_that_refuses_crossing_limits_is_never_asked_to_cross_them() {
    let machine = Machine::of(xavier_nx());
    let mut board = machine.board();
    let found = board.found_state().unwrap();
    for mode in [board.space().highest(), board.space().lowest(), board.space().highest()] {
        assert!(board.set(mode).unwrap().holds());
    }
    board.restore(&found).unwrap();
    assert_eq!(board.found_state().unwrap(), found);
    assert!(machine.tree.written().iter().all(|write| write.result.is_ok()));
}

#[test]
fn whoever_loses_the_right_to_write_is_told_which_file() {
    let machine = Machine::new();
    let mut board = machine.board();
    machine.tree.as_root(false);
    let error = board.set(board.space().lowest()).unwrap_err();
    assert!(matches!(&error, SetError::Denied { path } if path.starts_with(POLICY)), "{error}");
}

#[test]
fn the_quota_of_the_workers_group_follows_the_cores() {
    let machine = Machine::new();
    machine.tree.put(&format!("{GROUP}/cpu.max"), "max 100000\n");
    let quota = || machine.tree.read(&Path::new(GROUP).join("cpu.max")).unwrap();
    let mut board = machine.board().with_workers_group(Path::new(GROUP));
    let found = board.found_state().unwrap();
    board.set(board.space().lowest()).unwrap();
    assert_eq!(quota(), "100000 100000\n");
    board.set(board.space().highest()).unwrap();
    assert_eq!(quota(), "max 100000\n");
    board.set(board.space().lowest()).unwrap();
    board.restore(&found).unwrap();
    assert_eq!(quota(), "max 100000\n");
    let absent = machine.board().with_workers_group(Path::new("/sys/fs/cgroup/none")).found_state();
    assert!(!absent.unwrap().controls.iter().any(|(key, _)| key.contains("cgroup")));
}

#[test]
fn what_was_placed_is_let_go_even_by_the_next_agent() {
    let machine = Machine::new();
    machine.processes.start(100, 7, &[1, 2, 3]);
    let controls = machine.tree.controls();
    let mut board = machine.board();
    board.place(100);
    let found = board.found_state().unwrap();
    board.set(board.space().lowest()).unwrap();
    machine.processes.start(200, 8, &[4, 5]);
    board.place(200);
    assert_eq!(machine.processes.cores(200), [[0]; 3]);
    let mut same = found.clone();
    same.controls.retain(|(key, _)| !key.starts_with("allowed_cores"));

    drop(board);
    let mut next = machine.board();
    next.restore(&found).unwrap();
    assert_eq!(machine.processes.cores(100), [[1, 2, 3]; 3]);
    assert_eq!(next.found_state().unwrap(), same, "it has placed none itself");
    assert_eq!(machine.tree.controls().differences(&controls), Vec::<String>::new());
}

#[test]
fn restoring_lets_go_of_what_was_placed_since() {
    let machine = Machine::new();
    let mut board = machine.board();
    let found = board.found_state().unwrap();
    board.set(board.space().lowest()).unwrap();
    machine.processes.start(200, 8, &[4, 5]);
    board.place(200);
    board.restore(&found).unwrap();
    assert_eq!(machine.processes.cores(200), [[4, 5]; 3]);
    board.set(board.space().lowest()).unwrap();
    assert_eq!(machine.processes.cores(200), [[4, 5]; 3], "no longer placed");
}

#[test]
fn a_later_process_of_the_same_number_is_left_alone() {
    let machine = Machine::new();
    let mut board = machine.board();
    machine.processes.start(100, 7, &[0, 1, 2, 3, 4, 5]);
    board.place(100);
    let found = board.found_state().unwrap();
    machine.processes.end(100);
    machine.processes.start(100, 99, &[4, 5]);
    assert!(board.set(board.space().lowest()).unwrap().holds());
    board.restore(&found).unwrap();
    assert_eq!(machine.processes.cores(100), [[4, 5]; 3]);
}

#[test]
fn someone_elses_process_is_not_placed() {
    let machine = Machine::new();
    let mut board = machine.board();
    board.set(board.space().lowest()).unwrap();
    machine.processes.start(100, 7, &[0, 1, 2, 3, 4, 5]);
    machine.processes.give_away(100);
    board.place(100);
    assert!(board.set(board.space().middle()).unwrap().holds());
    board.place(31_337);
}

#[test]
fn power_comes_from_the_energy_counter_once_it_has_been_read_twice() {
    let machine = Machine::new().with_counter("package-0", "262143000000\n");
    let mut board = machine.board();
    assert_eq!(board.total_power().parts, ["package-0"]);
    assert_eq!(board.sense().total_power, Err(Absence::Missing));
    machine.clock.advance(Duration::from_secs(2));
    // It has started over.
    machine.tree.put(&format!("{RAPL}/energy_uj"), "29671150\n");
    let total = board.sense().total_power.unwrap();
    assert!((total - 15.0).abs() < 1e-6, "{total}");
    let joules = value(&mut board, "package-0", Quantity::Energy).unwrap();
    assert!((joules - 30.0).abs() < 1e-6, "{joules}");
}

#[test]
fn the_parts_of_a_package_are_not_added_to_it() {
    let machine = Machine::new().with_counter("package-0", "0\n");
    for (number, name) in ["core", "dram"].iter().enumerate() {
        machine.tree.put(&format!("{RAPL}:{number}/name"), &format!("{name}\n"));
        machine.tree.put(&format!("{RAPL}:{number}/energy_uj"), "0\n");
    }
    assert_eq!(machine.board().total_power().parts, ["package-0", "dram-0"]);
    let platform = "/sys/class/powercap/intel-rapl:1";
    machine.tree.put(&format!("{platform}/name"), "psys\n");
    machine.tree.put(&format!("{platform}/energy_uj"), "0\n");
    assert_eq!(machine.board().total_power().parts, ["psys"]);
}

#[test]
fn counters_that_only_root_may_read_are_denied_and_never_zero() {
    let machine = Machine::new().with_counter("package-0", "5\n");
    machine.tree.refuse(&format!("{RAPL}/energy_uj"));
    let mut board = machine.board();
    assert_eq!(value(&mut board, "package-0", Quantity::Power), Err(Absence::Denied));
    assert_eq!(board.sense().total_power, Err(Absence::Denied));
    let machine = machine.with_battery("Discharging");
    let mut board = machine.board();
    assert_eq!(board.total_power().parts, ["BAT0"]);
    assert_eq!(board.sense().total_power, Ok(18.0));
}

#[test]
fn a_battery_says_what_is_drawn_only_while_it_is_drained() {
    let machine = Machine::new().with_battery("Charging");
    let mut board = machine.board();
    assert_eq!(board.sense().total_power, Err(Absence::Missing));
    let mut board = machine.with_battery("Discharging").board();
    assert_eq!(board.sense().total_power, Ok(18.0));
    assert!(board.total_power().leaves_out.contains("only while on battery"));
    let mouse = Machine::new().with_battery("Discharging");
    mouse.tree.put(&format!("{BATTERY}/scope"), "Device\n");
    assert!(mouse.board().total_power().parts.is_empty());
}

#[test]
fn a_machine_without_power_sensors_says_so() {
    let mut board = Machine::new().board();
    assert!(board.total_power().parts.is_empty());
    assert!(board.total_power().leaves_out.contains("no power sensor"));
    assert_eq!(board.sense().total_power, Err(Absence::Missing));
    assert_eq!(board.identity().kind, "host");
    assert!(board.presets().is_empty());
}

#[test]
fn whatever_fails_nothing_is_made_up_and_all_goes_back() {
    for seed in 0..40 {
        let machine = Machine::new().with_counter("package-0", "1000000\n");
        machine.processes.start(100, 7, &[0, 1, 2, 3, 4, 5]);
        let mut board = machine.board();
        let before = machine.tree.controls();
        let found = board.found_state().unwrap();
        machine.tree.faults(seed, 0.2);
        for step in 0..30 {
            let mode = board.space().id(step * 7 % board.space().len()).unwrap();
            if let Ok(change) = board.set(mode)
                && change.holds()
            {
                let wanted: Vec<SensorValue> = change.applied.iter().map(|&it| Ok(it)).collect();
                assert_eq!(change.observed, wanted, "seed {seed}");
            }
            machine.clock.advance(Duration::from_millis(100));
            let sample = board.sense();
            let parts = board.sensors().iter().zip(&sample.values);
            for (sensor, reading) in parts.filter(|(_, reading)| reading.is_ok()) {
                let reading = *reading.as_ref().unwrap();
                assert!(reading.is_finite() && reading >= 0.0, "seed {seed}: {sensor} {reading}");
                if sensor.quantity == Quantity::Power {
                    assert_eq!(reading, 0.0, "seed {seed}: the counter stands still");
                }
            }
            let _ = board.restore(&found);
            board.place(100);
        }
        machine.tree.calm();
        board.restore(&found).unwrap();
        let differences = machine.tree.controls().differences(&before);
        assert_eq!(differences, Vec::<String>::new(), "seed {seed}");
        assert_eq!(machine.processes.cores(100), [[0, 1, 2, 3, 4, 5]; 3], "seed {seed}");
    }
}

#[test]
fn this_machine_keeps_a_real_process_to_its_cores() {
    let (files, clock) = (Arc::new(ReadOnly::new()), Arc::new(SystemClock::new()));
    let mut board = HostBoard::new(files, clock).unwrap();
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let allowed = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("Cpus_allowed_list:")).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    let before = allowed();
    let found = board.found_state().unwrap();
    board.place(child.id());
    let change = board.set(board.space().lowest()).unwrap();
    assert!(change.holds(), "{change:?}");
    assert!(allowed().parse::<u32>().is_ok(), "one core: {}", allowed());
    board.restore(&found).unwrap();
    assert_eq!(allowed(), before);
    child.kill().unwrap();
    child.wait().unwrap();
}
