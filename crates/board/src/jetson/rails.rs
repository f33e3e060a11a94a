//! Power rails: what flows where, by the chips that measure it.
//!
//! Three kinds of chip: the INA3221 with its new driver (hwmon, volts and amperes), the same with
//! its old one (IIO, watts too), and the INA238 (hwmon, watts too).

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::hwmon::{chips, chips_on_bus};
use crate::files::Files;
use crate::linux::kernel_text::{number, numbered, text};
use crate::linux::sensor_group::SensorGroup;
use crate::sensor::{Absence, Quantity, Sensor, SensorValue};

/// One rail.
#[derive(Debug, Clone, PartialEq)]
struct Rail {
    name: String,
    millivolts: PathBuf,
    milliamperes: PathBuf,
    /// Where the chip works out the power itself, with how many of its units are a watt.
    power: Option<(PathBuf, f64)>,
    refresh: Option<Duration>,
}

/// All rails.
#[derive(Debug)]
pub(super) struct Rails {
    /// Each with whether it was found when it was last looked for: its old paths may lead to
    /// another's values.
    rails: Vec<(Rail, bool)>,
}

impl Rails {
    pub(super) fn find(files: &dyn Files) -> Self {
        Self { rails: Self::all(files).into_iter().map(|rail| (rail, true)).collect() }
    }

    fn all(files: &dyn Files) -> Vec<Rail> {
        let mut rails = ina3221(files);
        rails.extend(ina3221x(files));
        rails.extend(ina238(files));
        // Two of the same name stay apart, so that each is found again as itself.
        for place in 1..rails.len() {
            let same = rails[..place].iter().filter(|rail| rail.name == rails[place].name).count();
            if same > 0 {
                rails[place].name = format!("{}#{}", rails[place].name, same + 1);
            }
        }
        rails
    }
}

/// Whether a channel measures something of its own: unused ones are labelled NC, and the seventh
/// voltage of an INA3221 is a sum of others.
fn is_rail(label: &str) -> bool {
    !label.is_empty() && label != "NC" && label != "sum of shunt voltages"
}

/// A chip gives a new value after converting and averaging, which takes its `update_interval`.
fn refresh(files: &dyn Files, chip: &Path) -> Option<Duration> {
    let millis = number(files, &chip.join("update_interval")).ok()?;
    (millis > 0.0).then(|| Duration::try_from_secs_f64(millis / 1e3).ok()).flatten()
}

fn on_bus_or_any(files: &dyn Files, name: &str) -> Vec<PathBuf> {
    let on_bus = chips_on_bus(files, name);
    if on_bus.is_empty() { chips(files, name) } else { on_bus }
}

fn ina3221(files: &dyn Files) -> Vec<Rail> {
    let mut rails = Vec::new();
    for chip in on_bus_or_any(files, "ina3221") {
        let refresh = refresh(files, &chip);
        for channel in 1..=3 {
            let Ok(name) = text(files, &chip.join(format!("in{channel}_label"))) else { continue };
            if is_rail(&name) {
                rails.push(Rail {
                    name,
                    millivolts: chip.join(format!("in{channel}_input")),
                    milliamperes: chip.join(format!("curr{channel}_input")),
                    power: None,
                    refresh,
                });
            }
        }
    }
    rails
}

fn ina3221x(files: &dyn Files) -> Vec<Rail> {
    let driver = Path::new("/sys/bus/i2c/drivers/ina3221x");
    let devices = files.list(driver).unwrap_or_default();
    let chips = devices.iter().flat_map(|device| {
        let device = driver.join(device);
        numbered(files, &device, "iio:device").into_iter().map(|(_, chip)| chip)
    });
    let mut rails = Vec::new();
    for chip in chips {
        for channel in 0..3 {
            let Ok(name) = text(files, &chip.join(format!("rail_name_{channel}"))) else {
                continue;
            };
            if is_rail(&name) {
                rails.push(Rail {
                    name,
                    millivolts: chip.join(format!("in_voltage{channel}_input")),
                    milliamperes: chip.join(format!("in_current{channel}_input")),
                    power: Some((chip.join(format!("in_power{channel}_input")), 1e3)),
                    refresh: None,
                });
            }
        }
    }
    rails
}

fn ina238(files: &dyn Files) -> Vec<Rail> {
    let rail = |chip: PathBuf| {
        let labels = ["in1_label", "power1_label"];
        let name = labels.iter().find_map(|label| text(files, &chip.join(label)).ok())?;
        is_rail(&name).then(|| Rail {
            name,
            millivolts: chip.join("in1_input"),
            milliamperes: chip.join("curr1_input"),
            power: Some((chip.join("power1_input"), 1e6)),
            refresh: refresh(files, &chip),
        })
    };
    on_bus_or_any(files, "ina238").into_iter().filter_map(rail).collect()
}

impl SensorGroup for Rails {
    fn sensors(&self) -> Vec<Sensor> {
        let quantities = [Quantity::Power, Quantity::Voltage, Quantity::Current];
        let sensors = self.rails.iter().flat_map(|(rail, _)| {
            quantities.map(|quantity| Sensor {
                part: rail.name.clone(),
                quantity,
                refresh: rail.refresh,
            })
        });
        sensors.collect()
    }

    fn read(&mut self, files: &dyn Files, values: &mut Vec<SensorValue>) {
        for (rail, found) in &self.rails {
            if !found {
                values.extend([const { Err(Absence::Missing) }; 3]);
                continue;
            }
            // One right after the other, so that they belong to one conversion.
            let millivolts = number(files, &rail.millivolts);
            let milliamperes = number(files, &rail.milliamperes);
            let watts = match &rail.power {
                Some((path, per_watt)) => number(files, path).map(|power| power / per_watt),
                None => product(&millivolts, &milliamperes).map(|microwatts| microwatts / 1e6),
            };
            let volts = millivolts.map(|millivolts| millivolts / 1e3);
            let amperes = milliamperes.map(|milliamperes| milliamperes / 1e3);
            values.extend([watts, volts, amperes]);
        }
    }

    fn find_again(&mut self, files: &dyn Files) {
        // Below its own device on the bus, a path that is there leads to the same chip; looking for
        // all of them anew at every sample costs more than reading them.
        let is_there = |rail: &Rail| {
            rail.millivolts.starts_with("/sys/bus/i2c/devices") && files.exists(&rail.millivolts)
        };
        if self.rails.iter().all(|(rail, found)| *found && is_there(rail)) {
            return;
        }
        let now = Self::all(files);
        for (rail, found) in &mut self.rails {
            let here = now.iter().find(|here| here.name == rail.name);
            *found = here.is_some();
            if let Some(here) = here {
                // What was described stays.
                *rail = Rail { refresh: rail.refresh, ..here.clone() };
            }
        }
    }
}

fn product(a: &SensorValue, b: &SensorValue) -> SensorValue {
    Ok(a.clone()? * b.clone()?)
}
