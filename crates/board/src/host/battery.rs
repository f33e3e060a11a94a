//! The gauges of batteries: what the whole machine draws while nothing else feeds it.

use std::path::{Path, PathBuf};

use crate::files::Files;
use crate::linux::kernel_text::{number, text};
use crate::linux::sensor_group::SensorGroup;
use crate::sensor::{Absence, Quantity, Sensor, SensorValue};

const FOLDER: &str = "/sys/class/power_supply";

/// The batteries that the machine runs on.
#[derive(Debug)]
pub(super) struct Batteries {
    batteries: Vec<(String, PathBuf)>,
}

impl Batteries {
    /// Those of a mouse or a headset are of scope `Device`, and are not the machine's.
    pub(super) fn find(files: &dyn Files) -> Self {
        let says = |folder: &Path, name: &str, word: &str| {
            text(files, &folder.join(name)).is_ok_and(|text| text == word)
        };
        let names = files.list(Path::new(FOLDER)).unwrap_or_default();
        let all = names.into_iter().map(|name| (name.clone(), Path::new(FOLDER).join(name)));
        let own = all.filter(|(_, folder)| {
            says(folder, "type", "Battery") && !says(folder, "scope", "Device")
        });
        Self { batteries: own.collect() }
    }
}

impl SensorGroup for Batteries {
    fn sensors(&self) -> Vec<Sensor> {
        let sensor = |(name, _): &(String, PathBuf)| Sensor {
            part: name.clone(),
            quantity: Quantity::Power,
            refresh: None,
        };
        self.batteries.iter().map(sensor).collect()
    }

    fn read(&mut self, files: &dyn Files, values: &mut Vec<SensorValue>) {
        values.extend(self.batteries.iter().map(|(_, folder)| watts(files, folder)));
    }
}

/// What a battery gives; while it does not, it says nothing of what the machine draws.
fn watts(files: &dyn Files, folder: &Path) -> SensorValue {
    if text(files, &folder.join("status"))? != "Discharging" {
        return Err(Absence::Missing);
    }
    // Some gauges count what leaves the battery below zero. All are in millionths.
    let micro = |name: &str| number(files, &folder.join(name)).map(f64::abs);
    match micro("power_now") {
        Ok(microwatts) => Ok(microwatts * 1e-6),
        Err(Absence::Missing) => Ok(micro("voltage_now")? * 1e-6 * micro("current_now")? * 1e-6),
        Err(why) => Err(why),
    }
}
