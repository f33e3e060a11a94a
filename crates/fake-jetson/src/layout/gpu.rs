//! The GPU's folders, by generation, and Thor's other devfreq devices.

use super::{Builder, CONTROL, READ};
use crate::devices::devfreq::DevfreqFile;
use crate::devices::{Part, Role};

const DEVFREQ_FILES: [(&str, DevfreqFile, u32); 6] = [
    ("cur_freq", DevfreqFile::Current, READ),
    ("target_freq", DevfreqFile::Current, READ),
    ("min_freq", DevfreqFile::Min, CONTROL),
    ("max_freq", DevfreqFile::Max, CONTROL),
    ("governor", DevfreqFile::Governor, CONTROL),
    ("available_governors", DevfreqFile::Governors, READ),
];

/// Where an nvgpu board has its GPU.
pub(crate) struct GpuPlace {
    /// The device's real folder.
    pub(crate) device: &'static str,
    /// The name of its devfreq device: `17000000.gpu`.
    pub(crate) devfreq: &'static str,
    /// What the device tree calls it: `ga10b`, `gpu`.
    pub(crate) of_node: &'static str,
    /// Other names of the device's folder.
    pub(crate) aliases: &'static [&'static str],
    /// Whether it has `enable_3d_scaling`; dropped in JetPack 7.
    pub(crate) scaling_switch: bool,
    pub(crate) tpc_mask: &'static str,
    pub(crate) fbp_mask: &'static str,
}

impl Builder {
    /// The GPU of an nvgpu board, the first of the devfreq devices.
    pub(crate) fn nvgpu(&mut self, place: &GpuPlace) {
        let device = place.device;
        let part = Part::Gpu;
        self.devfreq(0, &format!("{device}/devfreq/{}", place.devfreq), part);
        let folder = format!("{device}/devfreq/{}", place.devfreq);
        self.node(
            format!("{folder}/available_frequencies"),
            Role::Devfreq(0, DevfreqFile::Available),
            READ,
            part,
        );
        self.control(format!("{folder}/polling_interval"), "25", part);
        self.link(format!("{folder}/device"), device, part);
        self.link(format!("{device}/devfreq_dev"), folder, part);
        for alias in place.aliases {
            self.link(*alias, device, part);
        }
        let name = Role::Text(format!("{}\0", place.of_node));
        self.node(format!("{device}/of_node/name"), name, READ, part);
        self.node(format!("{device}/load"), Role::GpuLoad, READ, part);
        self.control(format!("{device}/railgate_enable"), "1", part);
        self.control(format!("{device}/tpc_pg_mask"), place.tpc_mask, part);
        self.control(format!("{device}/fbp_pg_mask"), place.fbp_mask, part);
        self.control(format!("{device}/power/control"), "auto", part);
        let status = Role::Text("active\n".to_owned());
        self.node(format!("{device}/power/runtime_status"), status, READ, part);
        if place.scaling_switch {
            self.control(format!("{device}/enable_3d_scaling"), "1", part);
        }
    }

    /// A devfreq device in its real folder, with its name in `/sys/class/devfreq`.
    pub(crate) fn devfreq(&mut self, index: usize, folder: &str, part: Part) {
        for (name, file, mode) in DEVFREQ_FILES {
            self.node(format!("{folder}/{name}"), Role::Devfreq(index, file), mode, part);
        }
        let name = folder.rsplit('/').next().unwrap_or(folder);
        self.link(format!("/sys/class/devfreq/{name}"), folder, part);
    }
}
