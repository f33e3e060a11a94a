//! The knobs of a Jetson, and what a mode of theirs asks of its controls.

use std::sync::Arc;

use fulcrum_domain::{Knob, KnobError, ModeId, ModeSpace};

use super::control::{Control, Layout};
use super::identity::ProbeError;
use super::plan::Texts;
use super::shown::{Shown, is_no_cap};
use crate::board::Levels;
use crate::linux::cpu::{Core, Policy};
use crate::sensor::{Absence, SensorValue};

/// What a knob turns.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Handle {
    /// How many of these cores are on. Those that cannot be switched off come first.
    Cores(Vec<Core>),
    /// The clock of these clusters; of all that there are, where they are alike.
    CpuClock(Option<Vec<u32>>),
    /// The GPU's clock.
    GpuClock,
    /// The memory's clock.
    MemoryClock,
}

impl Handle {
    /// Whether a cluster's clock is turned by it.
    pub(super) fn turns(&self, policy: u32) -> bool {
        match self {
            Self::CpuClock(of) => of.as_ref().is_none_or(|policies| policies.contains(&policy)),
            _ => false,
        }
    }
}

/// The knobs, with what each turns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Knobs {
    handles: Vec<Handle>,
    space: Arc<ModeSpace>,
}

impl Knobs {
    /// One knob for all cores and one for their clock, where all clusters have the same clocks;
    /// else one for the cores of each cluster and one for each distinct table of clocks.
    pub(super) fn describe(
        cores: &[Core],
        policies: &[Policy],
        gpu_khz: &[f64],
        memory_khz: &[u64],
    ) -> Result<Self, ProbeError> {
        let mut knobs: Vec<(Handle, Knob)> = Vec::new();
        let alike = policies.windows(2).all(|pair| pair[0].khz == pair[1].khz);
        // Cores are not switched where their clusters are not shown: what a cluster forgets while
        // it is off could not be put back.
        if alike && !policies.is_empty() {
            knobs.extend(cores_knob("cpu_cores".into(), cores)?);
            let khz = policies.first().map(|policy| policy.khz.as_slice()).unwrap_or_default();
            knobs.extend(clock_knob("cpu_khz".into(), Handle::CpuClock(None), khz)?);
        } else {
            for policy in policies {
                let own = |core: &&Core| policy.cores.contains(&core.number);
                let cores: Vec<Core> = cores.iter().filter(own).copied().collect();
                let name = format!("cpu_cores_policy{}", policy.number);
                knobs.extend(cores_knob(name, &cores)?);
            }
            for (place, policy) in policies.iter().enumerate() {
                if policies[..place].iter().any(|before| before.khz == policy.khz) {
                    continue;
                }
                let same = policies.iter().filter(|other| other.khz == policy.khz);
                let handle = Handle::CpuClock(Some(same.map(|other| other.number).collect()));
                let name = format!("cpu_policy{}_khz", policy.number);
                knobs.extend(clock_knob(name, handle, &policy.khz)?);
            }
        }
        if !gpu_khz.is_empty() {
            let knob = Knob::new("gpu_khz", gpu_khz.iter().copied())?;
            knobs.push((Handle::GpuClock, knob));
        }
        knobs.extend(clock_knob("mem_khz".into(), Handle::MemoryClock, memory_khz)?);
        if knobs.is_empty() {
            return Err(ProbeError::NothingToSet);
        }
        let (handles, knobs) = knobs.into_iter().unzip();
        Ok(Self { handles, space: Arc::new(ModeSpace::full_grid(knobs)?) })
    }

    pub(super) fn space(&self) -> &Arc<ModeSpace> {
        &self.space
    }

    /// Each knob with what it turns.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Handle, &Knob)> {
        self.handles.iter().zip(self.space.knobs())
    }

    /// Whether any of them turns cores or their clocks.
    pub(super) fn turn_cpu(&self) -> bool {
        let of_cpu = |handle: &Handle| matches!(handle, Handle::Cores(_) | Handle::CpuClock(_));
        self.handles.iter().any(of_cpu)
    }

    /// The cores that a mode wants on and off.
    pub(super) fn cores_of(&self, mode: ModeId) -> Texts {
        let mut texts = Texts::new();
        for (handle, level) in self.handles.iter().zip(self.space.levels(mode)) {
            let Handle::Cores(cores) = handle else { continue };
            for (place, core) in cores.iter().enumerate().filter(|(_, core)| core.switchable) {
                let on = (place as f64) < level;
                texts.insert(Control::Core(core.number), String::from(if on { "1" } else { "0" }));
            }
        }
        texts
    }

    /// What a mode wants of the clocks, given the clusters that are on.
    pub(super) fn clocks_of(&self, mode: ModeId, policies: &[u32], layout: &Layout) -> Texts {
        let mut texts = Texts::new();
        for (handle, level) in self.handles.iter().zip(self.space.levels(mode)) {
            let khz = format!("{level:.0}");
            let hertz = format!("{:.0}", level * 1e3);
            let mut want = |control: Control, text: &str| {
                if layout.path(control).is_some() {
                    texts.insert(control, text.to_owned());
                }
            };
            match handle {
                Handle::Cores(_) => {}
                Handle::CpuClock(_) => {
                    for &policy in policies.iter().filter(|&&policy| handle.turns(policy)) {
                        want(Control::CpuMin(policy), &khz);
                        want(Control::CpuMax(policy), &khz);
                    }
                }
                Handle::GpuClock => {
                    want(Control::GpuMin, &hertz);
                    want(Control::GpuMax, &hertz);
                }
                Handle::MemoryClock => {
                    want(Control::MemoryMin, &hertz);
                    want(Control::MemoryMax, &hertz);
                    want(Control::MemoryCap, &hertz);
                    want(Control::MemoryLock, "1");
                    want(Control::MemoryState, "1");
                    want(Control::MemoryRate, &hertz);
                }
            }
        }
        texts
    }

    /// The level that each knob shows: of a clock that floats between two limits, the upper one.
    pub(super) fn levels(&self, shown: &Shown) -> Levels {
        self.iter().map(|(handle, knob)| level(handle, knob, shown)).collect()
    }
}

fn cores_knob(name: String, cores: &[Core]) -> Result<Option<(Handle, Knob)>, KnobError> {
    if cores.is_empty() {
        return Ok(None);
    }
    let (mut ordered, switchable): (Vec<Core>, Vec<Core>) =
        cores.iter().partition(|core| !core.switchable);
    let least = ordered.len();
    ordered.extend(switchable);
    let levels = (least..=ordered.len()).map(|count| count as f64);
    Ok(Some((Handle::Cores(ordered), Knob::new(name, levels)?)))
}

fn clock_knob(
    name: String,
    handle: Handle,
    khz: &[u64],
) -> Result<Option<(Handle, Knob)>, KnobError> {
    if khz.is_empty() {
        return Ok(None);
    }
    Ok(Some((handle, Knob::new(name, khz.iter().map(|&khz| khz as f64))?)))
}

fn level(handle: &Handle, knob: &Knob, shown: &Shown) -> SensorValue {
    let number = |control| shown.number(control).map(|number| number as f64);
    match handle {
        Handle::Cores(cores) => cores.iter().try_fold(0.0, |count, core| {
            let on = !core.switchable || shown.number(Control::Core(core.number))? != 0;
            Ok(count + f64::from(u8::from(on)))
        }),
        Handle::CpuClock(_) => {
            let policies = shown.policies().filter(|&policy| handle.turns(policy));
            let lowest = policies.map(|policy| number(Control::CpuMax(policy)));
            let lowest = lowest.reduce(|a, b| Ok(f64::min(a?, b?)));
            lowest.unwrap_or(Err(Absence::Gated))
        }
        Handle::GpuClock => Ok(number(Control::GpuMax)? / 1e3),
        Handle::MemoryClock => memory_level(knob, shown),
    }
}

/// The locked rate, or else the cap.
fn memory_level(knob: &Knob, shown: &Shown) -> SensorValue {
    if let Ok(hertz) = shown.number(Control::MemoryMax) {
        return Ok(hertz as f64 / 1e3);
    }
    if shown.number(Control::MemoryLock).is_ok_and(|lock| lock != 0) {
        return Ok(shown.number(Control::MemoryRate)? as f64 / 1e3);
    }
    let top = knob.levels()[usize::from(knob.top())];
    match shown.number(Control::MemoryCap) {
        Ok(hertz) if is_no_cap(hertz) => Ok(top),
        Ok(hertz) => Ok(hertz as f64 / 1e3),
        // There is a lock only, and it is not held.
        Err(Absence::Missing) if shown.number(Control::MemoryLock).is_ok() => Ok(top),
        Err(why) => Err(why),
    }
}
