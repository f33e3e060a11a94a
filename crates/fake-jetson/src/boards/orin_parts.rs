//! What the boards with an Orin have alike.

use crate::devices::cpus::{Cpus, Policy};
use crate::devices::devfreq::Devfreq;
use crate::devices::limits::{KernelProfile, Limits};
use crate::layout::Builder;

/// The governors of nvgpu's devfreq device.
pub(crate) const NVGPU_GOVERNORS: &[&str] =
    &["nvhost_podgov", "userspace", "performance", "simple_ondemand"];

/// Policies over these cores, all of one table.
pub(crate) fn policies(
    clusters: &[std::ops::Range<usize>],
    table: &[u64],
    profile: KernelProfile,
    idle_khz: u64,
) -> Cpus {
    let policy = |cores: &std::ops::Range<usize>| Policy {
        cores: cores.clone(),
        limits: Limits::new(table.to_vec(), profile),
        governor: "schedutil".to_owned(),
        idle_khz,
    };
    Cpus::new(clusters.iter().map(policy).collect())
}

/// A devfreq device that rests at its lowest clock.
pub(crate) fn devfreq(
    table: Vec<u64>,
    profile: KernelProfile,
    governors: &'static [&'static str],
) -> Devfreq {
    let idle_hz = table.first().copied().unwrap_or(0);
    let limits = Limits::new(table, profile);
    Devfreq {
        limits,
        governor: governors.first().copied().unwrap_or("").to_owned(),
        governors,
        idle_hz,
    }
}

impl Builder {
    /// Root's debugfs of Orin.
    pub(crate) fn orin_debugfs(&mut self) {
        self.emc_debugfs();
        self.debugfs("cactmon/mc_all", "0\n");
        self.debugfs("bpmp/debug/clk/nafll_gpc0/pto_counter", "305925000\n");
        self.debugfs("bpmp/debug/clk/nafll_gpc1/pto_counter", "305925000\n");
        self.debugfs(
            "nvmap/iovmm/clients",
            "CLIENT                        PROCESS      PID        SIZE\ntotal                                                    0K\n",
        );
        for (name, hz) in [("nvenc", 115_200_000), ("nvdec", 115_200_000), ("vic", 115_200_000)] {
            self.debugfs(&format!("clk/{name}/clk_rate"), &format!("{hz}\n"));
            self.debugfs(&format!("clk/{name}/clk_enable_count"), "0\n");
            self.debugfs(&format!("clk/{name}/clk_max_rate"), "18446744073709551615\n");
        }
    }
}
