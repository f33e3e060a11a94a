//! NVIDIA's own power modes: their configuration, and those that take a reboot.

use super::check::Check;
use super::machine::Machine;

const CONFIGURATION: &str = "/etc/nvpmodel.conf";
const STATUS: &str = "/var/lib/nvpmodel/status";

/// `nvpmodel.config`: whether the vendor's modes are known by name, and which is in force.
pub(crate) fn configuration(machine: &Machine<'_>) -> Check {
    let id = "nvpmodel.config";
    let Ok(board) = machine.described() else { return Check::skip(id, "see board.kind") };
    if !machine.is_jetson() {
        return Check::skip(id, "no vendor's power modes: this is no Jetson");
    }
    let advice = "without it the vendor's power modes are unknown by name; the boot script links \
                  the file of this module there";
    let modes = board.presets.len() + board.after_reboot.len();
    match (machine.text(CONFIGURATION), modes) {
        (Err(why), _) => Check::warn(id, format!("{CONFIGURATION}: {why}"), advice),
        (Ok(_), 0) => Check::warn(id, format!("{CONFIGURATION}: no power mode in it"), advice),
        (Ok(_), modes) => {
            let status = machine.text(STATUS).unwrap_or_else(|why| why.as_str().into());
            Check::ok(id, format!("{CONFIGURATION}: {modes} power modes; {STATUS}: {status}"))
        }
    }
}

/// `nvpmodel.reboot-modes`: the modes that the agent never sets.
pub(crate) fn reboot_modes(machine: &Machine<'_>) -> Check {
    let id = "nvpmodel.reboot-modes";
    let Ok(board) = machine.described() else { return Check::skip(id, "see board.kind") };
    if board.presets.is_empty() && board.after_reboot.is_empty() {
        return Check::skip(id, "no vendor's power modes");
    }
    if board.after_reboot.is_empty() {
        return Check::ok(id, "none: every mode can be set while the board runs");
    }
    let modes = board.after_reboot.iter().map(|preset| format!("{} ({})", preset.name, preset.why));
    let modes = modes.collect::<Vec<_>>().join(", ");
    Check::ok(id, format!("never set from here: {modes}"))
}
