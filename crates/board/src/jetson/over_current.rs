//! Over-current events: how often the firmware cut the clocks because of the input.
//!
//! Each event halves clocks for about a millisecond, which no clock that the kernel shows tells.

use std::path::PathBuf;
use std::time::Duration;

use super::hwmon::chips;
use crate::files::Files;
use crate::linux::numbered_files::NumberedFiles;
use crate::linux::sensor_group::SensorGroup;
use crate::sensor::{Quantity, Sensor, SensorValue};

/// The firmware publishes its counters in batches of about two seconds.
const REFRESH: Duration = Duration::from_secs(2);

/// The counters: under-voltage (`oc1`), average power (`oc2`) and instantaneous power (`oc3`).
#[derive(Debug)]
pub(super) struct OverCurrent {
    counters: NumberedFiles<String>,
}

impl OverCurrent {
    pub(super) fn find(files: &dyn Files) -> Self {
        Self { counters: NumberedFiles::new(Self::all(files)) }
    }

    fn all(files: &dyn Files) -> Vec<(String, PathBuf)> {
        let chip = chips(files, "soctherm_oc").into_iter().next();
        let counters = chip.into_iter().flat_map(|chip| {
            (1..=3).map(move |n| (format!("oc{n}"), chip.join(format!("oc{n}_event_cnt"))))
        });
        counters.filter(|(_, path)| files.exists(path)).collect()
    }
}

impl SensorGroup for OverCurrent {
    fn sensors(&self) -> Vec<Sensor> {
        let sensor = |part: &String| Sensor {
            part: part.clone(),
            quantity: Quantity::Count,
            refresh: Some(REFRESH),
        };
        self.counters.keys().map(sensor).collect()
    }

    fn read(&mut self, files: &dyn Files, values: &mut Vec<SensorValue>) {
        values.extend(self.counters.numbers(files).map(|(_, value)| value));
    }

    fn find_again(&mut self, files: &dyn Files) {
        self.counters.find_again(Self::all(files));
    }
}
