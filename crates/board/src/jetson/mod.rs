//! NVIDIA Jetson boards, through the kernel's files.
//!
//! A board is found by probing, never by a table of releases: the device tree says what it is, and
//! each part looks for its own files where the generations have them. `identity` and the modules
//! of the parts (`gpu`, `memory_clock`, `rails`, …, and what every Linux has) find and read;
//! `knobs` makes the mode space of what was found; `plan` says in which order a mode is written, `setting` and
//! `found` write it and put it back, and `overrides` says what the board made of it.
//!
//! Modes are written to the kernel's files directly. Nothing that takes a reboot is ever written.

mod control;
mod fan;
mod found;
mod gpu;
mod hwmon;
mod identity;
mod knobs;
mod memory_clock;
mod nvpmodel;
mod over_current;
mod overrides;
mod plan;
mod presets;
mod rails;
mod setting;
mod shown;
mod total_power;

use std::sync::Arc;

use fulcrum_domain::{ModeId, ModeSpace};

pub use identity::ProbeError;
pub use presets::PresetAfterReboot;

use self::control::{Control, Layout};
use self::knobs::Knobs;
use self::overrides::{Witnesses, overrides};
use self::plan::Texts;
use self::presets::VendorLimits;
use self::shown::Shown;
use crate::board::{
    Board, FoundState, Identity, Levels, ModeChange, Override, RestoreError, SetError,
};
use crate::clock::Clock;
use crate::files::Files;
use crate::linux::cpu::{self, Core, Policy};
use crate::linux::sensor_group::SensorGroup;
use crate::linux::sensors::Sensors;
use crate::linux::{load, memory, thermal};
use crate::profiler::Preset;
use crate::sensor::{Sample, Sensor, TotalPower};

/// An NVIDIA Jetson.
pub struct JetsonBoard {
    files: Arc<dyn Files>,
    clock: Arc<dyn Clock>,
    found: Probed,
    /// What was last written, with the vendor's mode at that time.
    written: Option<Written>,
}

/// What setting a mode wrote.
#[derive(Debug)]
struct Written {
    levels: Vec<f64>,
    texts: Texts,
    vendor_mode: Option<u32>,
}

/// What probing found.
#[derive(Debug)]
struct Probed {
    identity: Identity,
    cores: Vec<Core>,
    layout: Layout,
    knobs: Knobs,
    presets: Vec<Preset>,
    after_reboot: Vec<PresetAfterReboot>,
    vendor: Vec<VendorLimits>,
    sensors: Sensors,
}

impl JetsonBoard {
    /// Looks at what there is below `/proc`, `/sys` and `/etc`.
    ///
    /// # Errors
    /// When it is not a Jetson, or nothing could be set on it.
    pub fn probe(files: Arc<dyn Files>, clock: Arc<dyn Clock>) -> Result<Self, ProbeError> {
        let found = Probed::probe(&*files, &*clock)?;
        Ok(Self { files, clock, found, written: None })
    }

    /// The vendor's power modes that are left out of the presets, because they would cut off
    /// other parts of the GPU than are cut off now, which takes a reboot.
    pub fn presets_after_reboot(&self) -> &[PresetAfterReboot] {
        &self.found.after_reboot
    }

    /// Where the board does not show what was written, and who is likely behind it.
    fn overrides_of(&self, written: &Written, shown: &Shown) -> Vec<Override> {
        let witnesses = Witnesses {
            cooling: thermal::active_cooling(&*self.files),
            vendor_mode_changed: nvpmodel::in_force(&*self.files) != written.vendor_mode,
            vendor: &self.found.vendor,
        };
        overrides(&self.found.knobs, &written.texts, &written.levels, shown, &witnesses)
    }

    /// All controls that modes are made of, as they show now.
    fn shown(&self) -> Shown {
        let cores = self.found.cores.iter().filter(|core| core.switchable);
        let cores = cores.map(|core| Control::Core(core.number));
        let policies = cpu::policies(&*self.files);
        let limits = policies
            .iter()
            .flat_map(|policy| [Control::CpuMin(policy.number), Control::CpuMax(policy.number)]);
        let rest = self.found.layout.controls();
        Shown::read(&*self.files, &self.found.layout, cores.chain(limits).chain(rest))
    }
}

impl std::fmt::Debug for JetsonBoard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("JetsonBoard").field(&self.found.identity).finish()
    }
}

impl Probed {
    fn probe(files: &dyn Files, clock: &dyn Clock) -> Result<Self, ProbeError> {
        let identity = identity::identity(files)?;
        let soc = identity.compatible.iter().find(|name| name.starts_with("tegra"));
        let cores = cpu::cores(files);
        let policies = cpu::policies(files);
        let layout = Layout::find(files);
        let conf = nvpmodel::configuration(files).unwrap_or_default();
        let vendor: Vec<VendorLimits> = conf.modes.iter().map(presets::limits).collect();
        let gpu_caps: Vec<u64> = vendor.iter().filter_map(|limits| limits.gpu.1).collect();
        let gpu = layout.gpu.as_ref().map(|gpu| gpu.levels(files, &gpu_caps)).unwrap_or_default();
        let memory_caps: Vec<u64> = vendor.iter().filter_map(|limits| limits.memory).collect();
        let soc = soc.map(String::as_str).unwrap_or_default();
        let memory = layout.memory.levels(files, soc, &memory_caps);
        let knobs = Knobs::describe(&cores, &policies, &gpu, &memory)?;
        let (presets, after_reboot) = presets::presets(files, &conf, &knobs, &policies);
        let sensors =
            Sensors::new(groups(files, &layout, &cores, &policies), total_power::rule, clock.now());
        Ok(Self { identity, cores, layout, knobs, presets, after_reboot, vendor, sensors })
    }

    /// Whether someone who knows the other description would be surprised by this one.
    fn differs(&self, other: &Self) -> bool {
        self.identity != other.identity
            || self.knobs != other.knobs
            || self.presets != other.presets
            || self.after_reboot != other.after_reboot
            || self.layout != other.layout
            || self.cores != other.cores
            || self.sensors.described() != other.sensors.described()
    }
}

/// Everything that a Jetson tells, part by part. A new kind of sensor is a line here.
fn groups(
    files: &dyn Files,
    layout: &Layout,
    cores: &[Core],
    policies: &[Policy],
) -> Vec<Box<dyn SensorGroup>> {
    let mut groups: Vec<Box<dyn SensorGroup>> = vec![
        Box::new(rails::Rails::find(files)),
        Box::new(thermal::Zones::find(files)),
        Box::new(cpu::CpuClocks::new(cores, policies)),
        Box::new(load::CpuLoad::new(cores)),
    ];
    if let Some(gpu) = &layout.gpu {
        groups.push(Box::new(gpu::GpuSensors::new(gpu)));
    }
    groups.push(Box::new(memory_clock::MemoryRate::new(files, &layout.memory)));
    groups.push(Box::new(fan::Fan::find(files)));
    groups.push(Box::new(over_current::OverCurrent::find(files)));
    groups.push(Box::new(memory::Memory));
    groups
}

impl Board for JetsonBoard {
    fn identity(&self) -> &Identity {
        &self.found.identity
    }

    fn space(&self) -> &Arc<ModeSpace> {
        self.found.knobs.space()
    }

    fn presets(&self) -> &[Preset] {
        &self.found.presets
    }

    fn sensors(&self) -> &[Sensor] {
        self.found.sensors.described()
    }

    fn total_power(&self) -> &TotalPower {
        self.found.sensors.total_power()
    }

    fn probe_again(&mut self) -> bool {
        let Ok(found) = Probed::probe(&*self.files, &*self.clock) else { return false };
        let differs = found.differs(&self.found);
        if differs {
            self.found = found;
        }
        differs
    }

    fn sense(&mut self) -> Sample {
        let now = self.clock.now();
        self.found.sensors.read(&*self.files, now)
    }

    fn levels(&mut self) -> Levels {
        self.found.layout.follow(&*self.files);
        self.found.knobs.levels(&self.shown())
    }

    fn overrides(&mut self, applied: &[f64]) -> Vec<Override> {
        let Some(written) = self.written.as_ref().filter(|written| written.levels == applied)
        else {
            return Vec::new();
        };
        let mut overrides = self.overrides_of(written, &self.shown());
        overrides.retain(|found| found.shown.is_ok());
        overrides
    }

    fn set(&mut self, mode: ModeId) -> Result<ModeChange, SetError> {
        let space = self.space().clone();
        if mode.index() >= space.len() {
            return Err(SetError::Unknown { index: mode.index(), count: space.len() });
        }
        self.found.layout.follow(&*self.files);
        let vendor_mode = nvpmodel::in_force(&*self.files);
        let Probed { layout, knobs, .. } = &self.found;
        let texts = setting::set(&*self.files, layout, knobs, mode)?;
        let applied: Vec<f64> = space.levels(mode).collect();
        let written = Written { levels: applied.clone(), texts, vendor_mode };
        let shown = self.shown();
        let overrides = self.overrides_of(&written, &shown);
        let observed = self.found.knobs.levels(&shown);
        self.written = Some(written);
        Ok(ModeChange { requested: mode, applied, observed, overrides })
    }

    fn found_state(&mut self) -> Result<FoundState, SetError> {
        self.found.layout.follow(&*self.files);
        let Probed { layout, knobs, cores, .. } = &self.found;
        found::found_state(&*self.files, layout, knobs, cores)
    }

    fn restore(&mut self, state: &FoundState) -> Result<(), RestoreError> {
        self.found.layout.follow(&*self.files);
        self.written = None;
        found::restore(&*self.files, &self.found.layout, state)
    }
}
