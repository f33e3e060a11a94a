//! What a Jetson is, from its device tree and its release file.

use std::path::Path;

use crate::board::Identity;
use crate::files::Files;
use crate::linux::kernel_text::{text, trimmed};

/// Why a board is not probed as a Jetson.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProbeError {
    /// The device tree does not name a Tegra.
    #[error("not a Jetson: /proc/device-tree/compatible {found}, and should name nvidia,tegra…")]
    NotAJetson {
        /// What the device tree says instead.
        found: String,
    },
    /// There is nothing that a mode could set.
    #[error("nothing to set: neither processors nor clocks are in /sys/devices/system/cpu")]
    NothingToSet,
    /// The knobs make no mode space.
    #[error("the knobs of this board make no mode space: {0}")]
    Space(#[from] fulcrum_domain::ModeSpaceError),
    /// A knob's levels are not right.
    #[error("a knob of this board is not right: {0}")]
    Knob(#[from] fulcrum_domain::KnobError),
}

pub(super) fn identity(files: &dyn Files) -> Result<Identity, ProbeError> {
    let path = Path::new("/proc/device-tree/compatible");
    let found = text(files, path)
        .map_err(|why| ProbeError::NotAJetson { found: format!("is {}", why.as_str()) })?;
    let names: Vec<&str> = found.split('\0').collect();
    if !names.iter().any(|name| name.starts_with("nvidia,tegra")) {
        let found = format!("says `{}`", names.join(", "));
        return Err(ProbeError::NotAJetson { found });
    }
    let model = text(files, Path::new("/proc/device-tree/model"));
    Ok(Identity {
        kind: "jetson",
        model: model.unwrap_or_else(|_| "NVIDIA Jetson".into()),
        compatible: modules(&names),
        software: software(files),
    })
}

/// `nvidia,p3737-0000+p3701-0005` is a carrier with a module; equal modules are equal boards.
fn modules(names: &[&str]) -> Vec<String> {
    let mut modules: Vec<String> = Vec::new();
    for name in names {
        let name = name.strip_prefix("nvidia,").unwrap_or(name);
        let module = name.rsplit('+').next().unwrap_or(name);
        if !module.is_empty() && !modules.iter().any(|known| known == module) {
            modules.push(module.to_owned());
        }
    }
    modules
}

/// The release of NVIDIA's system, or else the kernel's.
fn software(files: &dyn Files) -> String {
    let release = text(files, Path::new("/etc/nv_tegra_release")).ok();
    if let Some(l4t) = release.as_deref().and_then(l4t) {
        return l4t;
    }
    match text(files, Path::new("/proc/sys/kernel/osrelease")) {
        Ok(kernel) => format!("Linux {kernel}"),
        Err(_) => "unknown".into(),
    }
}

/// `# R36 (release), REVISION: 4.3, GCID: …`.
fn l4t(text: &str) -> Option<String> {
    let line = text.lines().next()?;
    let major = trimmed(line.strip_prefix('#')?).strip_prefix('R')?.split(' ').next()?;
    let revision = line.split("REVISION:").nth(1)?.split(',').next()?.trim();
    Some(format!("L4T {major}.{revision}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_line_gives_the_l4t_version() {
        let line = "# R38 (release), REVISION: 4.0, GCID: 43443517, BOARD: generic";
        assert_eq!(l4t(line).as_deref(), Some("L4T 38.4.0"));
        assert_eq!(l4t("# nothing of that kind"), None);
    }

    #[test]
    fn the_carrier_is_left_out_of_what_tells_equal_boards() {
        let names = ["nvidia,p3737-0000+p3701-0005", "nvidia,p3701-0005", "nvidia,tegra234"];
        assert_eq!(modules(&names), ["p3701-0005", "tegra234"]);
    }
}
