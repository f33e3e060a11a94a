//! Setting a mode: the shell around the plan.

use std::collections::BTreeSet;
use std::io;

use fulcrum_domain::ModeId;

use super::control::{Control, Layout};
use super::knobs::{Handle, Knobs};
use super::plan::{Texts, Write, set_clocks, switch_cores};
use super::shown::Shown;
use crate::board::SetError;
use crate::files::Files;
use crate::linux::cpu::{self, Core, Policy};
use crate::sensor::Absence;

/// Writes a mode, and gives what was written, which is everything that it wants but a lock that may
/// not be had. It stops at the first write that fails.
pub(super) fn set(
    files: &dyn Files,
    layout: &Layout,
    knobs: &Knobs,
    mode: ModeId,
) -> Result<Texts, SetError> {
    let mut wanted = knobs.cores_of(mode);
    let cores = Shown::read(files, layout, wanted.keys().copied());
    for &control in wanted.keys() {
        readable(layout, control, cores.number(control))?;
    }
    for write in switch_cores(&wanted, &cores.texts()) {
        perform(files, layout, &write)?;
    }
    let policies = if knobs.turn_cpu() {
        let all = knobs.iter().filter_map(|(handle, _)| match handle {
            Handle::Cores(cores) => Some(cores),
            _ => None,
        });
        let is_on =
            |core: &&Core| wanted.get(&Control::Core(core.number)).is_none_or(|text| text != "0");
        clusters(files, all.flatten().filter(is_on).map(|core| core.number))?
    } else {
        Vec::new()
    };
    let numbers: Vec<u32> = policies.iter().map(|policy| policy.number).collect();
    let mut clocks = knobs.clocks_of(mode, &numbers, layout);
    let shown = Shown::read(files, layout, clocks.keys().copied().chain(layout.controls()));
    let may_do_without = layout.memory.cap.is_some() && shown.number(Control::MemoryLock) == Ok(0);
    let mut may_lock = true;
    for write in set_clocks(&clocks, &shown.texts()) {
        if is_lock(write.control) && !may_lock {
            continue;
        }
        match perform(files, layout, &write) {
            // The cap holds by itself where the lock may not be taken.
            Err(SetError::Denied { .. })
                if write.control == Control::MemoryLock && may_do_without =>
            {
                may_lock = false;
                clocks.retain(|control, _| !is_lock(*control));
            }
            done => done?,
        }
    }
    wanted.append(&mut clocks);
    Ok(wanted)
}

pub(super) fn is_lock(control: Control) -> bool {
    matches!(control, Control::MemoryLock | Control::MemoryState | Control::MemoryRate)
}

/// The clusters that are shown, which every core that is on must be in one of: a cluster's folder
/// comes and goes with its cores.
pub(super) fn clusters(
    files: &dyn Files,
    cores: impl IntoIterator<Item = u32>,
) -> Result<Vec<Policy>, SetError> {
    let policies = cpu::policies(files);
    if policies.is_empty() {
        return Err(SetError::Missing { path: format!("{}/cpufreq", cpu::FOLDER) });
    }
    let with: BTreeSet<u32> = policies.iter().flat_map(|p| p.cores.iter().copied()).collect();
    match cores.into_iter().find(|core| !with.contains(core)) {
        None => Ok(policies),
        Some(core) => Err(SetError::Missing { path: format!("{}/cpu{core}/cpufreq", cpu::FOLDER) }),
    }
}

/// Performs one write, once.
pub(super) fn perform(files: &dyn Files, layout: &Layout, write: &Write) -> Result<(), SetError> {
    let Some(path) = layout.path(write.control) else {
        return Err(SetError::Missing { path: write.control.to_string() });
    };
    files.write(&path, &format!("{}\n", write.text)).map_err(|error| {
        let path = path.display().to_string();
        match error.kind() {
            io::ErrorKind::NotFound => SetError::Missing { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                SetError::Denied { path }
            }
            _ => SetError::Refused { path, value: write.text.clone(), reason: error.to_string() },
        }
    })
}

/// What a control shows, or why it cannot be set: what cannot be read is not written either.
pub(super) fn readable<T>(
    layout: &Layout,
    control: Control,
    shown: Result<T, Absence>,
) -> Result<T, SetError> {
    let path = || {
        let path = layout.path(control);
        path.map_or_else(|| control.to_string(), |path| path.display().to_string())
    };
    shown.map_err(|why| match why {
        Absence::Missing => SetError::Missing { path: path() },
        Absence::Denied => SetError::Denied { path: path() },
        why => SetError::Refused { path: path(), value: "read".into(), reason: why.to_string() },
    })
}
