//! The fan: how hard it is driven and how fast it turns.

use std::path::{Path, PathBuf};

use super::hwmon::chips;
use crate::files::Files;
use crate::linux::numbered_files::NumberedFiles;
use crate::linux::sensor_group::SensorGroup;
use crate::sensor::{Quantity, Sensor, SensorValue};

/// The full drive.
const FULL: f64 = 255.0;

/// The fan, as far as there is one.
#[derive(Debug)]
pub(super) struct Fan(NumberedFiles<Quantity>);

impl Fan {
    pub(super) fn find(files: &dyn Files) -> Self {
        Self(NumberedFiles::new(all(files)))
    }
}

fn all(files: &dyn Files) -> Vec<(Quantity, PathBuf)> {
    let legacy = Path::new("/sys/devices/pwm-fan");
    let there = |path: PathBuf| files.exists(&path).then_some(path);
    let of_chip = |name: &str, file: &str| {
        chips(files, name).into_iter().find_map(|chip| there(chip.join(file)))
    };
    let drive = of_chip("pwmfan", "pwm1").or_else(|| there(legacy.join("target_pwm")));
    let speed = of_chip("pwm_tach", "rpm")
        .or_else(|| of_chip("pwm_tach", "fan1_input"))
        .or_else(|| there(legacy.join("rpm_measured")));
    let drive = drive.map(|path| (Quantity::FanDrive, path));
    drive.into_iter().chain(speed.map(|path| (Quantity::FanSpeed, path))).collect()
}

impl SensorGroup for Fan {
    fn sensors(&self) -> Vec<Sensor> {
        let sensor = |&quantity: &Quantity| Sensor { part: "fan".into(), quantity, refresh: None };
        self.0.keys().map(sensor).collect()
    }

    fn read(&mut self, files: &dyn Files, values: &mut Vec<SensorValue>) {
        values.extend(self.0.numbers(files).map(|(quantity, value)| match quantity {
            Quantity::FanDrive => Ok(value? / FULL),
            _ => value,
        }));
    }

    fn find_again(&mut self, files: &dyn Files) {
        self.0.find_again(all(files));
    }
}
