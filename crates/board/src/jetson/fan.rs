//! The fan: how hard it is driven and how fast it turns.

use std::path::{Path, PathBuf};

use super::hwmon::chips;
use crate::files::Files;
use crate::linux::kernel_text::number;
use crate::linux::sensor_group::SensorGroup;
use crate::sensor::{Quantity, Sensor, SensorValue};

/// The full drive.
const FULL: f64 = 255.0;

/// The fan, as far as there is one.
#[derive(Debug)]
pub(super) struct Fan {
    drive: Option<PathBuf>,
    speed: Option<PathBuf>,
}

impl Fan {
    pub(super) fn find(files: &dyn Files) -> Self {
        let legacy = Path::new("/sys/devices/pwm-fan");
        let there = |path: PathBuf| files.exists(&path).then_some(path);
        let of_chip = |name: &str, file: &str| {
            chips(files, name).into_iter().find_map(|chip| there(chip.join(file)))
        };
        Self {
            drive: of_chip("pwmfan", "pwm1").or_else(|| there(legacy.join("target_pwm"))),
            speed: of_chip("pwm_tach", "rpm")
                .or_else(|| of_chip("pwm_tach", "fan1_input"))
                .or_else(|| there(legacy.join("rpm_measured"))),
        }
    }
}

impl SensorGroup for Fan {
    fn sensors(&self) -> Vec<Sensor> {
        let sensor = |quantity| Sensor { part: "fan".into(), quantity, refresh: None };
        let drive = self.drive.iter().map(|_| sensor(Quantity::FanDrive));
        drive.chain(self.speed.iter().map(|_| sensor(Quantity::FanSpeed))).collect()
    }

    fn read(&mut self, files: &dyn Files, values: &mut Vec<SensorValue>) {
        values.extend(self.drive.iter().map(|path| Ok(number(files, path)? / FULL)));
        values.extend(self.speed.iter().map(|path| number(files, path)));
    }

    fn find_again(&mut self, files: &dyn Files) {
        let now = Self::find(files);
        if let (Some(path), Some(found)) = (&mut self.drive, now.drive) {
            *path = found;
        }
        if let (Some(path), Some(found)) = (&mut self.speed, now.speed) {
            *path = found;
        }
    }
}
