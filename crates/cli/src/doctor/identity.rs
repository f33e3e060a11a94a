//! What the machine is, and what can be set on it.

use super::check::Check;
use super::machine::Machine;

/// The systems-on-chip whose paths are known.
const KNOWN: [&str; 5] = ["tegra210", "tegra186", "tegra194", "tegra234", "tegra264"];

/// `board.kind`: a Jetson, and which, or any other machine.
pub(crate) fn kind(machine: &Machine<'_>) -> Check {
    let id = "board.kind";
    let identity = match machine.described() {
        Ok(board) => &board.identity,
        Err(why) => return Check::fail(id, why, "the agent cannot serve this board either"),
    };
    let names = identity.compatible.join(", ");
    let found = format!("{}: {} ({names})", identity.kind, identity.model);
    let known = |name: &String| KNOWN.contains(&name.as_str());
    if identity.kind != "jetson" || identity.compatible.iter().any(known) {
        return Check::ok(id, found);
    }
    Check::warn(
        id,
        found,
        "this chip was not seen before: compare every line below with the board's documents",
    )
}

/// `board.software`: the release of NVIDIA's system, or the kernel's.
pub(crate) fn software(machine: &Machine<'_>) -> Check {
    let id = "board.software";
    let Ok(board) = machine.described() else { return Check::skip(id, "see board.kind") };
    let software = &board.identity.software;
    let kernel = machine.text("/proc/sys/kernel/osrelease").ok();
    let kernel = kernel.filter(|kernel| !software.contains(kernel.as_str()));
    let kernel = kernel.map(|kernel| format!(", kernel {kernel}")).unwrap_or_default();
    let found = format!("{software}{kernel}");
    if machine.is_jetson() && !software.starts_with("L4T") {
        return Check::warn(
            id,
            format!("{found}, no /etc/nv_tegra_release"),
            "without NVIDIA's system the vendor's power modes and caps may be missing",
        );
    }
    Check::ok(id, found)
}

/// `board.modes`: the space of power modes that the agent would offer.
pub(crate) fn modes(machine: &Machine<'_>) -> Check {
    let id = "board.modes";
    let board = match machine.described() {
        Ok(board) => board,
        Err(why) => return Check::skip(id, why),
    };
    let knobs = board.space.knobs().iter();
    let knobs = knobs.map(|knob| format!("{} ({})", knob.name(), knob.levels().len()));
    let knobs = knobs.collect::<Vec<_>>().join(" x ");
    let presets = board.presets.iter().map(|preset| preset.name.as_str()).collect::<Vec<_>>();
    let presets = if presets.is_empty() { "no presets".into() } else { presets.join(", ") };
    Check::ok(id, format!("{} power modes: {knobs}; {presets}", board.space.len()))
}
