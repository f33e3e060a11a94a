//! Thermal zones and cooling devices.

use super::{Builder, READ};
use crate::devices::thermal::{WhenGated, Zone, ZonePart};
use crate::devices::{Part, Role};

/// What a release calls its zones, and how those of switched-off parts answer.
pub(crate) struct ZoneNames {
    /// Name, millidegrees Celsius, part; by number.
    pub(crate) zones: &'static [(&'static str, i64, ZonePart)],
    pub(crate) when_gated: WhenGated,
    /// Where the kernel slows down and where it shuts down, in millidegrees.
    pub(crate) passive: i64,
    pub(crate) critical: i64,
}

impl Builder {
    pub(crate) fn thermal_zones(&mut self, names: &ZoneNames) {
        for (number, &(name, millicelsius, part)) in names.zones.iter().enumerate() {
            let folder = format!("/sys/devices/virtual/thermal/thermal_zone{number}");
            self.link(
                format!("/sys/class/thermal/thermal_zone{number}"),
                folder.clone(),
                Part::Board,
            );
            let zone = Zone { name, millicelsius, part, when_gated: names.when_gated };
            let role = Role::Zone(self.devices.zones.len());
            self.devices.zones.push(zone);
            self.node(format!("{folder}/temp"), role, READ, Part::Board);
            self.line(format!("{folder}/type"), name);
            self.line(format!("{folder}/policy"), "step_wise");
            self.control(format!("{folder}/mode"), "enabled", Part::Board);
            let trips = [("passive", names.passive), ("critical", names.critical)];
            for (trip, (kind, temperature)) in trips.into_iter().enumerate() {
                let at = format!("{folder}/trip_point_{trip}");
                self.line(format!("{at}_type"), kind);
                self.line(format!("{at}_temp"), &temperature.to_string());
                self.line(format!("{at}_hyst"), "0");
            }
        }
    }

    /// Cooling devices by number: type, state and highest state.
    pub(crate) fn cooling_devices(&mut self, devices: &[(&str, u32, u32)]) {
        for (number, (kind, state, highest)) in devices.iter().enumerate() {
            let folder = format!("/sys/devices/virtual/thermal/cooling_device{number}");
            let link = format!("/sys/class/thermal/cooling_device{number}");
            self.link(link, folder.clone(), Part::Board);
            self.line(format!("{folder}/type"), kind);
            self.control(format!("{folder}/cur_state"), &state.to_string(), Part::Board);
            self.line(format!("{folder}/max_state"), &highest.to_string());
        }
    }
}
