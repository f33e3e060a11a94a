//! Temperatures, and the cooling devices that act on them.

use std::path::{Path, PathBuf};

use super::kernel_text::{number, numbered, text};
use super::numbered_files::NumberedFiles;
use super::sensor_group::SensorGroup;
use crate::files::Files;
use crate::sensor::{Absence, Quantity, Sensor, SensorValue};

const FOLDER: &str = "/sys/class/thermal";

/// What a zone shows whose part is switched off, where it does not answer EAGAIN: -256 °C.
const OFF_MILLICELSIUS: f64 = -256_000.0;

/// The thermal zones.
#[derive(Debug)]
pub(crate) struct Zones {
    /// By what the zones say they are; their numbers differ between releases.
    zones: NumberedFiles<String>,
}

impl Zones {
    pub(crate) fn find(files: &dyn Files) -> Self {
        Self { zones: NumberedFiles::new(Self::all(files)) }
    }

    fn all(files: &dyn Files) -> Vec<(String, PathBuf)> {
        let mut zones: Vec<(String, PathBuf)> = Vec::new();
        for (_, folder) in numbered(files, Path::new(FOLDER), "thermal_zone") {
            let Ok(kind) = text(files, &folder.join("type")) else { continue };
            // Always says 100 °C.
            if kind == "PMIC-Die" {
                continue;
            }
            let part = part(&kind);
            if !zones.iter().any(|(known, _)| *known == part) {
                zones.push((part, folder.join("temp")));
            }
        }
        zones
    }
}

/// `tj-thermal`, `CPU-therm` and `Tboard_tegra` are releases' ways to write `tj`, `cpu` and
/// `tboard`.
fn part(kind: &str) -> String {
    let endings = ["-thermal", "-therm", "_tegra"];
    let short = endings.iter().find_map(|ending| kind.strip_suffix(ending)).unwrap_or(kind);
    short.to_lowercase()
}

impl SensorGroup for Zones {
    fn sensors(&self) -> Vec<Sensor> {
        let sensor = |part: &String| Sensor {
            part: part.clone(),
            quantity: Quantity::Temperature,
            refresh: None,
        };
        self.zones.keys().map(sensor).collect()
    }

    fn read(&mut self, files: &dyn Files, values: &mut Vec<SensorValue>) {
        values.extend(self.zones.numbers(files).map(|(_, value)| match value? {
            millicelsius if millicelsius <= OFF_MILLICELSIUS => Err(Absence::Gated),
            millicelsius => Ok(millicelsius / 1e3),
        }));
    }

    fn find_again(&mut self, files: &dyn Files) {
        self.zones.find_again(Self::all(files));
    }
}

/// The cooling devices that hold something down now. A fan that turns holds nothing down.
pub(crate) fn active_cooling(files: &dyn Files) -> Vec<String> {
    let devices = numbered(files, Path::new(FOLDER), "cooling_device").into_iter();
    let active = devices.filter(|(_, folder)| {
        number(files, &folder.join("cur_state")).is_ok_and(|state| state > 0.0)
    });
    let kinds = active.filter_map(|(_, folder)| text(files, &folder.join("type")).ok());
    kinds.filter(|kind| !kind.contains("fan")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_called_alike_whatever_the_release() {
        for (kind, name) in [
            ("tj-thermal", "tj"),
            ("CPU-therm", "cpu"),
            ("Tboard_tegra", "tboard"),
            ("soc012-thermal", "soc012"),
        ] {
            assert_eq!(part(kind), name);
        }
    }
}
