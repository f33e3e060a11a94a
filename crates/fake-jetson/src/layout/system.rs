//! The device tree, the release, memory, and nvpmodel's files.

use super::Builder;
use crate::devices::Part;
use crate::vendor_modes::Conf;

/// What a board is and what runs on it.
pub(crate) struct Release {
    pub(crate) compatible: &'static [&'static str],
    pub(crate) model: &'static str,
    /// The first line of `/etc/nv_tegra_release`.
    pub(crate) l4t: &'static str,
    pub(crate) kernel: &'static str,
    pub(crate) chip_id: Option<&'static str>,
    /// As the kernel has it: below what is soldered on.
    pub(crate) memory_kib: u64,
}

impl Builder {
    pub(crate) fn release(&mut self, release: &Release) {
        let tree = "/sys/firmware/devicetree/base";
        self.link("/proc/device-tree", tree, Part::Board);
        self.text(format!("{tree}/compatible"), release.compatible.join("\0") + "\0");
        self.text(format!("{tree}/model"), format!("{}\0", release.model));
        let l4t = release.l4t;
        let rest = "# KERNEL_VARIANT: oot\nTARGET_USERSPACE_LIB_DIR=nvidia\n";
        self.text("/etc/nv_tegra_release", format!("{l4t}\n{rest}"));
        self.line("/proc/sys/kernel/osrelease", release.kernel);
        self.line("/proc/sys/kernel/random/boot_id", "0d7c3c4e-6a70-4a1c-9a3e-6f8f5f1f2a11");
        if let Some(id) = release.chip_id {
            self.line("/sys/module/tegra_fuse/parameters/tegra_chip_id", id);
        }
        self.text("/proc/meminfo", meminfo(release.memory_kib));
    }

    /// The configuration, which is found by a link, and the mode in force, by its number.
    pub(crate) fn nvpmodel(&mut self, name: &str, conf: &Conf, in_force: u32) {
        let file = format!("/etc/nvpmodel/nvpmodel_{name}.conf");
        self.text(file.clone(), conf.text());
        self.link("/etc/nvpmodel.conf", file, Part::Board);
        self.text(
            "/var/lib/nvpmodel/status",
            format!("pmode:{in_force:04} fmode:fan_mode_quiet\n"),
        );
        self.devices.vendor_modes = conf.modes.to_vec();
        self.devices.cpu_min_khz = conf.cpu_min_khz;
        self.devices.gpu_min_hz = conf.gpu_min_hz;
        let place = conf.modes.iter().position(|mode| mode.id == in_force);
        self.devices.apply(place.unwrap_or(0));
    }

    /// The caps of Orin's accelerators.
    pub(crate) fn accelerators(&mut self, parent: &str, below: &str, caps: [&str; 4]) {
        for (name, device, file) in crate::vendor_modes::ACCELERATORS {
            let second = usize::from(name.ends_with("FALCON") || name.ends_with("AXI"));
            let cap = caps[second + if name.starts_with("DLA") { 0 } else { 2 }];
            self.control(format!("{parent}/{device}/{below}/{file}"), cap, Part::Board);
        }
    }
}

fn meminfo(total: u64) -> String {
    let row = |name: &str, kib: u64| format!("{:<16}{kib:>8} kB\n", format!("{name}:"));
    let free = total / 10 * 8;
    [
        row("MemTotal", total),
        row("MemFree", free),
        row("MemAvailable", free + total / 20),
        row("Buffers", 51_200),
        row("Cached", 812_344),
        row("SwapTotal", total / 2),
        row("SwapFree", total / 2),
    ]
    .concat()
}
