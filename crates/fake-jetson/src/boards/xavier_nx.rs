//! Jetson Xavier NX, with the kernel 4.9 of JetPack 4.

use super::clocks;
use super::orin_parts::{devfreq, policies};
use crate::devices::Devices;
use crate::devices::emc::Emc;
use crate::devices::fan::Fan;
use crate::devices::limits::KernelProfile;
use crate::devices::power_chip::PowerChip;
use crate::devices::thermal::{WhenGated, ZonePart};
use crate::layout::{Builder, ChipPlace, GpuPlace, Release, ZoneNames};
use crate::tree::FakeTree;
use crate::vendor_modes::{Conf, VendorMode};

const fn mode(id: u32, name: &'static str, cores: usize, khz: u64, hz: u64) -> VendorMode {
    let emc = if id >= 6 { 1_866_000_000 } else { 1_600_000_000 };
    VendorMode::uncapped(id, name, cores, 1).capped(khz, hz, Some(emc))
}

const MODES: &[VendorMode] = &[
    mode(0, "MODE_15W_2CORE", 2, 1_907_200, 1_109_250_000),
    mode(1, "MODE_15W_4CORE", 4, 1_420_800, 1_109_250_000),
    mode(2, "MODE_15W_6CORE", 6, 1_420_800, 1_109_250_000),
    mode(3, "MODE_10W_2CORE", 2, 1_497_600, 803_250_000),
    mode(4, "MODE_10W_4CORE", 4, 1_190_400, 803_250_000),
    mode(5, "MODE_10W_DESKTOP", 4, 1_907_200, 510_000_000),
    mode(6, "MODE_20W_2CORE", 2, 1_907_200, 1_109_250_000),
    mode(7, "MODE_20W_4CORE", 4, 1_420_800, 1_109_250_000),
    mode(8, "MODE_20W_6CORE", 6, 1_420_800, 1_109_250_000),
];

const CONF: Conf = Conf {
    clusters: &[0, 2, 4],
    cores: 6,
    cpu: "CPU_DENVER_",
    cpu_min_khz: 1_190_400,
    gpu_min_hz: 0,
    gpu: ("/sys/devices/17000000.gv11b/devfreq/17000000.gv11b/", None),
    emc_none: "0",
    knext: false,
    thor: false,
    accelerators: false,
    default: 5,
    modes: MODES,
};

/// A Xavier NX developer kit with JetPack 4.6.4 (L4T 32.7.4, kernel 4.9): it refuses a lower limit
/// above the upper one, and has the old driver of the power sensors. In 15W with six cores.
pub fn xavier_nx() -> FakeTree {
    let profile = KernelProfile::Rejecting;
    let cpus = policies(&[0..2, 2..4, 4..6], &clocks::xavier_nx_cpu(), profile, 1_190_400);
    let emc = Emc::new(clocks::xavier_nx_emc(), 1_600_000_000, true);
    let mut devices = Devices::new(cpus, emc);
    let governors = &["nvhost_podgov", "userspace", "performance", "wmark_simple"];
    devices.devfreqs.push(devfreq(clocks::xavier_nx_gpu(), profile, governors));
    let mut b = Builder::new(devices);
    b.devices.fan = Fan::new(80, 4600);
    b.release(&Release {
        compatible: &["nvidia,p3449-0000+p3668-0000", "nvidia,p3668-0000", "nvidia,tegra194"],
        model: "NVIDIA Jetson Xavier NX Developer Kit",
        l4t: "# R32 (release), REVISION: 7.4, GCID: 33514132, BOARD: t186ref, EABI: aarch64, DATE: Fri Jun  9 04:21:32 UTC 2023",
        kernel: "4.9.337-tegra",
        chip_id: Some("25"),
        memory_kib: 7_764 * 1024,
    });
    b.cpus(false, "c6");
    b.nvgpu(&GpuPlace {
        device: "/sys/devices/17000000.gv11b",
        devfreq: "17000000.gv11b",
        of_node: "gv11b",
        aliases: &["/sys/devices/gpu.0"],
        scaling_switch: true,
        tpc_mask: "1",
        fbp_mask: "0",
    });
    b.emc_cap("/sys/kernel/nvpmodel_emc_cap/emc_iso_cap");
    b.emc_debugfs();
    b.ina3221x(
        &ChipPlace { device: "/sys/devices/c250000.i2c/i2c-7/7-0040", number: 0 },
        PowerChip::new(
            &[("VDD_IN", 4984, 736), ("VDD_CPU_GPU_CV", 4984, 96), ("VDD_SOC", 4984, 216)],
            8,
        ),
    );
    b.legacy_fan();
    b.thermal_zones(&ZoneNames {
        zones: &[
            ("AO-therm", 38_500, ZonePart::On),
            ("GPU-therm", 38_000, ZonePart::Gpu),
            ("iwlwifi", 0, ZonePart::Off),
            ("PMIC-Die", 100_000, ZonePart::On),
            ("AUX-therm", 38_500, ZonePart::On),
            ("CPU-therm", 39_500, ZonePart::On),
            ("thermal-fan-est", 38_900, ZonePart::On),
        ],
        when_gated: WhenGated::Offline,
        passive: 95_500,
        critical: 96_500,
    });
    b.cooling_devices(&[
        ("thermal-cpufreq-0", 0, 24),
        ("17000000.gv11b", 0, 14),
        ("pwm-fan", 1, 9),
    ]);
    b.nvpmodel("t194_p3668", &CONF, 2);
    b.finish()
}
