//! NVIDIA's power modes as modes of the board's space, and those that would take a reboot.

use std::collections::BTreeMap;
use std::path::Path;

use fulcrum_domain::Knob;

use super::knobs::{Handle, Knobs};
use super::nvpmodel::{Conf, VendorMode, VendorWrite, in_force};
use super::shown::is_no_cap;
use crate::files::Files;
use crate::linux::cpu::Policy;
use crate::linux::kernel_text::text;
use crate::profiler::Preset;

/// A vendor's power mode that cannot be set while the board runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetAfterReboot {
    /// The vendor's name.
    pub name: String,
    /// What it would change that only a reboot can.
    pub why: String,
}

/// The limits of a vendor's mode. A clock that is none is not capped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct VendorLimits {
    pub(super) cores: BTreeMap<u32, bool>,
    /// Lowest and highest, in kHz, by the core that the file names.
    pub(super) cpu: BTreeMap<u32, (Option<u64>, Option<u64>)>,
    /// Lowest and highest, in hertz.
    pub(super) gpu: (Option<u64>, Option<u64>),
    /// In hertz.
    pub(super) memory: Option<u64>,
}

/// What a path of the configuration stands for.
enum Target {
    Core(u32),
    CpuMin(u32),
    CpuMax(u32),
    GpuMin,
    GpuMax,
    Memory,
    /// Which parts of the GPU are cut off; taken while its driver loads.
    Mask,
    Other,
}

fn target(path: &str) -> Target {
    let of_cpu = path.strip_prefix("/sys/devices/system/cpu/").and_then(|rest| {
        let (core, file) = rest.strip_prefix("cpu")?.split_once('/')?;
        let core = core.parse().ok()?;
        match file {
            "online" => Some(Target::Core(core)),
            "cpufreq/scaling_min_freq" => Some(Target::CpuMin(core)),
            "cpufreq/scaling_max_freq" => Some(Target::CpuMax(core)),
            _ => None,
        }
    });
    if let Some(target) = of_cpu {
        return target;
    }
    let file = path.rsplit('/').next().unwrap_or(path);
    let gpu = ["gpu", "ga10b", "gv11b", "gp10b", "gb10b"].iter().any(|name| path.contains(name));
    match file {
        "min_freq" if gpu => Target::GpuMin,
        "max_freq" if gpu => Target::GpuMax,
        "emc_iso_cap" => Target::Memory,
        "emc" if path.contains("nvpmodel_clk_cap") => Target::Memory,
        "max_freq" if path.contains("bwmgr") => Target::Memory,
        _ if file.ends_with("_pg_mask") || path.starts_with("/etc/modprobe.d/") => Target::Mask,
        _ => Target::Other,
    }
}

/// The limits that a mode sets.
pub(super) fn limits(mode: &VendorMode) -> VendorLimits {
    let mut limits = VendorLimits::default();
    for write in &mode.writes {
        let number = write.value.parse::<i64>().unwrap_or(-1);
        let cap = Some(number).filter(|&number| !is_no_cap(number)).map(i64::unsigned_abs);
        match write.paths.first().map_or(Target::Other, |path| target(path)) {
            Target::Core(core) => {
                limits.cores.insert(core, number != 0);
            }
            Target::CpuMin(core) => limits.cpu.entry(core).or_default().0 = cap,
            Target::CpuMax(core) => limits.cpu.entry(core).or_default().1 = cap,
            Target::GpuMin => limits.gpu.0 = cap,
            Target::GpuMax => limits.gpu.1 = cap,
            Target::Memory => limits.memory = cap,
            Target::Mask | Target::Other => {}
        }
    }
    limits
}

/// The presets, from the smallest to the largest, and those that would take a reboot.
pub(super) fn presets(
    files: &dyn Files,
    conf: &Conf,
    knobs: &Knobs,
    policies: &[Policy],
) -> (Vec<Preset>, Vec<PresetAfterReboot>) {
    let in_force = in_force(files).and_then(|id| conf.modes.iter().find(|mode| mode.id == id));
    let mut presets: Vec<(f64, Preset)> = Vec::new();
    let mut after_reboot = Vec::new();
    for mode in &conf.modes {
        let name = mode.name.clone();
        if let Some(why) = why_reboot(files, mode, in_force) {
            after_reboot.push(PresetAfterReboot { name, why });
            continue;
        }
        let limits = limits(mode);
        let place = |(handle, knob): (&Handle, &Knob)| {
            let cap = cap(handle, &limits, policies);
            knob.levels().partition_point(|&level| level <= cap).saturating_sub(1) as u16
        };
        let point: Vec<u16> = knobs.iter().map(place).collect();
        let share = |(place, knob): (&u16, &Knob)| f64::from(*place) / f64::from(knob.top().max(1));
        let size = point.iter().zip(knobs.space().knobs()).map(share).sum();
        presets.push((size, Preset { name, mode: knobs.space().nearest(&point) }));
    }
    presets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    (presets.into_iter().map(|(_, preset)| preset).collect(), after_reboot)
}

/// The highest level that a mode allows a knob.
fn cap(handle: &Handle, limits: &VendorLimits, policies: &[Policy]) -> f64 {
    let or_none = |cap: Option<u64>| cap.map_or(f64::INFINITY, |cap| cap as f64);
    match handle {
        Handle::Cores(cores) => {
            let on = |number| limits.cores.get(&number).copied().unwrap_or(true);
            cores.iter().filter(|core| on(core.number)).count() as f64
        }
        Handle::CpuClock(_) => {
            let cluster = |core: u32| policies.iter().find(|policy| policy.cores.contains(&core));
            let turned =
                |core: u32| handle.turns(cluster(core).map_or(core, |policy| policy.number));
            let caps = limits.cpu.iter().filter(|(core, _)| turned(**core));
            caps.map(|(_, (_, cap))| or_none(*cap)).reduce(f64::max).unwrap_or(f64::INFINITY)
        }
        Handle::GpuClock => or_none(limits.gpu.1) / 1e3,
        Handle::MemoryClock => or_none(limits.memory) / 1e3,
    }
}

/// What a mode would change that only a reboot can, if anything.
fn why_reboot(
    files: &dyn Files,
    mode: &VendorMode,
    in_force: Option<&VendorMode>,
) -> Option<String> {
    mode.writes.iter().find_map(|write| {
        let path = write.paths.first().filter(|path| matches!(target(path), Target::Mask))?;
        let read = |path: &String| Some((path.clone(), mask(&text(files, Path::new(path)).ok()?)?));
        let shown = write.paths.iter().find_map(read);
        let by_mode = || Some((path.clone(), mask(&of_same_path(in_force?, path)?.value)?));
        let (path, shown) = match shown.or_else(by_mode) {
            Some((path, shown)) => (path, Some(shown)),
            None => (path.clone(), None),
        };
        if shown.is_some() && shown == mask(&write.value) {
            return None;
        }
        let now = shown.map_or_else(|| "not known".to_owned(), |shown| shown.to_string());
        Some(format!("{path} would become {}, and is {now}", write.value))
    })
}

fn of_same_path<'a>(mode: &'a VendorMode, path: &String) -> Option<&'a VendorWrite> {
    mode.writes.iter().find(|write| write.paths.first() == Some(path))
}

/// A mask: a number by itself, or after the last sign of a driver's option.
fn mask(text: &str) -> Option<u64> {
    let number = text.rsplit('=').next().unwrap_or(text).trim();
    match number.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::nvpmodel::parse;
    use super::*;

    #[test]
    fn raw_paths_of_the_oldest_files_are_limits_too() {
        let conf = parse(
            "< POWER_MODEL ID=1 NAME=MAXQ >
            /sys/devices/system/cpu/cpu1/online 0
            /sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq 1200000
            /sys/devices/17000000.gp10b/devfreq/17000000.gp10b/max_freq 850000000
            /sys/kernel/nvpmodel_emc_cap/emc_iso_cap 1331200000",
        );
        let limits = limits(&conf.modes[0]);
        assert_eq!(limits.cores, BTreeMap::from([(1, false)]));
        assert_eq!(limits.cpu, BTreeMap::from([(0, (None, Some(1_200_000)))]));
        assert_eq!((limits.gpu.1, limits.memory), (Some(850_000_000), Some(1_331_200_000)));
    }

    #[test]
    fn a_mask_is_read_by_itself_in_hex_or_as_a_driver_s_option() {
        assert_eq!(mask("240"), Some(240));
        assert_eq!(mask("0xf0"), Some(240));
        assert_eq!(mask("options nvidia NVreg_TegraGpuPgMask=64"), Some(64));
        assert_eq!(mask("none"), None);
    }
}
