//! What the machine is.

use super::check::Check;
use super::machine::Machine;

/// The systems-on-chip whose paths are known.
const KNOWN: [&str; 5] = ["tegra210", "tegra186", "tegra194", "tegra234", "tegra264"];

/// `board.kind`: a Jetson, and which, or any other machine.
pub(crate) fn kind(machine: &Machine<'_>) -> Check {
    let id = "board.kind";
    let names = machine.compatible();
    let chip = names
        .iter()
        .find_map(|name| name.strip_prefix("nvidia,").filter(|name| name.starts_with("tegra")));
    let Some(chip) = chip else {
        return Check::ok(id, "a host: its device tree names no NVIDIA Tegra");
    };
    let model = machine.text("/proc/device-tree/model").unwrap_or_else(|_| "a Jetson".into());
    let module = names.first().and_then(|name| name.rsplit(['+', ',']).next()).unwrap_or_default();
    let found = format!("{model}: module {module}, {chip}");
    if KNOWN.contains(&chip) {
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
    let kernel = machine.text("/proc/sys/kernel/osrelease");
    let kernel = kernel.map(|kernel| format!("kernel {kernel}")).ok();
    let release = machine.text("/etc/nv_tegra_release").ok().and_then(|text| release(&text));
    match (release, kernel) {
        (Some(release), Some(kernel)) => Check::ok(id, format!("{release}, {kernel}")),
        (Some(one), None) => Check::ok(id, one),
        (None, Some(kernel)) if machine.is_jetson() => Check::warn(
            id,
            format!("{kernel}, no /etc/nv_tegra_release"),
            "without NVIDIA's system the vendor's power modes and caps may be missing",
        ),
        (None, Some(kernel)) => Check::ok(id, kernel),
        (None, None) => Check::skip(id, "neither a release file nor a kernel's release is here"),
    }
}

/// `# R36 (release), REVISION: 4.3, …` is L4T 36.4.3.
fn release(text: &str) -> Option<String> {
    let rest = text.lines().next()?.trim_start_matches(['#', ' ']).strip_prefix('R')?;
    let (major, rest) = rest.split_once(' ')?;
    let (_, rest) = rest.split_once("REVISION:")?;
    let minor = rest.split(',').next()?.trim();
    Some(format!("L4T {major}.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_from_its_first_line() {
        let line = "# R36 (release), REVISION: 4.3, GCID: 1, BOARD: generic, EABI: aarch64\n# x";
        assert_eq!(release(line).as_deref(), Some("L4T 36.4.3"));
        assert_eq!(release("Debian"), None);
        assert_eq!(release(""), None);
    }
}
