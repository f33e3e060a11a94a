//! Power: what is measured, and what it adds up to.

use std::path::{Path, PathBuf};

use fulcrum_board::Absence;

use super::check::Check;
use super::machine::Machine;

/// A rail that was found, with what it draws in watts.
pub(crate) struct Rail {
    pub(crate) name: String,
    pub(crate) watts: Result<f64, Absence>,
}

/// Rails that are a board's whole input.
const INPUTS: [&str; 3] = ["VIN", "VDD_IN", "POM_5V_IN"];

/// The rails of all power monitors of a Jetson.
pub(crate) fn rails(machine: &Machine<'_>) -> Vec<Rail> {
    let volts_and_amperes = machine.monitors("ina3221").into_iter().flat_map(|chip| {
        (1..=3).filter_map(move |channel| of_volts_and_amperes(machine, &chip, channel))
    });
    let with_watts = machine.monitors("ina238").into_iter().filter_map(|chip| {
        let name = machine.text(chip.join("power1_label")).or(machine.text(chip.join("in1_label")));
        let watts = machine.number(chip.join("power1_input")).map(|microwatts| microwatts / 1e6);
        name.ok().map(|name| Rail { name, watts })
    });
    volts_and_amperes.chain(with_watts).chain(of_old_driver(machine)).collect()
}

fn of_volts_and_amperes(machine: &Machine<'_>, chip: &Path, channel: u32) -> Option<Rail> {
    let name = machine.text(chip.join(format!("in{channel}_label"))).ok()?;
    // Channels that lead nowhere are labelled `NC`.
    if name == "NC" || name.is_empty() {
        return None;
    }
    let millivolts = machine.number(chip.join(format!("in{channel}_input")));
    let milliamperes = machine.number(chip.join(format!("curr{channel}_input")));
    let watts = millivolts.and_then(|mv| milliamperes.map(|ma| mv * ma / 1e6));
    Some(Rail { name, watts })
}

/// `ina3221x` of kernel 4.9, below `/sys/bus/i2c/drivers/ina3221x/<address>/iio:device<n>`.
fn of_old_driver(machine: &Machine<'_>) -> Vec<Rail> {
    let chips = machine.entries("/sys/bus/i2c/drivers/ina3221x");
    let devices = chips.iter().flat_map(|chip| machine.numbered(chip, "iio:device"));
    let channels = devices.flat_map(|device| (0..3).map(move |channel| (device.clone(), channel)));
    let rail = |(device, channel): (PathBuf, u32)| {
        let name = machine.text(device.join(format!("rail_name_{channel}"))).ok()?;
        let watts = machine.number(device.join(format!("in_power{channel}_input")));
        (name != "NC").then(|| Rail { name, watts: watts.map(|milliwatts| milliwatts / 1e3) })
    };
    channels.filter_map(rail).collect()
}

/// `power.rails`: the rails, each with what it draws now.
pub(crate) fn rails_found(machine: &Machine<'_>) -> Check {
    let id = "power.rails";
    if !machine.is_jetson() {
        return host_meters(machine, id);
    }
    let rails = rails(machine);
    if rails.is_empty() {
        let advice = "load the ina3221 driver; without it no profile has a power";
        return Check::fail(id, "no power monitor: no ina3221, ina3221x or ina238", advice);
    }
    let said = |rail: &Rail| match &rail.watts {
        Ok(watts) => format!("{} {watts:.2}W", rail.name),
        Err(why) => format!("{} {why}", rail.name),
    };
    let found = rails.iter().map(said).collect::<Vec<_>>().join(", ");
    if rails.iter().any(|rail| rail.watts == Err(Absence::Denied)) {
        return Check::warn(id, found, "run the agent as root, so that it may read every rail");
    }
    Check::ok(id, found)
}

/// `power.total`: which rails make the board's total power.
pub(crate) fn total(machine: &Machine<'_>) -> Check {
    let id = "power.total";
    if !machine.is_jetson() {
        return Check::skip(id, "no rails to add up: this is no Jetson");
    }
    let rails = rails(machine);
    let input = rails.iter().find(|rail| INPUTS.contains(&rail.name.as_str()));
    let (parts, note): (Vec<&Rail>, &str) = match input {
        Some(rail) if rail.name == "VIN" => (vec![rail], "the whole board"),
        Some(rail) => (vec![rail], "the module, without the carrier board"),
        None => (rails.iter().collect(), "no rail is the input; without the carrier board"),
    };
    let names = parts.iter().map(|rail| rail.name.as_str()).collect::<Vec<_>>().join(" + ");
    let sum: Result<f64, &Rail> = parts
        .iter()
        .try_fold(0.0, |sum, rail| rail.watts.as_ref().map(|w| sum + w).map_err(|_| *rail));
    match sum {
        _ if parts.is_empty() => Check::fail(id, "unknown: no rail was found", "see power.rails"),
        Ok(watts) => Check::ok(id, format!("{watts:.2}W = {names}: {note}")),
        Err(rail) => Check::warn(
            id,
            format!("unknown now: {names} lacks {}", rail.name),
            "a sum without one of its rails would be wrong, so there is none",
        ),
    }
}

/// A host's own meters: the processor's energy counter, or a battery's gauge.
fn host_meters(machine: &Machine<'_>, id: &'static str) -> Check {
    let zones = machine.entries("/sys/class/powercap");
    let counter = zones.iter().map(|zone| zone.join("energy_uj")).find(|path| machine.exists(path));
    if let Some(path) = counter {
        return match machine.number(&path) {
            Ok(_) => Check::ok(id, format!("the processor's energy counter, {}", path.display())),
            Err(why) => Check::warn(
                id,
                format!("{}: {why}", path.display()),
                "only root may read it on most kernels: run the agent as root",
            ),
        };
    }
    let supplies = machine.entries("/sys/class/power_supply");
    let gauge = supplies.iter().find(|supply| {
        ["power_now", "current_now"].iter().any(|name| machine.number(supply.join(name)).is_ok())
    });
    match gauge {
        Some(path) => Check::ok(id, format!("a gauge, {}", path.display())),
        None => Check::warn(
            id,
            "this machine does not say what it draws",
            "profiles of it have no power; nothing but hardware that measures it helps",
        ),
    }
}
