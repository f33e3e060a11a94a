//! Everything that setting a mode may change: one small file each.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::gpu::Gpu;
use super::memory_clock::MemoryClock;
use crate::files::Files;
use crate::linux::cpu::{FOLDER, switch};

/// A control. Its name outlives the paths behind it, so that a state found by one process can be
/// restored by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Control {
    /// Whether a core is on.
    Core(u32),
    /// What sets a cluster's clock between its limits.
    Governor(u32),
    /// The lowest clock of a cluster, in kHz.
    CpuMin(u32),
    /// The highest clock of a cluster, in kHz.
    CpuMax(u32),
    /// Whether the GPU stays powered.
    GpuPower,
    /// Whether the GPU may be cut off its rail.
    GpuRailgate,
    /// The GPU's lowest clock, in hertz.
    GpuMin,
    /// The GPU's highest clock, in hertz.
    GpuMax,
    /// The memory's lowest clock, in hertz.
    MemoryMin,
    /// The memory's highest clock, in hertz.
    MemoryMax,
    /// The cap of the memory's clock, in hertz.
    MemoryCap,
    /// Whether the memory's clock is locked.
    MemoryLock,
    /// Whether the memory's clock runs.
    MemoryState,
    /// The memory's clock while it is locked, in hertz.
    MemoryRate,
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core(core) => write!(f, "cpu{core}/online"),
            Self::Governor(policy) => write!(f, "policy{policy}/scaling_governor"),
            Self::CpuMin(policy) => write!(f, "policy{policy}/scaling_min_freq"),
            Self::CpuMax(policy) => write!(f, "policy{policy}/scaling_max_freq"),
            Self::GpuPower => f.write_str("gpu/power/control"),
            Self::GpuRailgate => f.write_str("gpu/railgate_enable"),
            Self::GpuMin => f.write_str("gpu/min_freq"),
            Self::GpuMax => f.write_str("gpu/max_freq"),
            Self::MemoryMin => f.write_str("emc/min_freq"),
            Self::MemoryMax => f.write_str("emc/max_freq"),
            Self::MemoryCap => f.write_str("emc/cap"),
            Self::MemoryLock => f.write_str("emc/mrq_rate_locked"),
            Self::MemoryState => f.write_str("emc/state"),
            Self::MemoryRate => f.write_str("emc/rate"),
        }
    }
}

/// A name that no control has.
#[derive(Debug)]
pub(super) struct UnknownControl;

impl FromStr for Control {
    type Err = UnknownControl;

    fn from_str(name: &str) -> Result<Self, UnknownControl> {
        /// The controls that there is one of.
        const SINGLE: [Control; 10] = [
            Control::GpuPower,
            Control::GpuRailgate,
            Control::GpuMin,
            Control::GpuMax,
            Control::MemoryMin,
            Control::MemoryMax,
            Control::MemoryCap,
            Control::MemoryLock,
            Control::MemoryState,
            Control::MemoryRate,
        ];
        if let Some(control) = SINGLE.into_iter().find(|control| control.to_string() == name) {
            return Ok(control);
        }
        let (part, file) = name.split_once('/').ok_or(UnknownControl)?;
        let number = |word| part.strip_prefix(word).and_then(|number| number.parse().ok());
        let control = match file {
            "online" => number("cpu").map(Self::Core),
            "scaling_governor" => number("policy").map(Self::Governor),
            "scaling_min_freq" => number("policy").map(Self::CpuMin),
            "scaling_max_freq" => number("policy").map(Self::CpuMax),
            _ => None,
        };
        control.ok_or(UnknownControl)
    }
}

/// Where the controls are that do not have a fixed place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) gpu: Option<Gpu>,
    pub(super) memory: MemoryClock,
}

impl Layout {
    pub(super) fn find(files: &dyn Files) -> Self {
        Self { gpu: Gpu::find(files), memory: MemoryClock::find(files) }
    }

    /// Follows a GPU whose folder has moved. It gains no control that it did not have: what was
    /// not there when the state was found would not be put back.
    pub(super) fn follow(&mut self, files: &dyn Files) {
        let Some(gpu) = &mut self.gpu else { return };
        if files.exists(&gpu.clock) {
            return;
        }
        if let Some(found) = Gpu::find(files) {
            gpu.clock = found.clock;
            gpu.power = gpu.power.take().map(|old| found.power.unwrap_or(old));
            gpu.railgate = gpu.railgate.take().map(|old| found.railgate.unwrap_or(old));
        }
    }

    /// The file behind a control, if this board has it.
    pub(super) fn path(&self, control: Control) -> Option<PathBuf> {
        let cpufreq = |policy, file| Some(format!("{FOLDER}/cpufreq/policy{policy}/{file}").into());
        let gpu = self.gpu.as_ref();
        let limit = |file| self.memory.limits.as_ref().map(|folder| folder.join(file));
        let lock = |file| self.memory.lock.as_ref().map(|folder| folder.join(file));
        match control {
            Control::Core(core) => Some(switch(core)),
            Control::Governor(policy) => cpufreq(policy, "scaling_governor"),
            Control::CpuMin(policy) => cpufreq(policy, "scaling_min_freq"),
            Control::CpuMax(policy) => cpufreq(policy, "scaling_max_freq"),
            Control::GpuPower => gpu.and_then(|gpu| gpu.power.clone()),
            Control::GpuRailgate => gpu.and_then(|gpu| gpu.railgate.clone()),
            Control::GpuMin => gpu.map(|gpu| gpu.clock.join("min_freq")),
            Control::GpuMax => gpu.map(|gpu| gpu.clock.join("max_freq")),
            Control::MemoryMin => limit("min_freq"),
            Control::MemoryMax => limit("max_freq"),
            Control::MemoryCap => self.memory.cap.clone(),
            Control::MemoryLock => lock("mrq_rate_locked"),
            Control::MemoryState => self.memory.state.clone(),
            Control::MemoryRate => lock("rate"),
        }
    }

    /// The controls of GPU and memory that this board has.
    pub(super) fn controls(&self) -> impl Iterator<Item = Control> {
        const ALL: [Control; 10] = [
            Control::GpuMin,
            Control::GpuMax,
            Control::GpuPower,
            Control::GpuRailgate,
            Control::MemoryMin,
            Control::MemoryMax,
            Control::MemoryCap,
            Control::MemoryRate,
            Control::MemoryState,
            Control::MemoryLock,
        ];
        ALL.into_iter().filter(|control| self.path(*control).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_is_known_again_by_its_name() {
        for control in [
            Control::Core(11),
            Control::Governor(0),
            Control::CpuMin(4),
            Control::CpuMax(12),
            Control::GpuPower,
            Control::MemoryRate,
        ] {
            assert_eq!(control.to_string().parse::<Control>().ok(), Some(control));
        }
        for name in ["", "cpu/online", "cpu1/../../etc/passwd", "policyx/scaling_min_freq", "gpu"] {
            assert!(name.parse::<Control>().is_err(), "{name}");
        }
    }
}
