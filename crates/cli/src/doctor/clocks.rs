//! The clocks: whether there is something to set, and whether somebody has locked it.

use std::path::{Path, PathBuf};

use fulcrum_domain::Knob;

use super::check::Check;
use super::machine::Machine;

const POLICIES: &str = "/sys/devices/system/cpu/cpufreq";
const CAPS: [&str; 2] =
    ["/sys/kernel/nvpmodel_clk_cap/emc", "/sys/kernel/nvpmodel_emc_cap/emc_iso_cap"];
/// Thor's memory clock, which has limits like any other.
const MEMORY_LIMITS: &str = "/sys/class/devfreq/bwmgr";
/// What device trees call a GPU.
const GPUS: [&str; 5] = ["gv11b", "gp10b", "ga10b", "gb10b", "gpu"];
/// The clock of Thor's GPU.
const PCI_GPU: &str = "gpu-gpc-0";

/// The folders of the CPU clusters that are shown now.
pub(crate) fn policies(machine: &Machine<'_>) -> Vec<PathBuf> {
    machine.numbered(POLICIES, "policy")
}

/// The folder of the GPU's clock.
pub(crate) fn gpu(machine: &Machine<'_>) -> Option<PathBuf> {
    let all = machine.entries("/sys/class/devfreq");
    let named = |path: &&PathBuf| {
        let node = machine.text(path.join("device/of_node/name")).unwrap_or_default();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let suffix = name.rsplit_once('.').map(|(_, node)| node);
        GPUS.contains(&node.as_str()) || suffix.is_some_and(|node| GPUS.contains(&node))
    };
    all.iter().find(|path| path.ends_with(PCI_GPU)).or_else(|| all.iter().find(named)).cloned()
}

/// The file that caps the memory's clock, or the folder of its limits.
pub(crate) fn memory(machine: &Machine<'_>) -> Option<PathBuf> {
    machine.first_of(&CAPS).or_else(|| machine.first_of(&[MEMORY_LIMITS]))
}

/// `cpu.policies`: the clusters and their clocks.
pub(crate) fn cpu(machine: &Machine<'_>) -> Check {
    let id = "cpu.policies";
    let online = machine.text("/sys/devices/system/cpu/online");
    let online = online.unwrap_or_else(|why| why.as_str().into());
    let policies = policies(machine);
    if !policies.is_empty() {
        return Check::ok(id, format!("{}; online {online}", clusters(machine, &policies)));
    }
    let found = format!("no CPU clock can be set; online {online}");
    if machine.is_jetson() {
        let advice = format!("a Jetson's kernel has {POLICIES}/policy0; is /sys mounted here?");
        return Check::fail(id, found, advice);
    }
    Check::warn(id, found, "only the number of cores can be chosen here, by the workers' affinity")
}

/// The clusters, equal ones told once.
fn clusters(machine: &Machine<'_>, policies: &[PathBuf]) -> String {
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for policy in policies {
        let said = cluster(machine, policy);
        match kinds.iter_mut().find(|(kind, _)| *kind == said) {
            Some((_, count)) => *count += 1,
            None => kinds.push((said, 1)),
        }
    }
    let said = kinds.iter().map(|(kind, count)| match count {
        1 => format!("a cluster of {kind}"),
        count => format!("{count} clusters of {kind}"),
    });
    said.collect::<Vec<_>>().join(", ")
}

fn cluster(machine: &Machine<'_>, policy: &Path) -> String {
    let cores = machine.text(policy.join("related_cpus")).unwrap_or_default();
    let cores = cores.split_whitespace().count();
    let range = |name| machine.number(policy.join(name)).map(|khz| khz / 1e3);
    let clock = match (range("cpuinfo_min_freq"), range("cpuinfo_max_freq")) {
        (Ok(least), Ok(most)) => format!("{least:.0} to {most:.0} MHz"),
        (Err(why), _) | (_, Err(why)) => format!("clock {why}"),
    };
    let levels = match machine.table(policy.join("scaling_available_frequencies")).len() {
        0 => "no table".into(),
        count => format!("{count} levels"),
    };
    format!("{cores} cores, {clock}, {levels}")
}

/// `gpu.devfreq`: the GPU's clock.
pub(crate) fn gpu_clock(machine: &Machine<'_>) -> Check {
    let id = "gpu.devfreq";
    let Some(folder) = gpu(machine) else {
        let found = "no GPU clock in /sys/class/devfreq";
        if machine.is_jetson() {
            let advice = "its driver is among the last to come up: try again a minute after boot, \
                          then look for nvgpu or nvidia in the kernel's log";
            return Check::fail(id, found, advice);
        }
        return Check::skip(id, found);
    };
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let knob = machine
        .described()
        .ok()
        .and_then(|board| board.space.knobs().iter().find(|knob| knob.name() == "gpu_khz"));
    match knob.map(Knob::levels) {
        Some(levels @ [least, .., most]) => {
            let range = format!("{:.0} to {:.0} MHz", least / 1e3, most / 1e3);
            Check::ok(id, format!("{name}: {range}, {} levels", levels.len()))
        }
        _ => Check::fail(
            id,
            format!("{name}: no levels are known"),
            "without them nothing can be written; the GPU's clock stays as it is",
        ),
    }
}

/// `emc.cap`: what caps the memory's clock.
pub(crate) fn memory_clock(machine: &Machine<'_>) -> Check {
    let id = "emc.cap";
    let Some(path) = memory(machine) else {
        let found = "nothing caps the memory's clock";
        if machine.is_jetson() {
            let advice = "kernels without NVIDIA's drivers have no cap: the memory's clock is left \
                          out of the power modes";
            return Check::warn(id, found, advice);
        }
        return Check::skip(id, found);
    };
    let file = if path.ends_with("bwmgr") { path.join("max_freq") } else { path };
    match machine.number(&file) {
        Ok(hertz) if hertz <= 0.0 => Check::ok(id, format!("{}: no cap in force", file.display())),
        Ok(hertz) => Check::ok(id, format!("{}: {:.0} MHz", file.display(), hertz / 1e6)),
        Err(why) => Check::warn(id, format!("{}: {why}", file.display()), "read it as root"),
    }
}

/// `clocks.locked`: whether every clock is held at one level, as `jetson_clocks` does.
pub(crate) fn locked(machine: &Machine<'_>) -> Check {
    let id = "clocks.locked";
    let mut folders: Vec<(PathBuf, [&str; 2])> = policies(machine)
        .into_iter()
        .map(|policy| (policy, ["scaling_min_freq", "scaling_max_freq"]))
        .collect();
    folders.extend(gpu(machine).map(|gpu| (gpu, ["min_freq", "max_freq"])));
    let held = |(folder, names): &(PathBuf, [&str; 2])| {
        let [least, most] = names.map(|name| machine.number(folder.join(name)).ok());
        least.is_some() && least == most
    };
    if folders.is_empty() {
        Check::skip(id, "there are no clocks to lock")
    } else if folders.iter().all(held) {
        Check::warn(
            id,
            "every clock is held at one level, as jetson_clocks or a power mode does",
            "unless an agent has set a mode now, run `jetson_clocks --restore`; the agent puts \
             back whatever it found",
        )
    } else {
        Check::ok(id, "clocks may move within their limits")
    }
}
