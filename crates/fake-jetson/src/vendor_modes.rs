//! NVIDIA's power modes: the text of `nvpmodel.conf`, and what `nvpmodel` does with a mode.

use std::fmt::Write as _;

use crate::devices::Devices;

/// One of NVIDIA's power modes. What is none is not capped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VendorMode {
    /// Its number; there may be gaps.
    pub id: u32,
    /// Its name: `MODE_30W`.
    pub name: &'static str,
    /// How many cores are on, from core 0.
    pub cores: usize,
    /// Which of the GPU's parts are cut off; changing it takes a reboot.
    pub tpc_mask: u32,
    /// The CPU's highest clock.
    pub cpu_khz: Option<u64>,
    /// The GPU's highest clock.
    pub gpu_hz: Option<u64>,
    /// The memory's highest clock.
    pub emc_hz: Option<u64>,
    /// The deep-learning accelerators' highest clocks: core and falcon.
    pub dla_hz: Option<[u64; 2]>,
    /// The vision accelerator's highest clocks: VPS and AXI.
    pub pva_hz: Option<[u64; 2]>,
}

impl VendorMode {
    pub(crate) const fn uncapped(id: u32, name: &'static str, cores: usize, mask: u32) -> Self {
        Self {
            id,
            name,
            cores,
            tpc_mask: mask,
            cpu_khz: None,
            gpu_hz: None,
            emc_hz: None,
            dla_hz: None,
            pva_hz: None,
        }
    }

    pub(crate) const fn capped(self, cpu_khz: u64, gpu_hz: u64, emc_hz: Option<u64>) -> Self {
        Self { cpu_khz: Some(cpu_khz), gpu_hz: Some(gpu_hz), emc_hz, ..self }
    }

    pub(crate) const fn accelerators(self, dla_hz: [u64; 2], pva_hz: [u64; 2]) -> Self {
        Self { dla_hz: Some(dla_hz), pva_hz: Some(pva_hz), ..self }
    }
}

/// Where a board's `nvpmodel.conf` finds its knobs, and how it is written.
pub(crate) struct Conf {
    /// The first core of each cluster.
    pub(crate) clusters: &'static [usize],
    pub(crate) cores: usize,
    /// `CPU_A78_`, before a cluster's first core.
    pub(crate) cpu: &'static str,
    pub(crate) cpu_min_khz: u64,
    pub(crate) gpu_min_hz: u64,
    /// The path of the GPU's devfreq folder; the newer one as well where there is one.
    pub(crate) gpu: (&'static str, Option<&'static str>),
    pub(crate) emc_none: &'static str,
    /// Whether the newer paths (`_KNEXT`) stand beside the older.
    pub(crate) knext: bool,
    /// Whether it is Thor's: the mask is a module's option, and the memory has no cap.
    pub(crate) thor: bool,
    /// Whether it has the accelerators of Orin.
    pub(crate) accelerators: bool,
    pub(crate) default: u32,
    pub(crate) modes: &'static [VendorMode],
}

impl Conf {
    /// The text of the file, with the odd spacing of the shipped ones.
    pub(crate) fn text(&self) -> String {
        let mut text = HEADER.to_owned();
        self.parameters(&mut text);
        for mode in self.modes {
            self.mode(&mut text, mode);
        }
        let _ = write!(text, "\n# mandatory section to configure the default mode\n");
        let _ = writeln!(text, "< PM_CONFIG DEFAULT={} >", self.default);
        text
    }

    fn parameters(&self, text: &mut String) {
        let _ = writeln!(text, "< PARAM TYPE=FILE NAME=CPU_ONLINE >");
        for core in 0..self.cores {
            let _ = writeln!(text, "CORE_{core} /sys/devices/system/cpu/cpu{core}/online");
        }
        if !self.thor {
            self.gpu_file(text, "FBP_POWER_GATING", "FBP_PG_MASK", "fbp_pg_mask");
            self.gpu_file(text, "TPC_POWER_GATING", "TPC_PG_MASK", "tpc_pg_mask");
            self.gpu_file(text, "GPU_POWER_CONTROL_ENABLE", "GPU_PWR_CNTL_EN", "power/control");
        }
        for core in self.clusters {
            let folder = format!("/sys/devices/system/cpu/cpu{core}/cpufreq/");
            let _ = writeln!(text, "\n< PARAM TYPE=CLOCK NAME={}{core} >", self.cpu);
            for end in if self.knext { ["", "_KNEXT"].as_slice() } else { &[""] } {
                let _ = writeln!(text, "FREQ_TABLE{end} {folder}scaling_available_frequencies");
                let _ = writeln!(text, "MAX_FREQ{end} {folder}scaling_max_freq");
                let _ = writeln!(text, "MIN_FREQ{end} {folder}scaling_min_freq");
            }
        }
        let _ = writeln!(text, "\n< PARAM TYPE=CLOCK NAME=GPU >");
        for (folder, end) in [(Some(self.gpu.0), ""), (self.gpu.1, "_KNEXT")] {
            let Some(folder) = folder else { continue };
            let _ = writeln!(text, "FREQ_TABLE{end} {folder}available_frequencies");
            let _ = writeln!(text, "MAX_FREQ{end} {folder}max_freq");
            let _ = writeln!(text, "MIN_FREQ{end} {folder}min_freq");
        }
        if self.thor {
            let _ = writeln!(text, "\n< PARAM TYPE=FILE NAME=GPU_POWER_GATING >");
            let _ = writeln!(text, "GPU_PG_MASK /etc/modprobe.d/nvidia-pg-mask.conf");
            return;
        }
        self.gpu_file(text, "GPU_POWER_CONTROL_DISABLE", "GPU_PWR_CNTL_DIS", "power/control");
        // Every shipped file lacks this one space.
        let _ = writeln!(text, "\n<PARAM TYPE=CLOCK NAME=EMC >");
        let _ = writeln!(text, "MAX_FREQ /sys/kernel/nvpmodel_emc_cap/emc_iso_cap");
        if self.knext {
            let _ = writeln!(text, "MAX_FREQ_KNEXT /sys/kernel/nvpmodel_clk_cap/emc");
        }
        if self.accelerators {
            self.accelerator_parameters(text);
        }
    }

    fn gpu_file(&self, text: &mut String, name: &str, arg: &str, path: &str) {
        let _ =
            writeln!(text, "\n< PARAM TYPE=FILE NAME={name} >\n{arg} /sys/devices/gpu.0/{path}");
        if self.knext {
            let _ = writeln!(text, "{arg}_KNEXT /sys/devices/platform/gpu.0/{path}");
        }
    }

    fn accelerator_parameters(&self, text: &mut String) {
        for (name, device, file) in ACCELERATORS {
            let old = format!("/sys/devices/platform/13e40000.host1x/{device}/acm/clk_cap/{file}");
            let new =
                format!("/sys/devices/platform/bus@0/13e00000.host1x/{device}/clk_cap/{file}");
            let _ = writeln!(text, "\n< PARAM TYPE=CLOCK NAME={name} >\nMAX_FREQ {old}");
            if self.knext {
                let _ = writeln!(text, "MAX_FREQ_KNEXT {new}");
            }
        }
    }

    fn mode(&self, text: &mut String, mode: &VendorMode) {
        let clock = |hz: Option<u64>| hz.map_or("-1".to_owned(), |hz| hz.to_string());
        let _ = writeln!(text, "\n###########################\n#                         #");
        let _ = writeln!(text, "# POWER_MODEL DEFINITIONS #\n#                         #");
        let _ = writeln!(text, "###########################");
        let _ = writeln!(text, "< POWER_MODEL ID={} NAME={} >", mode.id, mode.name);
        for core in 0..self.cores {
            let _ = writeln!(text, "CPU_ONLINE CORE_{core} {}", u8::from(core < mode.cores));
        }
        if self.thor {
            let _ = writeln!(text, "GPU_POWER_GATING GPU_PG_MASK {}", mode.tpc_mask);
        } else {
            let _ = writeln!(text, "TPC_POWER_GATING TPC_PG_MASK {}", mode.tpc_mask);
            let _ = writeln!(text, "GPU_POWER_CONTROL_ENABLE GPU_PWR_CNTL_EN on");
        }
        // A cluster that is off in a mode has no lines.
        for core in self.clusters.iter().filter(|&&core| core < mode.cores) {
            let _ = writeln!(text, "{}{core} MIN_FREQ {}", self.cpu, self.cpu_min_khz);
            let _ = writeln!(text, "{}{core} MAX_FREQ {}", self.cpu, clock(mode.cpu_khz));
        }
        let _ = writeln!(text, "GPU MIN_FREQ {}", self.gpu_min_hz);
        let _ = writeln!(text, "GPU MAX_FREQ {}", clock(mode.gpu_hz));
        if self.thor {
            return;
        }
        let _ = writeln!(text, "GPU_POWER_CONTROL_DISABLE GPU_PWR_CNTL_DIS auto");
        let emc = mode.emc_hz.map_or(self.emc_none.to_owned(), |hz| hz.to_string());
        let _ = writeln!(text, "EMC MAX_FREQ {emc}");
        if self.accelerators {
            for (name, _, _) in ACCELERATORS {
                let caps = if name.starts_with("DLA") { mode.dla_hz } else { mode.pva_hz };
                let second = name.ends_with("FALCON") || name.ends_with("AXI");
                let cap = caps.map(|caps| caps[usize::from(second)]);
                let _ = writeln!(text, "{name} MAX_FREQ {}", clock(cap));
            }
        }
    }
}

/// The accelerators of Orin: their names in the file, their devices and their clocks' files.
pub(crate) const ACCELERATORS: [(&str, &str, &str); 6] = [
    ("DLA0_CORE", "15880000.nvdla0", "dla0_core"),
    ("DLA0_FALCON", "15880000.nvdla0", "dla0_falcon"),
    ("DLA1_CORE", "158c0000.nvdla1", "dla1_core"),
    ("DLA1_FALCON", "158c0000.nvdla1", "dla1_falcon"),
    ("PVA0_VPS", "16000000.pva0", "pva0_vps"),
    ("PVA0_AXI", "16000000.pva0", "pva0_cpu_axi"),
];

const HEADER: &str = "\
#
# FORMAT:
# < PARAM TYPE=PARAM_TYPE NAME=PARAM_NAME >
# ARG1_NAME ARG1_PATH_VAL
# ARG2_NAME ARG2_PATH_VAL
# ...
# This starts a section of PARAM definitions, in which each line
# has the syntax below:
# ARG_NAME ARG_PATH_VAL
#
# < POWER_MODEL ID=id_num NAME=mode_name >
# PARAM1_NAME ARG11_NAME ARG11_VAL
# ...
# < PM_CONFIG DEFAULT=default_mode >
#
";

impl Devices {
    /// What `nvpmodel` does with a mode: cores, then each cluster that is on, the GPU and the
    /// memory's cap; and clock locks are gone.
    pub(crate) fn apply(&mut self, place: usize) {
        let Some(mode) = self.vendor_modes.get(place).copied() else { return };
        self.vendor_mode = place;
        for core in 1..self.cpus.len() {
            let _ = self.cpus.switch(core, core < mode.cores);
        }
        for policy in self.cpus.policies.iter_mut().filter(|p| p.cores.start < mode.cores) {
            policy.limits.reset();
            let _ = policy.limits.set_max(mode.cpu_khz.unwrap_or(u64::MAX));
            let _ = policy.limits.set_min(self.cpu_min_khz);
        }
        if let Some(gpu) = self.devfreqs.first_mut() {
            gpu.limits.reset();
            let _ = gpu.limits.set_max(mode.gpu_hz.unwrap_or(u64::MAX));
            let _ = gpu.limits.set_min(self.gpu_min_hz);
        }
        self.emc.cap = mode.emc_hz;
        self.emc.locked = false;
    }
}
