//! Heat and what holds the clocks down: temperatures, cooling devices, the fan, the input.

use std::fmt::Write as _;

use fulcrum_board::{Absence, Quantity};

use super::check::Check;
use super::machine::Machine;
use crate::output::readings::reading;

/// A zone of older boards that always says 100 degrees.
const BOGUS: &str = "PMIC-Die";

/// `thermal.zones`: the temperatures, and the zones that have none.
pub(crate) fn zones(machine: &Machine<'_>) -> Check {
    let id = "thermal.zones";
    let Ok(board) = machine.described() else { return Check::skip(id, "see board.kind") };
    let zones: Vec<_> = board.readings(Quantity::Temperature).collect();
    if zones.is_empty() {
        return Check::skip(id, "no thermal zone");
    }
    let warm = zones.iter().filter_map(|(zone, value)| Some((value.as_ref().ok()?, &zone.part)));
    let warm: Vec<_> = warm.collect();
    let hottest = warm.iter().filter(|(_, part)| *part != BOGUS);
    let hottest = hottest.max_by(|a, b| a.0.total_cmp(b.0));
    let mut found = format!("{} of {} zones", warm.len(), zones.len());
    if let Some((celsius, part)) = hottest {
        let _ = write!(found, ", hottest {part} at {celsius:.1}C");
    }
    let absent = |gated: bool| {
        let absent = zones.iter().filter_map(|(zone, value)| Some((zone, value.as_ref().err()?)));
        let absent = absent.filter(|(_, why)| (**why == Absence::Gated) == gated);
        absent.map(|(zone, why)| format!("{} {}", zone.part, why.as_str())).collect::<Vec<_>>()
    };
    let (gated, broken) = (absent(true), absent(false));
    if !gated.is_empty() {
        let _ = write!(found, "; {}", gated.join(", "));
    }
    if broken.is_empty() {
        return Check::ok(id, found);
    }
    let _ = write!(found, "; {}", broken.join(", "));
    Check::warn(id, found, "the thermal guard sees only zones with a value")
}

/// `thermal.throttling`: whether something is held down now.
pub(crate) fn throttling(machine: &Machine<'_>) -> Check {
    let id = "thermal.throttling";
    let devices = machine.numbered("/sys/class/thermal", "cooling_device");
    if devices.is_empty() {
        return Check::skip(id, "no cooling device");
    }
    let active = devices.iter().filter_map(|device| {
        let kind = machine.text(device.join("type")).ok()?;
        let state = machine.number(device.join("cur_state")).ok()?;
        // A fan that turns is no throttling.
        (state > 0.0 && !kind.contains("fan")).then(|| format!("{kind} at {state}"))
    });
    let active: Vec<String> = active.collect();
    if active.is_empty() {
        return Check::ok(id, format!("none of {} cooling devices is active", devices.len()));
    }
    Check::warn(
        id,
        active.join(", "),
        "the board holds its clocks down: let it cool, or see to its fan and heat sink, before \
         anything is measured",
    )
}

/// `fan`: how hard it is driven and how fast it turns.
pub(crate) fn fan(machine: &Machine<'_>) -> Check {
    let id = "fan";
    let Ok(board) = machine.described() else { return Check::skip(id, "see board.kind") };
    let quantities = [Quantity::FanDrive, Quantity::FanSpeed];
    let readings = quantities.iter().flat_map(|&quantity| board.readings(quantity));
    let said: Vec<String> = readings
        .map(|(sensor, value)| format!("{} {}", sensor.part, reading(sensor.quantity, value)))
        .collect();
    if said.is_empty() {
        return Check::skip(id, "no fan that the kernel drives");
    }
    Check::ok(id, said.join(", "))
}

/// `overcurrent`: whether the input cut the clocks since boot, which no clock shows.
pub(crate) fn over_current(machine: &Machine<'_>) -> Check {
    let id = "overcurrent";
    let Ok(board) = machine.described() else { return Check::skip(id, "see board.kind") };
    let counts: Vec<_> = board.readings(Quantity::Count).collect();
    if counts.is_empty() {
        return Check::skip(id, "no over-current counter");
    }
    let said = counts.iter().map(|(sensor, count)| {
        let meaning = match sensor.part.as_str() {
            "oc1" => "under-voltage",
            "oc2" => "average power",
            "oc3" => "instantaneous power",
            other => other,
        };
        format!("{meaning} {}", reading(Quantity::Count, count))
    });
    let found = format!("events since boot: {}", said.collect::<Vec<_>>().join(", "));
    if counts.iter().any(|(_, count)| count.as_ref().is_ok_and(|&count| count > 0.0)) {
        return Check::warn(
            id,
            found,
            "each event halves the clocks for about a millisecond: see to the supply, or set a \
             smaller power mode",
        );
    }
    Check::ok(id, found)
}
