//! Each thing that real boards do to whoever reads and sets them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fulcrum_board::{Files as _, ManualClock};
use fulcrum_fake_jetson::{
    FakeTree, KernelProfile, orin_agx_jp5, orin_agx_jp6, orin_nano, xavier_nx,
};

const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const EAGAIN: i32 = 11;
const EACCES: i32 = 13;
const EINVAL: i32 = 22;
const ENODATA: i32 = 61;

const CPU: &str = "/sys/devices/system/cpu";
const GPU: &str = "/sys/class/devfreq/17000000.gpu";
const CAP: &str = "/sys/kernel/nvpmodel_clk_cap/emc";
const LOCK: &str = "/sys/kernel/debug/bpmp/debug/clk/emc";

fn get(tree: &FakeTree, path: &str) -> Result<String, i32> {
    match tree.read(Path::new(path)) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) => Err(error.raw_os_error().unwrap()),
    }
}

fn set(tree: &FakeTree, path: &str, text: &str) -> Result<(), i32> {
    tree.write(Path::new(path), text).map_err(|error| error.raw_os_error().unwrap())
}

#[allow(clippy::unnecessary_wraps, reason = "what is expected of `get`")]
fn ok(text: &str) -> Result<String, i32> {
    Ok(text.to_owned())
}

/// The path of the first device of a class whose name file says this.
fn named(tree: &FakeTree, class: &str, file: &str, name: &str) -> String {
    let folders = tree.list(Path::new(class)).unwrap();
    let path = |folder: &String| format!("{class}/{folder}");
    let folders = folders.iter().map(path);
    let found = folders.into_iter().find(|path| get(tree, &format!("{path}/{file}")) == ok(name));
    found.unwrap_or_else(|| panic!("no {name} in {class}"))
}

fn zone(tree: &FakeTree, name: &str) -> Result<String, i32> {
    get(tree, &format!("{}/temp", named(tree, "/sys/class/thermal", "type", name)))
}

#[test]
fn a_switched_off_part_has_no_temperature() {
    let tree = orin_agx_jp6();
    assert_eq!(zone(&tree, "cv1-thermal"), Err(EAGAIN));
    assert!(zone(&tree, "gpu-thermal").is_ok());
    tree.gate_gpu(true);
    assert_eq!(zone(&tree, "gpu-thermal"), Err(EAGAIN));
    assert_eq!(zone(&orin_agx_jp5(), "CV1-therm"), ok("-256000"));
    tree.gated_zones_show_minus_256(true);
    assert_eq!(zone(&tree, "cv1-thermal"), ok("-256000"));
    tree.gate_zone("cv1-thermal", false);
    tree.heat("cv1-thermal", 51_500);
    assert_eq!(zone(&tree, "cv1-thermal"), ok("51500"));
}

#[test]
fn a_disabled_channel_has_no_data() {
    let tree = orin_nano();
    let folder = named(&tree, "/sys/class/hwmon", "name", "ina3221");
    tree.enable_rail("VDD_SOC", false);
    assert_eq!(get(&tree, &format!("{folder}/curr3_input")), Err(ENODATA));
    assert_eq!(get(&tree, &format!("{folder}/in3_label")), ok("VDD_SOC"));
}

#[test]
fn a_new_kernel_clamps_a_lower_limit_above_the_upper_one() {
    let tree = orin_agx_jp6();
    let policy = format!("{CPU}/cpufreq/policy0");
    set(&tree, &format!("{policy}/scaling_max_freq"), "960000").unwrap();
    set(&tree, &format!("{policy}/scaling_min_freq"), "1728000").unwrap();
    assert_eq!(get(&tree, &format!("{policy}/scaling_min_freq")), ok("960000"));
    set(&tree, &format!("{policy}/scaling_max_freq"), "2201600").unwrap();
    let now = get(&tree, &format!("{policy}/scaling_min_freq"));
    assert_eq!(now, ok("1728000"), "the request comes into its own");
}

#[test]
fn an_old_kernel_refuses_limits_that_cross() {
    let tree = xavier_nx();
    let policy = format!("{CPU}/cpufreq/policy0");
    assert_eq!(set(&tree, &format!("{policy}/scaling_min_freq"), "1907200"), Err(EINVAL));
    assert_eq!(set(&tree, &format!("{policy}/scaling_max_freq"), "115200"), Err(EINVAL));
    set(&tree, &format!("{policy}/scaling_max_freq"), "1907200").unwrap();
    set(&tree, &format!("{policy}/scaling_min_freq"), "1907200").unwrap();
    assert_eq!(get(&tree, &format!("{policy}/scaling_cur_freq")), ok("1907200"));
    tree.set_kernel_profile(KernelProfile::Clamping);
    assert_eq!(set(&tree, &format!("{policy}/scaling_max_freq"), "115200"), Ok(()));
}

#[test]
fn a_clock_that_is_not_in_the_table_is_rounded() {
    let tree = orin_agx_jp6();
    let max = format!("{CPU}/cpufreq/policy8/scaling_max_freq");
    set(&tree, &max, "1000000").unwrap();
    assert_eq!(get(&tree, &max), ok("960000"));
    set(&tree, &format!("{GPU}/max_freq"), "500000000").unwrap();
    assert_eq!(get(&tree, &format!("{GPU}/max_freq")), ok("408000000"));
    set(&tree, &format!("{GPU}/max_freq"), "0").unwrap();
    assert_eq!(get(&tree, &format!("{GPU}/max_freq")), ok("1300500000"), "0: do not care");
    assert_eq!(set(&tree, &max, "fast"), Err(EINVAL));
}

#[test]
fn clocks_follow_their_limits() {
    let tree = orin_agx_jp6();
    set(&tree, &format!("{GPU}/min_freq"), "816000000").unwrap();
    assert_eq!(get(&tree, &format!("{GPU}/cur_freq")), ok("816000000"));
    tree.load_cpus(1.0);
    let policy = format!("{CPU}/cpufreq/policy4");
    assert_eq!(get(&tree, &format!("{policy}/scaling_cur_freq")), ok("1497600"));
    tree.over_current(3, 10.0);
    assert_eq!(get(&tree, &format!("{policy}/scaling_cur_freq")), ok("1497600"));
    assert_eq!(get(&tree, &format!("{policy}/cpuinfo_cur_freq")), ok("748800"));
}

#[test]
fn a_cooling_device_holds_a_clock_down_whatever_is_written() {
    let tree = orin_agx_jp6();
    let max = format!("{CPU}/cpufreq/policy0/scaling_max_freq");
    let device = named(&tree, "/sys/class/thermal", "type", "cpufreq-cpu0");
    tree.cool_cpus(Some(1_100_000));
    set(&tree, &max, "2201600").unwrap();
    assert_eq!(get(&tree, &max), ok("1036800"));
    assert_eq!(get(&tree, &format!("{device}/cur_state")), ok("3"));
    tree.cool_cpus(None);
    assert_eq!(get(&tree, &max), ok("2201600"));
    assert_eq!(get(&tree, &format!("{device}/cur_state")), ok("0"));
}

#[test]
fn the_firmware_ignores_memory_rates_that_it_does_not_know() {
    let tree = orin_agx_jp6();
    set(&tree, &format!("{LOCK}/rate"), "3199000000").unwrap();
    assert_eq!(get(&tree, &format!("{LOCK}/rate")), ok("2133000000"), "not locked");
    set(&tree, &format!("{LOCK}/mrq_rate_locked"), "1").unwrap();
    set(&tree, &format!("{LOCK}/rate"), "1000000000").unwrap();
    assert_eq!(get(&tree, &format!("{LOCK}/rate")), ok("2133000000"), "unknown");
    set(&tree, &format!("{LOCK}/rate"), "3199000000").unwrap();
    assert_eq!(get(&tree, &format!("{LOCK}/rate")), ok("3199000000"));
    set(&tree, CAP, "665600000").unwrap();
    assert_eq!(get(&tree, &format!("{LOCK}/rate")), ok("665600000"), "the cap wins");
    set(&tree, CAP, "700000000").unwrap();
    assert_eq!(get(&tree, CAP), ok("665600000"), "a cap outside the table is ignored");
    set(&tree, CAP, "-1").unwrap();
    assert_eq!(get(&tree, CAP), ok("3199000000"));
    let old = "/sys/kernel/nvpmodel_emc_cap/emc_iso_cap";
    assert_eq!(get(&orin_agx_jp5(), old), ok("0"), "no cap");
}

#[test]
fn a_policy_goes_with_its_last_core_and_comes_back_without_its_limits() {
    let tree = orin_agx_jp6();
    for core in 8..12 {
        set(&tree, &format!("{CPU}/cpu{core}/online"), "0").unwrap();
    }
    assert_eq!(get(&tree, &format!("{CPU}/online")), ok("0-7"));
    assert_eq!(get(&tree, &format!("{CPU}/offline")), ok("8-11"));
    assert_eq!(tree.list(Path::new(&format!("{CPU}/cpufreq"))).unwrap(), ["policy0", "policy4"]);
    assert_eq!(get(&tree, &format!("{CPU}/cpu8/cpufreq/scaling_max_freq")), Err(ENOENT));
    assert!(!get(&tree, "/proc/stat").unwrap().contains("cpu8 "));
    set(&tree, &format!("{CPU}/cpu9/online"), "1").unwrap();
    let policy = format!("{CPU}/cpufreq/policy8");
    assert_eq!(get(&tree, &format!("{policy}/scaling_max_freq")), ok("2201600"));
    assert_eq!(get(&tree, &format!("{policy}/scaling_min_freq")), ok("115200"));
    assert_eq!(get(&tree, &format!("{policy}/affected_cpus")), ok("9"));
    assert_eq!(get(&tree, &format!("{policy}/related_cpus")), ok("8 9 10 11"));
    assert!(!tree.exists(Path::new(&format!("{CPU}/cpu8/cpufreq"))));
    assert_eq!(set(&tree, &format!("{CPU}/cpu0/online"), "0"), Err(EPERM));
}

#[test]
fn another_boot_numbers_sensors_anew() {
    let tree = orin_agx_jp6();
    let before = named(&tree, "/sys/class/hwmon", "name", "soctherm_oc");
    let moved = (0..8).any(|seed| {
        tree.renumber(seed);
        named(&tree, "/sys/class/hwmon", "name", "soctherm_oc") != before
    });
    assert!(moved);
    assert!(zone(&tree, "tj-thermal").is_ok());
    let folder = tree.list(Path::new("/sys/bus/i2c/devices/1-0040/hwmon")).unwrap();
    assert_eq!(folder.len(), 1, "the other way to it leads to the same place");
}

#[test]
fn the_gpu_may_come_late() {
    let tree = orin_nano();
    tree.gpu_appears_after(Duration::from_secs(3));
    assert_eq!(get(&tree, &format!("{GPU}/cur_freq")), Err(ENOENT));
    assert!(!tree.exists(Path::new(GPU)));
    tree.advance(Duration::from_secs(3));
    assert!(get(&tree, &format!("{GPU}/cur_freq")).is_ok());
    tree.gpu_appears_after_reads(3);
    let answers: Vec<bool> =
        (0..4).map(|_| get(&tree, &format!("{GPU}/cur_freq")).is_ok()).collect();
    assert_eq!(answers, [false, false, true, true]);
}

#[test]
fn rails_stand_still_for_430_ms_and_then_step() {
    let tree = orin_agx_jp6();
    let folder = named(&tree, "/sys/class/hwmon", "name", "ina3221");
    let current =
        || -> u64 { get(&tree, &format!("{folder}/curr1_input")).unwrap().parse().unwrap() };
    tree.draw("VDD_GPU_SOC", 1013);
    let first = current();
    tree.advance(Duration::from_millis(429));
    assert_eq!(current(), first);
    tree.advance(Duration::from_millis(1));
    let second = current();
    assert!(second.abs_diff(1020) <= 20 && second.is_multiple_of(20), "{second}");
    tree.advance(Duration::from_millis(430));
    assert_ne!(current(), second);
    tree.steady_rails();
    tree.advance(Duration::from_millis(860));
    assert_eq!(current(), 1020);
}

#[test]
fn over_current_is_published_every_two_seconds() {
    let tree = orin_nano();
    let folder = named(&tree, "/sys/class/hwmon", "name", "soctherm_oc");
    let count = |tree: &FakeTree| get(tree, &format!("{folder}/oc3_event_cnt"));
    tree.over_current(3, 7.0);
    tree.advance(Duration::from_millis(1900));
    assert_eq!(count(&tree), ok("0"));
    tree.advance(Duration::from_millis(100));
    assert_eq!(count(&tree), ok("14"));
    tree.advance(Duration::from_secs(1));
    assert_eq!(count(&tree), ok("14"));
    tree.reboot(1);
    let folder = named(&tree, "/sys/class/hwmon", "name", "soctherm_oc");
    assert_eq!(get(&tree, &format!("{folder}/oc3_event_cnt")), ok("0"));
}

#[test]
fn who_is_not_root_may_read_little_and_write_nothing() {
    let tree = orin_agx_jp6();
    tree.as_root(false);
    assert!(get(&tree, &format!("{GPU}/cur_freq")).is_ok());
    assert_eq!(get(&tree, &format!("{CPU}/cpu0/cpufreq/cpuinfo_cur_freq")), Err(EACCES));
    assert_eq!(get(&tree, &format!("{LOCK}/rate")), Err(EACCES));
    assert!(!tree.exists(Path::new(LOCK)));
    assert_eq!(set(&tree, CAP, "665600000"), Err(EACCES));
    assert!(get(&tree, CAP).is_ok() && !tree.writable(Path::new(CAP)));
    tree.as_root(true);
    assert!(tree.writable(Path::new(CAP)));
    assert!(!tree.writable(Path::new(&format!("{GPU}/cur_freq"))));
}

#[test]
fn a_path_can_be_refused_through_any_of_its_names() {
    let tree = orin_agx_jp6();
    tree.refuse("/sys/devices/platform/bus@0/17000000.gpu");
    assert_eq!(get(&tree, &format!("{GPU}/cur_freq")), Err(EACCES));
    tree.allow("/sys/devices/platform/bus@0/17000000.gpu");
    assert!(get(&tree, &format!("{GPU}/cur_freq")).is_ok());
}

#[test]
fn debugfs_and_nvpmodel_nodes_may_be_missing() {
    let tree = orin_agx_jp6();
    tree.mount_debugfs(false);
    assert_eq!(get(&tree, &format!("{LOCK}/rate")), Err(ENOENT));
    tree.have_nvpmodel_nodes(false);
    assert_eq!(get(&tree, CAP), Err(ENOENT));
    assert!(!tree.exists(Path::new("/sys/kernel/nvpmodel_clk_cap")));
}

#[test]
fn another_process_locks_clocks_and_another_wipes_the_locks() {
    let tree = orin_agx_jp6();
    let found = tree.controls();
    tree.lock_clocks();
    assert_eq!(get(&tree, &format!("{GPU}/min_freq")), ok("816000000"));
    assert_eq!(get(&tree, &format!("{LOCK}/rate")), ok("3199000000"));
    set(&tree, &format!("{CPU}/cpu11/online"), "0").unwrap();
    tree.wipe_locks();
    assert_eq!(tree.controls().differences(&found), Vec::<String>::new());
    tree.set_vendor_mode(1);
    assert_eq!(get(&tree, &format!("{CPU}/online")), ok("0-3"));
    assert_eq!(get(&tree, &format!("{CPU}/cpu0/cpufreq/scaling_max_freq")), ok("1113600"));
    assert_eq!(get(&tree, CAP), ok("2133000000"));
    assert_eq!(get(&tree, "/var/lib/nvpmodel/status"), ok("pmode:0001"));
}

#[test]
fn the_fans_daemon_overwrites_what_others_write() {
    let tree = orin_nano();
    let pwm = format!("{}/pwm1", named(&tree, "/sys/class/hwmon", "name", "pwmfan"));
    set(&tree, &pwm, "255").unwrap();
    assert_eq!(get(&tree, &pwm), ok("255"));
    tree.advance(Duration::from_secs(1));
    assert_eq!(get(&tree, &pwm), ok("90"));
    tree.hold_fan(None);
    set(&tree, &pwm, "255").unwrap();
    tree.advance(Duration::from_secs(9));
    assert_eq!(get(&tree, &pwm), ok("255"));
}

#[test]
fn the_load_of_cores_shows_in_their_ticks() {
    let tree = orin_nano();
    let ticks = |tree: &FakeTree| -> Vec<u64> {
        let stat = get(tree, "/proc/stat").unwrap();
        let row = stat.lines().find(|line| line.starts_with("cpu2 ")).unwrap();
        row.split_whitespace().skip(1).map(|n| n.parse().unwrap()).collect()
    };
    let before = ticks(&tree);
    tree.load_cpus(0.75);
    tree.advance(Duration::from_secs(100));
    let after = ticks(&tree);
    let idle = after[3] - before[3];
    let all: u64 = after.iter().sum::<u64>() - before.iter().sum::<u64>();
    assert_eq!((idle, all), (2500, 10_000));
}

#[test]
fn time_can_pass_as_on_a_clock() {
    let (tree, clock) = (orin_nano(), ManualClock::new());
    tree.follow(Arc::new(clock.clone()));
    tree.gpu_appears_after(Duration::from_secs(1));
    assert!(!tree.exists(Path::new(GPU)));
    clock.advance(Duration::from_secs(1));
    assert!(tree.exists(Path::new(GPU)));
}

#[test]
fn what_cannot_be_written_is_refused() {
    let tree = orin_agx_jp6();
    let zone = named(&tree, "/sys/class/thermal", "type", "tj-thermal");
    assert_eq!(set(&tree, &format!("{zone}/temp"), "0"), Err(EACCES));
    assert_eq!(set(&tree, "/sys/nowhere", "0"), Err(ENOENT));
    assert_eq!(get(&tree, "/sys/class/hwmon"), Err(21), "a folder is no file");
    let writes: Vec<Result<(), i32>> = tree.written().into_iter().map(|it| it.result).collect();
    assert_eq!(writes, [Err(EACCES), Err(ENOENT)]);
}
