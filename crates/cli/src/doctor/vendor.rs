//! NVIDIA's own power modes: the configuration, the mode in force, and those that take a reboot.

use std::path::PathBuf;

use super::check::Check;
use super::machine::Machine;

const CONFIGURATION: &str = "/etc/nvpmodel.conf";
const STATUS: &str = "/var/lib/nvpmodel/status";

/// A mode of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
struct VendorMode {
    id: u32,
    name: String,
    /// What only a reboot changes: masks of GPU parts that are fused off, by parameter.
    masks: Vec<(String, String)>,
}

/// `nvpmodel.config`: the configuration, and which of its modes is in force.
pub(crate) fn configuration(machine: &Machine<'_>) -> Check {
    let id = "nvpmodel.config";
    if !machine.is_jetson() {
        return Check::skip(id, "no vendor's power modes: this is no Jetson");
    }
    let path = PathBuf::from(CONFIGURATION);
    let advice = "without it the vendor's power modes are unknown by name; the boot script links \
                  the file of this module there";
    let text = match machine.text(&path) {
        Ok(text) => text,
        Err(why) => return Check::warn(id, format!("{}: {why}", path.display()), advice),
    };
    let modes = modes(&text);
    if modes.is_empty() {
        return Check::warn(id, format!("{}: no POWER_MODEL in it", path.display()), advice);
    }
    let names = modes.iter().map(|mode| format!("{} {}", mode.id, mode.name)).collect::<Vec<_>>();
    let now = match in_force(machine, &modes) {
        Ok(mode) => format!("in force {}", mode.name),
        Err(why) => why,
    };
    Check::ok(id, format!("{}; {now}", names.join(", ")))
}

/// `nvpmodel.reboot-modes`: the modes that the agent never sets.
pub(crate) fn reboot_modes(machine: &Machine<'_>) -> Check {
    let id = "nvpmodel.reboot-modes";
    let text = machine.text(CONFIGURATION).unwrap_or_default();
    let modes = modes(&text);
    if modes.is_empty() {
        return Check::skip(id, "no vendor's power modes");
    }
    let now = match in_force(machine, &modes) {
        Ok(now) => now,
        Err(why) => return Check::warn(id, why, "then nobody can tell which modes take a reboot"),
    };
    let others = modes.iter().filter(|mode| mode.masks != now.masks);
    let others: Vec<&str> = others.map(|mode| mode.name.as_str()).collect();
    if others.is_empty() {
        return Check::ok(id, format!("none: every mode can be reached from {}", now.name));
    }
    let found =
        format!("{} take a reboot from {}; never set from here", others.join(", "), now.name);
    Check::ok(id, found)
}

/// The mode in force, by the vendor's status file: `pmode:0002 fmode:quiet`.
fn in_force<'a>(machine: &Machine<'_>, modes: &'a [VendorMode]) -> Result<&'a VendorMode, String> {
    let text = machine.text(STATUS).map_err(|why| format!("{STATUS}: {why}"))?;
    let id = text.split_whitespace().find_map(|word| word.strip_prefix("pmode:")?.parse().ok());
    let id: u32 = id.ok_or_else(|| format!("{STATUS}: no pmode in it"))?;
    modes.iter().find(|mode| mode.id == id).ok_or_else(|| format!("{STATUS}: no mode has id {id}"))
}

/// The modes of a configuration. Spacing in its headers varies, and ids have gaps.
fn modes(text: &str) -> Vec<VendorMode> {
    let mut modes: Vec<VendorMode> = Vec::new();
    let mut inside = false;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(header) = line.strip_prefix('<') {
            let header = header.trim_end_matches('>').trim();
            inside = header.starts_with("POWER_MODEL");
            let value = |key| header.split_whitespace().find_map(|word| word.strip_prefix(key));
            if let (true, Some(id), Some(name)) = (inside, value("ID="), value("NAME="))
                && let Ok(id) = id.parse()
            {
                modes.push(VendorMode { id, name: name.to_owned(), masks: Vec::new() });
            }
        } else if inside && let Some(mode) = modes.last_mut() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if let [parameter, argument, value] = words[..]
                && (argument.contains("PG_MASK") || parameter == "GPU_POWER_GATING")
            {
                mode.masks.push((format!("{parameter} {argument}"), value.to_owned()));
            }
        }
    }
    modes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_read_whatever_their_spacing_and_their_gaps() {
        let text = "# a comment\n<PARAM TYPE=CLOCK NAME=EMC >\nMAX_FREQ /x\n\
                    < POWER_MODEL ID=0 NAME=MAXN >\nCPU_ONLINE CORE_0 1\nTPC_POWER_GATING TPC_PG_MASK 0\n\
                    <POWER_MODEL ID=7 NAME=MODE_15W >\nTPC_POWER_GATING TPC_PG_MASK 248\n\
                    < PM_CONFIG DEFAULT=7 >\n";
        let modes = modes(text);
        let names: Vec<_> = modes.iter().map(|mode| (mode.id, mode.name.as_str())).collect();
        assert_eq!(names, [(0, "MAXN"), (7, "MODE_15W")]);
        assert_ne!(modes[0].masks, modes[1].masks);
    }
}
