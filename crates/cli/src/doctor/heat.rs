//! Heat and what holds the clocks down: thermal zones, cooling devices, the fan, the input.

use std::fmt::Write as _;

use fulcrum_board::Absence;

use super::check::Check;
use super::machine::Machine;

/// What some releases say of a part that is switched off.
const OFF_MILLICELSIUS: f64 = -256_000.0;

/// `thermal.zones`: the temperatures, and the zones that have none.
pub(crate) fn zones(machine: &Machine<'_>) -> Check {
    let id = "thermal.zones";
    let zones = machine.numbered("/sys/class/thermal", "thermal_zone");
    let (mut warm, mut gated, mut broken) = (Vec::new(), Vec::new(), Vec::new());
    for zone in &zones {
        let name = machine.text(zone.join("type")).unwrap_or_else(|_| zone.display().to_string());
        // Read once: a zone that is switched off answers "try again" for ever.
        match machine.number(zone.join("temp")) {
            Ok(OFF_MILLICELSIUS) | Err(Absence::Gated) => gated.push(name),
            Ok(millicelsius) => warm.push((millicelsius / 1e3, name)),
            Err(why) => broken.push(format!("{name} {why}")),
        }
    }
    if zones.is_empty() {
        return Check::skip(id, "no thermal zone");
    }
    let hottest = warm.iter().max_by(|a, b| a.0.total_cmp(&b.0));
    let mut found = format!("{} of {} zones", warm.len(), zones.len());
    if let Some((celsius, name)) = hottest {
        let _ = write!(found, ", hottest {name} at {celsius:.1}C");
    }
    if !gated.is_empty() {
        let _ = write!(found, "; switched off: {}", gated.join(", "));
    }
    if broken.is_empty() {
        return Check::ok(id, found);
    }
    let _ = write!(found, "; no value: {}", broken.join(", "));
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
    let drive = machine.monitors("pwmfan").into_iter().next().map(|chip| chip.join("pwm1"));
    let drive = drive.or_else(|| machine.first_of(&["/sys/devices/pwm-fan/target_pwm"]));
    let Some(drive) = drive else { return Check::skip(id, "no fan that the kernel drives") };
    let speed = machine.monitors("pwm_tach").into_iter().find_map(|chip| {
        ["rpm", "fan1_input"].iter().find_map(|name| machine.number(chip.join(name)).ok())
    });
    let speed = speed.map_or(String::new(), |rpm| format!(", {rpm:.0} rpm"));
    match machine.number(&drive) {
        Ok(pwm) => Check::ok(id, format!("driven at {:.0}%{speed}", pwm / 255.0 * 100.0)),
        Err(why) => Check::warn(id, format!("{}: {why}", drive.display()), "read it as root"),
    }
}

/// `overcurrent`: whether the input cut the clocks since boot, which no clock shows.
pub(crate) fn over_current(machine: &Machine<'_>) -> Check {
    let id = "overcurrent";
    let Some(chip) = machine.monitors("soctherm_oc").into_iter().next() else {
        return Check::skip(id, "no over-current counter");
    };
    let counts = (1..=3).map(|n| {
        let count = machine.number(chip.join(format!("oc{n}_event_cnt")));
        (["under-voltage", "average power", "instantaneous power"][n - 1], count)
    });
    let counts: Vec<_> = counts.collect();
    let said = counts.iter().map(|(what, count)| match count {
        Ok(count) => format!("{what} {count}"),
        Err(why) => format!("{what} {why}"),
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
