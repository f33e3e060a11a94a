//! Jetson Orin Nano 8GB developer kit, in 15W and idle.

use super::clocks;
use super::orin_parts::{NVGPU_GOVERNORS, devfreq, policies};
use crate::devices::Devices;
use crate::devices::emc::Emc;
use crate::devices::fan::Fan;
use crate::devices::limits::KernelProfile;
use crate::devices::power_chip::PowerChip;
use crate::devices::thermal::{WhenGated, ZonePart};
use crate::layout::{Builder, ChipPlace, GpuPlace, Release, ZoneNames};
use crate::tree::FakeTree;
use crate::vendor_modes::{Conf, VendorMode};

const MODES: &[VendorMode] = &[
    VendorMode::uncapped(0, "15W", 6, 240).capped(1_497_600, 612_000_000, Some(2_133_000_000)),
    VendorMode::uncapped(1, "25W", 6, 240).capped(1_344_000, 918_000_000, Some(3_199_000_000)),
    VendorMode::uncapped(2, "MAXN_SUPER", 6, 240),
    VendorMode::uncapped(3, "7W", 4, 252).capped(960_000, 408_000_000, Some(2_133_000_000)),
];

const CONF: Conf = Conf {
    clusters: &[0, 4],
    cores: 6,
    cpu: "CPU_A78_",
    cpu_min_khz: 729_600,
    gpu_min_hz: 0,
    gpu: (
        "/sys/devices/17000000.ga10b/devfreq/17000000.ga10b/",
        Some("/sys/devices/platform/17000000.gpu/devfreq_dev/"),
    ),
    emc_none: "-1",
    knext: true,
    thor: false,
    accelerators: false,
    default: 1,
    modes: MODES,
};

/// An Orin Nano 8GB developer kit with JetPack 6.2.2 (L4T 36.5.0), in 15W and idle.
pub fn orin_nano() -> FakeTree {
    let profile = KernelProfile::Clamping;
    let cpus = policies(&[0..4, 4..6], &clocks::orin_nano_cpu(), profile, 729_600);
    let emc = Emc::new(clocks::orin_emc(), 665_600_000, false);
    let mut devices = Devices::new(cpus, emc);
    devices.devfreqs.push(devfreq(clocks::orin_nano_gpu(), profile, NVGPU_GOVERNORS));
    let mut b = Builder::new(devices);
    b.devices.fan = Fan::new(90, 5500);
    b.release(&Release {
        compatible: &[
            "nvidia,p3768-0000+p3767-0005-super",
            "nvidia,p3768-0000+p3767-0005",
            "nvidia,p3767-0005",
            "nvidia,tegra234",
        ],
        model: "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super",
        l4t: "# R36 (release), REVISION: 5.0, GCID: 43688277, BOARD: generic, EABI: aarch64, DATE: Fri Jan 16 03:50:45 UTC 2026",
        kernel: "5.15.185-tegra",
        chip_id: Some("35"),
        memory_kib: 7_976_910_848 / 1024,
    });
    b.cpus(false, "c7");
    b.nvgpu(&GpuPlace {
        device: "/sys/devices/platform/bus@0/17000000.gpu",
        devfreq: "17000000.gpu",
        of_node: "gpu",
        aliases: &["/sys/devices/platform/gpu.0", "/sys/devices/platform/17000000.gpu"],
        scaling_switch: true,
        tpc_mask: "240",
        fbp_mask: "2",
    });
    b.emc_cap("/sys/kernel/nvpmodel_clk_cap/emc");
    b.orin_debugfs();
    b.ina3221(
        &ChipPlace { device: "/sys/devices/platform/bus@0/c240000.i2c/i2c-1/1-0040", number: 1 },
        PowerChip::new(
            &[("VDD_IN", 4984, 720), ("VDD_CPU_GPU_CV", 4984, 88), ("VDD_SOC", 4984, 224)],
            8,
        ),
    );
    b.pwm_fan(2, 0);
    b.soctherm(3);
    b.thermal_zones(&ZoneNames {
        zones: &[
            ("cpu-thermal", 46_625, ZonePart::On),
            ("gpu-thermal", 47_125, ZonePart::Gpu),
            ("cv0-thermal", 0, ZonePart::Off),
            ("cv1-thermal", 0, ZonePart::Off),
            ("cv2-thermal", 0, ZonePart::Off),
            ("soc0-thermal", 46_031, ZonePart::On),
            ("soc1-thermal", 46_593, ZonePart::On),
            ("soc2-thermal", 45_468, ZonePart::On),
            ("tj-thermal", 47_125, ZonePart::On),
        ],
        when_gated: WhenGated::Again,
        passive: 99_000,
        critical: 104_500,
    });
    b.cooling_devices(&[
        ("cpufreq-cpu0", 0, 21),
        ("cpufreq-cpu4", 0, 21),
        ("devfreq-17000000.gpu", 0, 7),
        ("pwm-fan", 1, 4),
        ("cpu-throttle-alert", 0, 1),
        ("hot-surface-alert", 0, 1),
    ]);
    b.nvpmodel("p3767_0003_super", &CONF, 0);
    b.finish()
}
