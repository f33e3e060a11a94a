//! What this process may read and write.

use std::path::PathBuf;

use super::check::Check;
use super::clocks::{gpu, memory, policies};
use super::machine::Machine;

/// `files.writable`: whether this process may write the controls that a power mode is made of.
/// It asks for the rights, and writes nothing.
pub(crate) fn controls(machine: &Machine<'_>) -> Check {
    let id = "files.writable";
    let controls = all_controls(machine);
    let count = controls.len();
    let refused: Vec<String> = controls
        .into_iter()
        .filter(|path| !machine.may_write(path))
        .map(|path| path.display().to_string())
        .collect();
    if count == 0 {
        Check::skip(id, "there is nothing to set")
    } else if refused.is_empty() {
        Check::ok(id, format!("all {count} controls of a power mode"))
    } else {
        Check::warn(
            id,
            format!("{} of {count} controls may not be written, as {}", refused.len(), refused[0]),
            "the agent needs this right, by root or CAP_DAC_OVERRIDE; an operator who asks the \
             agent does not",
        )
    }
}

fn all_controls(machine: &Machine<'_>) -> Vec<PathBuf> {
    let mut controls = Vec::new();
    // A host's cores stay on: its workers are kept to some of them.
    if machine.is_jetson() {
        let cores = machine.numbered("/sys/devices/system/cpu", "cpu").into_iter();
        let switches = cores.map(|core| core.join("online"));
        controls.extend(switches.filter(|path| machine.exists(path)));
    }
    for policy in policies(machine) {
        controls.extend(["scaling_min_freq", "scaling_max_freq"].map(|name| policy.join(name)));
    }
    if let Some(gpu) = gpu(machine) {
        controls.extend(["min_freq", "max_freq"].map(|name| gpu.join(name)));
    }
    match memory(machine) {
        Some(limits) if limits.ends_with("bwmgr") => {
            controls.extend(["min_freq", "max_freq"].map(|name| limits.join(name)));
        }
        cap => controls.extend(cap),
    }
    controls
}

/// `debugfs`: whether the memory's real clock and other root-only readings can be reached.
pub(crate) fn debug_files(machine: &Machine<'_>) -> Check {
    let id = "debugfs";
    if !machine.is_jetson() {
        return Check::skip(id, "nothing here needs it: this is no Jetson");
    }
    if memory(machine).is_some_and(|limits| limits.ends_with("bwmgr")) {
        return Check::skip(id, "not needed: the memory's clock has limits of its own here");
    }
    let rate = "/sys/kernel/debug/bpmp/debug/clk/emc/rate";
    if let Ok(hertz) = machine.number(rate) {
        return Check::ok(id, format!("{rate}: {:.0} MHz", hertz / 1e6));
    }
    let lost = "the memory's real clock cannot be read or locked";
    if machine.entries("/sys/kernel/debug").is_empty() {
        return Check::warn(
            id,
            format!("/sys/kernel/debug is empty or closed to this user: {lost}"),
            "run as root; if it is not mounted: mount -t debugfs none /sys/kernel/debug",
        );
    }
    Check::warn(id, format!("{rate} cannot be read: {lost}"), "run as root")
}
