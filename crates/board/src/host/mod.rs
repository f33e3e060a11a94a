//! Any Linux machine as a board.
//!
//! Its modes are how many cores the workers may use, and, where cpufreq lets itself be written, at
//! which clock. Everyone else's processes stay where they are. Power is known where the processors
//! count their energy or a battery is drained, and otherwise is honestly unknown.

mod battery;
mod cores;
mod cpu_clock;
mod identity;
mod processes;
mod quota;
mod rapl;
mod sensors;
mod total_power;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use fulcrum_domain::{Knob, ModeId, ModeSpace};

pub use processes::{Processes, SystemProcesses};

use self::cores::Cores;
use self::cpu_clock::CpuClock;
use self::quota::Quota;
use crate::board::{
    Board, FoundState, Identity, Levels, ModeChange, Override, RestoreError, SetError, Suspect,
};
use crate::clock::Clock;
use crate::files::Files;
use crate::linux::cpu;
use crate::linux::kernel_text::{processors, text};
use crate::linux::sensors::Sensors;
use crate::linux::thermal::active_cooling;
use crate::profiler::Preset;
use crate::sensor::{Sample, Sensor, TotalPower};

/// Why a machine cannot be a board.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HostError {
    /// The knobs make no mode space.
    #[error("the cores and clocks of this machine make no mode space: {0}")]
    Space(#[from] fulcrum_domain::ModeSpaceError),
    /// A knob's levels are not right.
    #[error("a knob of this machine is not right: {0}")]
    Knob(#[from] fulcrum_domain::KnobError),
}

/// A Linux machine.
pub struct HostBoard {
    files: Arc<dyn Files>,
    clock: Arc<dyn Clock>,
    identity: Identity,
    space: Arc<ModeSpace>,
    sensors: Sensors,
    cores: Cores,
    cpu_clock: Option<CpuClock>,
    quota: Option<Quota>,
}

impl HostBoard {
    /// This machine, or a copy of another's files.
    ///
    /// # Errors
    /// When the knobs that were found make no mode space.
    pub fn new(files: Arc<dyn Files>, clock: Arc<dyn Clock>) -> Result<Self, HostError> {
        Self::with_processes(files, clock, Box::new(SystemProcesses))
    }

    /// A machine whose processes are these.
    ///
    /// # Errors
    /// When the knobs that were found make no mode space.
    pub fn with_processes(
        files: Arc<dyn Files>,
        clock: Arc<dyn Clock>,
        processes: Box<dyn Processes>,
    ) -> Result<Self, HostError> {
        let online = text(&*files, &Path::new(cpu::FOLDER).join("online"));
        let cores = Cores::new(processes, &processors(&online.unwrap_or_default()));
        let cpu_clock = CpuClock::find(&*files);
        let mut knobs = vec![Knob::new("cpu_cores", cores.counts())?];
        if let Some(clock) = &cpu_clock {
            knobs.push(Knob::new("cpu_khz", clock.levels.iter().map(|&khz| khz as f64))?);
        }
        Ok(Self {
            identity: identity::identity(&*files),
            space: Arc::new(ModeSpace::full_grid(knobs)?),
            sensors: sensors::find(&*files, &clock),
            cores,
            cpu_clock,
            quota: None,
            files,
            clock,
        })
    }

    /// Also bounds the processor time of the control group (cgroup v2) that the workers run in, by
    /// its folder below `/sys/fs/cgroup`. A group without a quota that may be written is left be.
    #[must_use]
    pub fn with_workers_group(mut self, group: &Path) -> Self {
        self.quota = Quota::find(&*self.files, group);
        self
    }

    fn apply(&mut self, mode: ModeId) -> Result<(), SetError> {
        let count = self.space.level(mode, 0) as usize;
        if let Some(clock) = &self.cpu_clock {
            clock.set(&*self.files, self.space.level(mode, 1) as u64)?;
        }
        if let Some(quota) = &self.quota {
            let all = usize::from(self.space.knobs()[0].top()) + 1;
            quota.set(&*self.files, count, count == all)?;
        }
        self.cores.set(count)
    }

    /// What the knobs show now, and where that is not what was written.
    fn compare(&mut self, applied: &[f64]) -> (Levels, Vec<Override>) {
        let observed = self.levels();
        let mut overrides = Vec::new();
        for (place, (knob, &wanted)) in self.space.knobs().iter().zip(applied).enumerate() {
            let shown = (observed[place] != Ok(wanted)).then(|| observed[place].clone());
            // A lower limit that is not where it was put does not show in the level.
            let clock = self.cpu_clock.as_ref().filter(|_| place == 1);
            let limit = || clock?.deviation(&*self.files, wanted as u64);
            let Some(shown) = shown.or_else(limit) else { continue };
            let suspect = if place == 1 { self.suspect() } else { Suspect::Unknown };
            overrides.push(Override { knob: knob.name().to_owned(), wanted, shown, suspect });
        }
        (observed, overrides)
    }

    fn suspect(&self) -> Suspect {
        let cooled = !active_cooling(&*self.files).is_empty();
        if cooled { Suspect::Thermal } else { Suspect::Kernel }
    }
}

impl fmt::Debug for HostBoard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostBoard").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Board for HostBoard {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn space(&self) -> &Arc<ModeSpace> {
        &self.space
    }

    fn presets(&self) -> &[Preset] {
        &[]
    }

    fn sensors(&self) -> &[Sensor] {
        self.sensors.described()
    }

    fn total_power(&self) -> &TotalPower {
        self.sensors.total_power()
    }

    fn sense(&mut self) -> Sample {
        self.sensors.read(&*self.files, self.clock.now())
    }

    fn levels(&mut self) -> Levels {
        let clock = self.cpu_clock.iter().map(|clock| clock.shown(&*self.files));
        [Ok(self.cores.shown())].into_iter().chain(clock).collect()
    }

    fn overrides(&mut self, applied: &[f64]) -> Vec<Override> {
        let (_, mut overrides) = self.compare(applied);
        overrides.retain(|over| over.shown.is_ok());
        overrides
    }

    fn set(&mut self, mode: ModeId) -> Result<ModeChange, SetError> {
        if mode.index() >= self.space.len() {
            return Err(SetError::Unknown { index: mode.index(), count: self.space.len() });
        }
        self.apply(mode)?;
        let applied: Vec<f64> = self.space.levels(mode).collect();
        let (observed, overrides) = self.compare(&applied);
        Ok(ModeChange { requested: mode, applied, observed, overrides })
    }

    fn found_state(&mut self) -> Result<FoundState, SetError> {
        let mut controls = self.cores.found();
        if let Some(clock) = &self.cpu_clock {
            controls.extend(clock.found(&*self.files)?);
        }
        if let Some(quota) = &self.quota {
            controls.push(quota.found(&*self.files)?);
        }
        Ok(FoundState { controls })
    }

    fn restore(&mut self, found: &FoundState) -> Result<(), RestoreError> {
        let mut left = self.cores.restore(&found.controls);
        if let Some(clock) = &self.cpu_clock {
            left.extend(clock.restore(&*self.files, &found.controls));
        }
        if let Some(quota) = &self.quota {
            left.extend(quota.restore(&*self.files, &found.controls));
        }
        if left.is_empty() { Ok(()) } else { Err(RestoreError { left }) }
    }

    fn place(&mut self, process: u32) {
        self.cores.place(process);
    }
}
