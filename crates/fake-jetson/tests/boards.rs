//! The boards show what was recorded of real ones.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use fulcrum_board::Files as _;
use fulcrum_fake_jetson::{
    FakeTree, jetsons, orin_agx_jp5, orin_agx_jp6, orin_nano, thor, xavier_nx,
};

fn read(tree: &FakeTree, path: &str) -> String {
    tree.read(Path::new(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn numbers(tree: &FakeTree, path: &str) -> Vec<u64> {
    read(tree, path).split_whitespace().map(|number| number.parse().unwrap()).collect()
}

/// The folder of the hwmon or IIO device of a name, found as its number is not to be relied on.
fn hwmons(tree: &FakeTree, name: &str) -> Vec<PathBuf> {
    let class = Path::new("/sys/class/hwmon");
    let folders = tree.list(class).unwrap().into_iter().map(|folder| class.join(folder));
    folders.filter(|folder| tree.read(&folder.join("name")).unwrap().trim() == name).collect()
}

/// Labels with millivolts and milliamperes, as an INA3221 has them.
fn rails(tree: &FakeTree) -> Vec<(String, u64, u64)> {
    let mut rails = Vec::new();
    for folder in hwmons(tree, "ina3221") {
        let number = |name: String| -> u64 {
            tree.read(&folder.join(name)).unwrap().trim().parse().unwrap()
        };
        for n in 1..=3 {
            let label = tree.read(&folder.join(format!("in{n}_label"))).unwrap();
            let (volts, amperes) =
                (number(format!("in{n}_input")), number(format!("curr{n}_input")));
            rails.push((label.trim().to_owned(), volts, amperes));
        }
    }
    rails
}

#[test]
fn clocks_are_those_of_each_board() {
    let cpu = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_available_frequencies";
    for (tree, count, top) in [
        (orin_agx_jp6(), 29, 2_201_600),
        (orin_nano(), 22, 1_728_000),
        (xavier_nx(), 25, 1_907_200),
        (thor(), 49, 2_601_000),
    ] {
        let table = numbers(&tree, cpu);
        assert_eq!((table.len(), table.last()), (count, Some(&top)));
        assert!(table.is_sorted_by(|a, b| a < b));
        assert!(read(&tree, cpu).ends_with(" \n"), "cpufreq ends its table in a space");
    }
    let gpu = "/sys/class/devfreq/17000000.gpu/available_frequencies";
    assert_eq!(numbers(&orin_agx_jp6(), gpu).len(), 11);
    assert_eq!(numbers(&orin_nano(), gpu).last(), Some(&1_020_000_000));
    let rates = "/sys/kernel/debug/bpmp/debug/emc/possible_rates";
    assert_eq!(read(&orin_agx_jp5(), rates), "204000 665600 2133000 3199000 (kHz)\n");
}

#[test]
fn an_agx_orin_idles_in_50w_as_recorded() {
    let tree = orin_agx_jp6();
    for (path, text) in [
        ("/sys/devices/system/cpu/online", "0-11"),
        ("/sys/devices/system/cpu/cpu11/cpufreq/scaling_min_freq", "729600"),
        ("/sys/devices/system/cpu/cpu11/cpufreq/scaling_max_freq", "1497600"),
        ("/sys/devices/system/cpu/cpufreq/policy4/related_cpus", "4 5 6 7"),
        ("/sys/class/devfreq/17000000.gpu/min_freq", "306000000"),
        ("/sys/class/devfreq/17000000.gpu/max_freq", "816000000"),
        ("/sys/class/devfreq/17000000.gpu/cur_freq", "306000000"),
        ("/sys/devices/platform/17000000.gpu/devfreq_dev/cur_freq", "306000000"),
        ("/sys/kernel/nvpmodel_clk_cap/emc", "3199000000"),
        ("/sys/kernel/debug/bpmp/debug/clk/emc/rate", "2133000000"),
        ("/var/lib/nvpmodel/status", "pmode:0003 fmode:fan_mode_quiet"),
    ] {
        assert_eq!(read(&tree, path).trim(), text, "{path}");
    }
    let fan = &hwmons(&tree, "pwmfan")[0];
    assert_eq!(tree.read(&fan.join("pwm1")).unwrap(), "102\n");
    let rails = rails(&tree);
    let names: Vec<&str> = rails.iter().map(|(name, ..)| name.as_str()).collect();
    let first = ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"];
    assert_eq!(names, [first, ["NC", "VDDQ_VDD2_1V8AO", "NC"]].concat());
    let milliwatts: u64 = rails.iter().map(|(_, mv, ma)| mv * ma / 1000).sum();
    assert_eq!(milliwatts, 3362 + 480 + 4868 + 397);
}

#[test]
fn an_orin_nano_has_less_memory_than_it_is_sold_with() {
    let memory = read(&orin_nano(), "/proc/meminfo");
    let total = memory.lines().find(|line| line.starts_with("MemTotal:")).unwrap();
    let kib: u64 = total.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert_eq!(kib * 1024, 7_976_910_848);
    assert!(kib < 8 * 1024 * 1024);
}

#[test]
fn thor_has_a_gpu_of_pci_and_one_input_rail() {
    let tree = thor();
    assert_eq!(
        tree.list(Path::new("/sys/class/devfreq")).unwrap(),
        ["bwmgr", "gpu-gpc-0", "gpu-nvd-0"]
    );
    assert_eq!(read(&tree, "/sys/class/devfreq/gpu-gpc-0/max_freq"), "1386000000\n", "120W");
    let input = &hwmons(&tree, "ina238")[0];
    assert_eq!(tree.read(&input.join("power1_label")).unwrap(), "VIN\n");
    assert_eq!(tree.read(&input.join("power1_input")).unwrap(), "20983200\n");
    assert!(!tree.exists(Path::new("/sys/kernel/nvpmodel_clk_cap")));
}

#[test]
fn a_xavier_nx_has_the_old_driver() {
    let tree = xavier_nx();
    let folder = "/sys/bus/i2c/drivers/ina3221x/7-0040/iio:device0";
    for (file, text) in [
        ("rail_name_0", "VDD_IN"),
        ("in_voltage0_input", "4984"),
        ("in_current0_input", "736"),
        ("in_power0_input", "3668"),
        ("crit_current_limit_0", "32760 ma"),
    ] {
        assert_eq!(read(&tree, &format!("{folder}/{file}")).trim(), text);
    }
    assert!(tree.exists(Path::new("/sys/devices/gpu.0/devfreq/17000000.gv11b/cur_freq")));
}

#[test]
fn device_tree_texts_end_in_nul() {
    for board in jetsons() {
        let tree = (board.tree)();
        let compatible = read(&tree, "/proc/device-tree/compatible");
        assert!(compatible.ends_with('\0') && !compatible.ends_with("\0\0"), "{}", board.name);
        assert!(compatible.split('\0').any(|it| it.starts_with("nvidia,tegra")), "{}", board.name);
        assert!(read(&tree, "/proc/device-tree/model").ends_with('\0'), "{}", board.name);
    }
}

#[test]
fn nvpmodel_files_have_the_odd_spacing_of_shipped_ones() {
    for board in jetsons() {
        let tree = (board.tree)();
        let text = read(&tree, "/etc/nvpmodel.conf");
        assert!(text.contains("< PARAM TYPE=CLOCK NAME=GPU >"), "{}", board.name);
        let thor = board.name == "AGX Thor";
        assert_eq!(text.contains("<PARAM TYPE=CLOCK NAME=EMC >"), !thor, "{}", board.name);
        for mode in tree.vendor_modes() {
            let header = format!("< POWER_MODEL ID={} NAME={} >", mode.id, mode.name);
            assert!(text.contains(&header), "{header}");
        }
    }
    // A cluster that is off in a mode has no lines in it.
    let text = read(&orin_agx_jp6(), "/etc/nvpmodel.conf");
    let small = text.split("NAME=MODE_15W").nth(1).unwrap().split("< ").next().unwrap();
    assert!(small.contains("CPU_A78_0 MAX_FREQ 1113600"));
    assert!(!small.contains("CPU_A78_4"));
}

#[test]
fn rails_show_whole_steps_at_all_times() {
    for board in jetsons() {
        let tree = (board.tree)();
        for rail in ["VDD_IN", "VDD_GPU_SOC", "VDD_GPU"] {
            tree.draw(rail, 1234);
        }
        for _ in 0..40 {
            assert!(tree.rails_in_steps(), "{}", board.name);
            tree.advance(Duration::from_millis(137));
        }
    }
}

#[test]
fn every_class_link_leads_somewhere() {
    for board in jetsons() {
        let tree = (board.tree)();
        for class in ["hwmon", "thermal", "devfreq"] {
            let class = Path::new("/sys/class").join(class);
            for name in tree.list(&class).unwrap_or_default() {
                assert!(!tree.list(&class.join(&name)).unwrap().is_empty(), "{name}");
            }
        }
    }
}
