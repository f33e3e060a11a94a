//! The state that was found, and putting it back.

use std::collections::BTreeMap;

use super::control::{Control, Layout};
use super::knobs::Knobs;
use super::plan::{Texts, Write, set_clocks, switch_cores};
use super::setting::{clusters, perform, readable};
use super::shown::Shown;
use crate::board::{FoundState, RestoreError, SetError};
use crate::files::Files;
use crate::linux::cpu::Core;
use crate::linux::kernel_text::{text, unreadable};
use crate::sensor::Absence;

/// Reads everything that setting a mode may change. Whatever cannot be read stops it: it could not
/// be put back.
pub(super) fn found_state(
    files: &dyn Files,
    layout: &Layout,
    knobs: &Knobs,
    cores: &[Core],
) -> Result<FoundState, SetError> {
    let cores = if knobs.turn_cpu() { cores } else { &[] };
    let switches = cores.iter().filter(|core| core.switchable);
    let switches: Vec<Control> = switches.map(|core| Control::Core(core.number)).collect();
    let shown = Shown::read(files, layout, switches.iter().copied());
    let is_on =
        |core: &&Core| !core.switchable || shown.number(Control::Core(core.number)) != Ok(0);
    let is_on = cores.iter().filter(is_on).map(|core| core.number);
    let policies = if knobs.turn_cpu() { clusters(files, is_on)? } else { Vec::new() };
    let of_policy = policies.iter().flat_map(|policy| {
        [Control::Governor, Control::CpuMin, Control::CpuMax].map(|of| of(policy.number))
    });
    let controls = switches.into_iter().chain(of_policy).chain(layout.controls());
    let controls: Vec<Control> = controls.collect();
    let shown = Shown::read(files, layout, controls.iter().copied());
    let mut found = FoundState::default();
    for control in controls {
        let text = readable(layout, control, checked(files, layout, control, &shown))?;
        found.controls.push((control.to_string(), text));
    }
    Ok(found)
}

/// The text of a control, if it can be what the control shows: what is damaged is not put back.
fn checked(
    files: &dyn Files,
    layout: &Layout,
    control: Control,
    shown: &Shown,
) -> Result<String, Absence> {
    let word = shown.text(control)?;
    let right = match control {
        Control::Governor(_) => {
            let all =
                layout.path(control).map(|path| path.with_file_name("scaling_available_governors"));
            let all = all.map_or(Ok(String::new()), |path| text(files, &path))?;
            all.split_whitespace().any(|governor| governor == word)
        }
        Control::GpuPower => word == "on" || word == "auto",
        _ => word.parse::<i64>().is_ok(),
    };
    if right { Ok(word.to_owned()) } else { Err(unreadable(word)) }
}

/// Puts a found state back: attempts everything, then says what does not show it.
pub(super) fn restore(
    files: &dyn Files,
    layout: &Layout,
    found: &FoundState,
) -> Result<(), RestoreError> {
    let mut left = Vec::new();
    let mut wanted = Texts::new();
    for (name, text) in &found.controls {
        match name.parse::<Control>() {
            Ok(control) => drop(wanted.insert(control, text.clone())),
            Err(_) => left.push(format!("`{name}` is no control of a Jetson")),
        }
    }
    let mut refused = BTreeMap::new();
    let mut attempt = |writes: Vec<Write>| {
        for write in writes {
            if let Err(error) = perform(files, layout, &write) {
                refused.insert(write.control, error);
            }
        }
    };
    let shown = Shown::read(files, layout, wanted.keys().copied());
    attempt(switch_cores(&wanted, &shown.texts()));
    // Clusters may have come back, with other limits than before.
    let shown = Shown::read(files, layout, wanted.keys().copied());
    attempt(set_clocks(&wanted, &shown.texts()));
    let shown = Shown::read(files, layout, wanted.keys().copied());
    let locked = wanted.get(&Control::MemoryLock).is_none_or(|lock| lock != "0");
    // Without a lock the firmware chooses the rate.
    let stays = |control: Control| control != Control::MemoryRate || locked;
    for (control, text) in wanted.iter().filter(|(control, _)| stays(**control)) {
        if !shown.shows(*control, text) {
            let shows = match (refused.get(control), shown.text(*control)) {
                (Some(error), _) => error.to_string(),
                (None, Ok(shown)) => format!("it shows {shown}"),
                (None, Err(why)) => format!("it is {why}"),
            };
            left.push(format!("{control} should show {text}: {shows}"));
        }
    }
    if left.is_empty() { Ok(()) } else { Err(RestoreError { left }) }
}
