//! What a board shows instead of what was written, and who is likely behind it.

use super::control::Control;
use super::knobs::{Handle, Knobs};
use super::plan::Texts;
use super::presets::VendorLimits;
use super::shown::Shown;
use crate::board::{Override, Suspect};
use crate::sensor::{Absence, SensorValue};

/// What else was seen when a mode was read back.
#[derive(Debug, Default)]
pub(super) struct Witnesses<'a> {
    /// The cooling devices that hold something down.
    pub(super) cooling: Vec<String>,
    /// Whether the vendor's service noted another mode meanwhile.
    pub(super) vendor_mode_changed: bool,
    /// The limits of the vendor's modes.
    pub(super) vendor: &'a [VendorLimits],
}

/// The knobs that do not show what was written.
pub(super) fn overrides(
    knobs: &Knobs,
    written: &Texts,
    levels: &[f64],
    shown: &Shown,
    witnesses: &Witnesses<'_>,
) -> Vec<Override> {
    let each = knobs.iter().zip(levels);
    each.filter_map(|((handle, knob), &wanted)| {
        let of_handle = |control: &Control| belongs(handle, *control);
        let off = written.iter().filter(|(control, _)| of_handle(control));
        let (&control, _) = { off }.find(|(control, text)| !shown.shows(**control, text))?;
        let top = knob.levels()[usize::from(knob.top())];
        Some(Override {
            knob: knob.name().to_owned(),
            wanted,
            shown: level_of(handle, control, wanted, shown),
            suspect: suspect(handle, control, wanted, top, shown, witnesses),
        })
    })
    .collect()
}

fn belongs(handle: &Handle, control: Control) -> bool {
    match (handle, control) {
        (Handle::Cores(cores), Control::Core(core)) => cores.iter().any(|c| c.number == core),
        (_, Control::CpuMin(policy) | Control::CpuMax(policy)) => handle.turns(policy),
        (Handle::GpuClock, Control::GpuMin | Control::GpuMax) => true,
        (Handle::MemoryClock, control) => is_memory(control),
        _ => false,
    }
}

fn is_memory(control: Control) -> bool {
    use Control::{MemoryCap, MemoryLock, MemoryMax, MemoryMin, MemoryRate, MemoryState};
    matches!(control, MemoryCap | MemoryLock | MemoryMax | MemoryMin | MemoryRate | MemoryState)
}

/// What the control says in the knob's unit.
fn level_of(handle: &Handle, control: Control, wanted: f64, shown: &Shown) -> SensorValue {
    let number = |control| shown.number(control).map(|number| number as f64);
    match (handle, control) {
        (Handle::Cores(cores), _) => cores.iter().try_fold(0.0, |count, core| {
            let on = !core.switchable || shown.number(Control::Core(core.number))? != 0;
            Ok(count + f64::from(u8::from(on)))
        }),
        // A lock that is not held: the rate is the firmware's.
        (_, Control::MemoryLock | Control::MemoryState) => Ok(number(Control::MemoryRate)? / 1e3),
        (Handle::CpuClock(_), control) => number(control),
        (_, control) => match number(control)? / 1e3 {
            // No cap at all is no level; it is above the one that was wanted.
            khz if control == Control::MemoryCap && khz <= 0.0 && wanted > 0.0 => {
                Err(Absence::Unreadable("no cap".into()))
            }
            khz => Ok(khz),
        },
    }
}

/// Who is likely behind it, the surest sign first.
fn suspect(
    handle: &Handle,
    control: Control,
    wanted: f64,
    top: f64,
    shown: &Shown,
    witnesses: &Witnesses<'_>,
) -> Suspect {
    if shown.text(control).is_err() {
        return Suspect::Unknown;
    }
    if witnesses.vendor_mode_changed {
        return Suspect::VendorMode;
    }
    match control {
        Control::Core(_) => return Suspect::Kernel,
        Control::MemoryRate => return Suspect::Firmware,
        Control::MemoryCap => {
            let is = shown.number(control).ok().and_then(|hertz| u64::try_from(hertz).ok());
            let vendor = witnesses
                .vendor
                .iter()
                .any(|limits| limits.memory.is_some() && limits.memory == is);
            return if vendor { Suspect::VendorMode } else { Suspect::Firmware };
        }
        Control::MemoryLock | Control::MemoryState => return Suspect::ClockLock,
        _ => {}
    }
    let unit = if matches!(handle, Handle::CpuClock(_)) { 1.0 } else { 1e3 };
    let Some((low, high)) = limits_of(control, shown) else { return Suspect::Unknown };
    let wanted = (wanted * unit) as u64;
    let top = (top * unit) as u64;
    if low < high {
        // A mode pins both limits; whoever wrote one of the vendor's ranges ran its service.
        return if is_vendors(handle, low, high, top, witnesses.vendor) {
            Suspect::VendorMode
        } else {
            Suspect::ClockLock
        };
    }
    let held = witnesses.cooling.iter().any(|device| cools(handle, device));
    if high < wanted && held {
        Suspect::Thermal
    } else if high == top && wanted < top {
        // Pinned at the top, as `jetson_clocks` does.
        Suspect::ClockLock
    } else {
        Suspect::Kernel
    }
}

fn limits_of(control: Control, shown: &Shown) -> Option<(u64, u64)> {
    let (min, max) = match control {
        Control::CpuMin(policy) | Control::CpuMax(policy) => {
            (Control::CpuMin(policy), Control::CpuMax(policy))
        }
        Control::GpuMin | Control::GpuMax => (Control::GpuMin, Control::GpuMax),
        _ => (Control::MemoryMin, Control::MemoryMax),
    };
    let number = |control| u64::try_from(shown.number(control).ok()?).ok();
    Some((number(min)?, number(max)?))
}

/// Whether a range is one of the vendor's modes'. A lower limit of zero shows as the lowest clock.
fn is_vendors(handle: &Handle, low: u64, high: u64, top: u64, vendor: &[VendorLimits]) -> bool {
    let same = |(min, max): (Option<u64>, Option<u64>)| {
        max.unwrap_or(top) == high && min.is_none_or(|min| min == low)
    };
    vendor.iter().any(|limits| match handle {
        Handle::CpuClock(_) => limits.cpu.values().any(|range| same(*range)),
        Handle::GpuClock => same(limits.gpu),
        _ => false,
    })
}

fn cools(handle: &Handle, device: &str) -> bool {
    let device = device.to_lowercase();
    let names: &[&str] = match handle {
        Handle::Cores(_) => &[],
        Handle::CpuClock(_) => &["cpu"],
        Handle::GpuClock => &["gpu", "ga10b", "gv11b", "gp10b"],
        Handle::MemoryClock => &["emc"],
    };
    names.iter().any(|name| device.contains(name))
}
