//! Jetson AGX Thor developer kit, in 120W and idle.

use super::clocks;
use super::orin_parts::{devfreq, policies};
use crate::devices::emc::Emc;
use crate::devices::fan::Fan;
use crate::devices::limits::KernelProfile;
use crate::devices::power_chip::PowerChip;
use crate::devices::thermal::{WhenGated, ZonePart};
use crate::devices::{Devices, Part};
use crate::layout::{Builder, ChipPlace, Release, ZoneNames};
use crate::tree::FakeTree;
use crate::vendor_modes::{Conf, VendorMode};

const MODES: &[VendorMode] = &[
    VendorMode::uncapped(0, "MAXN", 14, 64).capped(2_601_000, 1_575_000_000, None),
    VendorMode::uncapped(1, "120W", 14, 64).capped(2_601_000, 1_386_000_000, None),
    VendorMode::uncapped(2, "90W", 12, 15_873).capped(2_601_000, 1_530_000_000, None),
    VendorMode::uncapped(3, "70W", 12, 15_873).capped(1_998_000, 1_530_000_000, None),
];

const GPU: &str =
    "/sys/devices/platform/bus@0/d0b0000000.pcie/pci0000:00/0000:00:00.0/0000:01:00.0";

const CONF: Conf = Conf {
    clusters: &[0, 2, 4, 6, 8, 10, 12],
    cores: 14,
    cpu: "CPU_",
    cpu_min_khz: 0,
    gpu_min_hz: 0,
    gpu: ("/sys/class/devfreq/gpu-gpc-0/", None),
    emc_none: "0",
    knext: false,
    thor: true,
    accelerators: false,
    default: 1,
    modes: MODES,
};

/// An AGX Thor developer kit with JetPack 7.1 (L4T 38.4.0), in 120W and idle.
pub fn thor() -> FakeTree {
    let profile = KernelProfile::Clamping;
    let clusters: Vec<_> = (0..14).step_by(2).map(|core| core..core + 2).collect();
    let cpus = policies(&clusters, &clocks::thor_cpu(), profile, 972_000);
    let emc = Emc::new(clocks::thor_emc(), 2_750_000_000, true);
    let mut devices = Devices::new(cpus, emc);
    let nvidia = &["simple_ondemand", "userspace", "performance"];
    for (table, idle) in [
        (clocks::thor_gpu(), 315_000_000),
        (clocks::thor_gpu_video(), 315_000_000),
        (clocks::thor_emc(), 2_750_000_000),
    ] {
        let mut device = devfreq(table, profile, nvidia);
        device.idle_hz = idle;
        devices.devfreqs.push(device);
    }
    let mut b = Builder::new(devices);
    b.devices.fan = Fan::new(73, 6500);
    b.release(&Release {
        compatible: &["nvidia,p4071-0000+p3834-0008", "nvidia,p3834-0008", "nvidia,tegra264"],
        model: "NVIDIA Jetson AGX Thor Developer Kit",
        l4t: "# R38 (release), REVISION: 4.0, GCID: 43443517, BOARD: generic, EABI: aarch64, DATE: Wed Dec 31 00:15:19 UTC 2025",
        kernel: "6.8.12-tegra",
        chip_id: None,
        memory_kib: 125_772 * 1024,
    });
    b.cpus(false, "cc7");
    for (index, name) in ["gpu-gpc-0", "gpu-nvd-0"].into_iter().enumerate() {
        let folder = format!("{GPU}/{name}/devfreq/{name}");
        b.devfreq(index, &folder, Part::Gpu);
        b.link(format!("{folder}/device"), format!("{GPU}/{name}"), Part::Gpu);
        let uevent = crate::devices::Role::Text("DRIVER=nvidia\n".to_owned());
        b.node(format!("{GPU}/{name}/uevent"), uevent, crate::layout::READ, Part::Gpu);
    }
    b.devfreq(2, "/sys/devices/platform/bwmgr/devfreq/bwmgr", Part::Board);
    b.link("/sys/bus/pci/devices/0000:01:00.0", GPU, Part::Board);
    b.control(format!("{GPU}/power/control"), "auto", Part::Board);
    b.text(
        "/proc/driver/nvidia/gpus/0000:01:00.0/power",
        "Runtime D3 status:          Disabled by default\nRail-Gating:                Enabled\n",
    );
    for gpc in 0..3 {
        b.debugfs(&format!("bpmp/debug/clk/gpu_gpc{gpc}/rate"), "315000000\n");
        b.debugfs(&format!("bpmp/debug/clk/gpu_gpc{gpc}/mrq_rate_locked"), "0\n");
    }
    b.debugfs("bpmp/debug/actmon/mc_all_avg_activity", "0\n");
    b.ina3221(
        &ChipPlace { device: "/sys/devices/platform/bus@0/810c600000.i2c/i2c-2/2-0040", number: 3 },
        PowerChip::new(
            &[
                ("VDD_GPU", 19_864, 20),
                ("VDD_CPU_SOC_MSS", 19_856, 300),
                ("VIN_SYS_5V0", 4968, 1120),
            ],
            20,
        ),
    );
    b.ina238(
        &ChipPlace { device: "/sys/devices/platform/bus@0/810c600000.i2c/i2c-2/2-0044", number: 4 },
        PowerChip::new(&[("VIN", 19_984, 1050)], 10),
    );
    b.pwm_fan(1, 2);
    b.thermal_zones(&ZoneNames {
        zones: &[
            ("cpu-thermal", 46_343, ZonePart::On),
            ("gpu-thermal", 48_406, ZonePart::Gpu),
            ("soc012-thermal", 46_468, ZonePart::On),
            ("soc345-thermal", 46_406, ZonePart::On),
            ("tj-thermal", 48_406, ZonePart::On),
        ],
        when_gated: WhenGated::Again,
        passive: 109_000,
        critical: 114_500,
    });
    b.cooling_devices(&[
        ("cpufreq-cpu0", 0, 48),
        ("pwm-fan", 0, 4),
        ("cpu-throttle-alert", 0, 2),
        ("gpu-throttle-alert", 0, 2),
        ("soc012-throttle-alert", 0, 2),
        ("devfreq-gpu-gpc-0", 18, 169),
    ]);
    b.nvpmodel("p3834_0008", &CONF, 1);
    b.finish()
}
