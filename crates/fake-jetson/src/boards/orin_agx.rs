//! Jetson AGX Orin 64GB, in `MODE_50W` and idle.

use super::clocks;
use super::orin_parts::{NVGPU_GOVERNORS, devfreq, policies};
use crate::devices::emc::Emc;
use crate::devices::fan::Fan;
use crate::devices::limits::KernelProfile;
use crate::devices::power_chip::PowerChip;
use crate::devices::thermal::{WhenGated, ZonePart};
use crate::devices::{Devices, Part};
use crate::layout::{Builder, ChipPlace, GpuPlace, Release, ZoneNames};
use crate::tree::FakeTree;
use crate::vendor_modes::{Conf, VendorMode};

const MODES: &[VendorMode] = &[
    VendorMode::uncapped(0, "MAXN", 12, 0),
    VendorMode::uncapped(1, "MODE_15W", 4, 248)
        .capped(1_113_600, 408_000_000, Some(2_133_000_000))
        .accelerators([614_400_000, 294_400_000], [307_200_000, 217_600_000]),
    VendorMode::uncapped(2, "MODE_30W", 8, 240)
        .capped(1_728_000, 612_000_000, None)
        .accelerators([1_369_600_000, 729_600_000], [512_000_000, 358_400_000]),
    VendorMode::uncapped(3, "MODE_50W", 12, 0)
        .capped(1_497_600, 816_000_000, None)
        .accelerators([1_369_600_000, 729_600_000], [704_000_000, 486_400_000]),
];

/// The caps of `MODE_50W`: DLA core and falcon, PVA VPS and AXI.
const ACCELERATOR_CAPS: [&str; 4] = ["1369600000", "729600000", "704000000", "486400000"];

const CONF: Conf = Conf {
    clusters: &[0, 4, 8],
    cores: 12,
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
    accelerators: true,
    default: 2,
    modes: MODES,
};

const COMPATIBLE: &[&str] =
    &["nvidia,p3737-0000+p3701-0005", "nvidia,p3701-0005", "nvidia,tegra234"];

fn rails(b: &mut Builder, places: [&ChipPlace; 2]) {
    let mut first = PowerChip::new(
        &[("VDD_GPU_SOC", 12_008, 280), ("VDD_CPU_CV", 12_008, 40), ("VIN_SYS_5V0", 4968, 980)],
        20,
    );
    // The third channel has another shunt, so the sums leave it out.
    first.summed = 2;
    let second = PowerChip::new(&[("NC", 0, 0), ("VDDQ_VDD2_1V8AO", 4968, 80), ("NC", 0, 0)], 20);
    b.ina3221(places[0], first);
    b.ina3221(places[1], second);
}

fn builder() -> Builder {
    let profile = KernelProfile::Clamping;
    let cpus = policies(&[0..4, 4..8, 8..12], &clocks::orin_agx_cpu(), profile, 729_600);
    let emc = Emc::new(clocks::orin_emc(), 2_133_000_000, false);
    let mut devices = Devices::new(cpus, emc);
    devices.devfreqs.push(devfreq(clocks::orin_agx_gpu(), profile, NVGPU_GOVERNORS));
    Builder::new(devices)
}

/// An AGX Orin 64GB developer kit with JetPack 6.2 (L4T 36.4.3), in `MODE_50W` and idle.
pub fn orin_agx_jp6() -> FakeTree {
    let mut b = builder();
    b.devices.fan = Fan::new(102, 4200);
    b.release(&Release {
        compatible: COMPATIBLE,
        model: "NVIDIA Jetson AGX Orin Developer Kit",
        l4t: "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, DATE: Wed Jan  8 01:49:37 UTC 2025",
        kernel: "5.15.148-tegra",
        chip_id: Some("35"),
        memory_kib: 62_795 * 1024,
    });
    b.cpus(true, "c7");
    b.nvgpu(&GpuPlace {
        device: "/sys/devices/platform/bus@0/17000000.gpu",
        devfreq: "17000000.gpu",
        of_node: "gpu",
        aliases: &["/sys/devices/platform/gpu.0", "/sys/devices/platform/17000000.gpu"],
        scaling_switch: true,
        tpc_mask: "0",
        fbp_mask: "0",
    });
    b.emc_cap("/sys/kernel/nvpmodel_clk_cap/emc");
    b.orin_debugfs();
    b.accelerators("/sys/devices/platform/bus@0/13e00000.host1x", "clk_cap", ACCELERATOR_CAPS);
    rails(
        &mut b,
        [
            &ChipPlace {
                device: "/sys/devices/platform/bus@0/c240000.i2c/i2c-1/1-0040",
                number: 3,
            },
            &ChipPlace {
                device: "/sys/devices/platform/bus@0/c240000.i2c/i2c-1/1-0041",
                number: 4,
            },
        ],
    );
    b.pwm_fan(0, 1);
    b.soctherm(2);
    b.thermal_zones(&ZoneNames {
        zones: &[
            ("cpu-thermal", 48_968, ZonePart::On),
            ("gpu-thermal", 45_343, ZonePart::Gpu),
            ("cv0-thermal", 0, ZonePart::Off),
            ("cv1-thermal", 0, ZonePart::Off),
            ("cv2-thermal", 0, ZonePart::Off),
            ("soc0-thermal", 45_500, ZonePart::On),
            ("soc1-thermal", 44_968, ZonePart::On),
            ("soc2-thermal", 44_187, ZonePart::On),
            ("tj-thermal", 48_968, ZonePart::On),
            ("tboard-thermal", 36_000, ZonePart::On),
            ("tdiode-thermal", 38_500, ZonePart::On),
        ],
        when_gated: WhenGated::Again,
        passive: 99_000,
        critical: 104_500,
    });
    b.cooling_devices(&[
        ("cpufreq-cpu0", 0, 28),
        ("cpufreq-cpu4", 0, 28),
        ("cpufreq-cpu8", 0, 28),
        ("devfreq-17000000.gpu", 0, 10),
        ("pwm-fan", 2, 4),
        ("cpu-throttle-alert", 0, 1),
        ("gpu-throttle-alert", 0, 1),
        ("hot-surface-alert", 0, 1),
    ]);
    usb_power(&mut b);
    b.nvpmodel("p3701_0000", &CONF, 3);
    b.finish()
}

/// What USB-C negotiated: no sensor of the board's power.
fn usb_power(b: &mut Builder) {
    let folder =
        "/sys/devices/platform/bus@0/c240000.i2c/i2c-1/1-0008/power_supply/ucsi-source-psy-1-00081";
    b.link("/sys/class/power_supply/ucsi-source-psy-1-00081", folder, Part::Board);
    b.line(format!("{folder}/type"), "USB");
    b.line(format!("{folder}/online"), "1");
    b.line(format!("{folder}/voltage_now"), "20000000");
    b.line(format!("{folder}/current_now"), "4500000");
}

/// An AGX Orin 64GB developer kit with JetPack 5.1.2 (L4T 35.4.1), in `MODE_50W` and idle.
pub fn orin_agx_jp5() -> FakeTree {
    let mut b = builder();
    b.devices.emc.none_is_zero = true;
    b.devices.fan = Fan::new(55, 4200);
    b.release(&Release {
        compatible: COMPATIBLE,
        model: "Jetson AGX Orin",
        l4t: "# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref, EABI: aarch64, DATE: Tue Aug  1 19:57:35 UTC 2023",
        kernel: "5.10.120-tegra",
        chip_id: Some("35"),
        memory_kib: 62_795 * 1024,
    });
    b.cpus(true, "c7");
    b.nvgpu(&GpuPlace {
        device: "/sys/devices/17000000.ga10b",
        devfreq: "17000000.ga10b",
        of_node: "ga10b",
        aliases: &[
            "/sys/devices/gpu.0",
            "/sys/devices/platform/gpu.0",
            "/sys/devices/platform/17000000.ga10b",
        ],
        scaling_switch: true,
        tpc_mask: "0",
        fbp_mask: "0",
    });
    b.emc_cap("/sys/kernel/nvpmodel_emc_cap/emc_iso_cap");
    b.orin_debugfs();
    b.accelerators("/sys/devices/platform/13e40000.host1x", "acm/clk_cap", ACCELERATOR_CAPS);
    rails(
        &mut b,
        [
            &ChipPlace { device: "/sys/devices/platform/c240000.i2c/i2c-1/1-0040", number: 3 },
            &ChipPlace { device: "/sys/devices/platform/c240000.i2c/i2c-1/1-0041", number: 4 },
        ],
    );
    b.pwm_fan(2, 0);
    b.soctherm(1);
    b.thermal_zones(&ZoneNames {
        zones: &[
            ("CPU-therm", 42_593, ZonePart::On),
            ("GPU-therm", 40_000, ZonePart::Gpu),
            ("CV0-therm", 0, ZonePart::Off),
            ("CV1-therm", 0, ZonePart::Off),
            ("CV2-therm", 0, ZonePart::Off),
            ("SOC0-therm", 39_250, ZonePart::On),
            ("SOC1-therm", 38_531, ZonePart::On),
            ("SOC2-therm", 38_156, ZonePart::On),
            ("tj-therm", 42_593, ZonePart::On),
            ("Tboard_tegra", 29_000, ZonePart::On),
            ("Tdiode_tegra", 31_250, ZonePart::On),
        ],
        when_gated: WhenGated::Offline,
        passive: 99_000,
        critical: 104_500,
    });
    b.cooling_devices(&[
        ("thermal-cpufreq-0", 0, 28),
        ("17000000.ga10b", 0, 10),
        ("pwm-fan", 1, 4),
    ]);
    b.nvpmodel("p3701_0000", &Conf { emc_none: "0", ..CONF }, 3);
    b.finish()
}
