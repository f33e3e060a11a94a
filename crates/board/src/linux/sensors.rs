//! All sensors of a board, and how their values make up its total power.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::sensor_group::SensorGroup;
use crate::clock::Moment;
use crate::files::Files;
use crate::sensor::{Absence, Quantity, Sample, Sensor, SensorValue, TotalPower};

/// The groups of a board, and how their values make up its total power.
#[derive(Debug)]
pub(crate) struct Sensors {
    groups: Vec<Box<dyn SensorGroup>>,
    described: Vec<Sensor>,
    total_power: TotalPower,
    found: Moment,
    missing: Vec<bool>,
}

/// How long a folder's number is believed. Finding all of them takes a few dozen small reads.
const BELIEVED: Duration = Duration::from_secs(1);

impl Sensors {
    /// The groups, with the rule that makes total power of what they describe.
    pub(crate) fn new(
        groups: Vec<Box<dyn SensorGroup>>,
        rule: impl FnOnce(&[Sensor]) -> TotalPower,
        now: Moment,
    ) -> Self {
        let described: Vec<Sensor> = groups.iter().flat_map(|group| group.sensors()).collect();
        Self {
            total_power: rule(&described),
            missing: vec![false; described.len()],
            groups,
            described,
            found: now,
        }
    }

    pub(crate) fn described(&self) -> &[Sensor] {
        &self.described
    }

    pub(crate) fn total_power(&self) -> &TotalPower {
        &self.total_power
    }

    /// Reads all once. Files are found anew when one has gone and when it has been a while.
    pub(crate) fn read(&mut self, files: &dyn Files, now: Moment) -> Sample {
        if now.since(self.found) >= BELIEVED {
            self.find_again(files, now);
        }
        let mut values = self.values(files);
        let missing = |values: &[SensorValue]| -> Vec<bool> {
            values.iter().map(|value| *value == Err(Absence::Missing)).collect()
        };
        let mut now_missing = missing(&values);
        let has_gone = now_missing.iter().zip(&self.missing).any(|(now, before)| *now && !before);
        if has_gone {
            self.find_again(files, now);
            values = self.values(files);
            now_missing = missing(&values);
        }
        self.missing = now_missing;
        let total_power = total(&self.total_power, &self.described, &values);
        Sample { at: now, values, total_power }
    }

    fn values(&mut self, files: &dyn Files) -> Vec<SensorValue> {
        let mut values = Vec::with_capacity(self.described.len());
        let files = &ReadAgain(files);
        for group in &mut self.groups {
            group.read(files, &mut values);
        }
        values
    }

    fn find_again(&mut self, files: &dyn Files, now: Moment) {
        for group in &mut self.groups {
            group.find_again(files);
        }
        self.found = now;
    }
}

/// The same files, each of them kept open from one reading to the next.
#[derive(Debug)]
struct ReadAgain<'a>(&'a dyn Files);

impl Files for ReadAgain<'_> {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.0.read_again(path)
    }

    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        self.0.write(path, text)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.0.list(folder)
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.exists(path)
    }
}

/// The sum, or why one of its parts is absent.
fn total(rule: &TotalPower, sensors: &[Sensor], values: &[SensorValue]) -> SensorValue {
    if rule.parts.is_empty() {
        return Err(Absence::Missing);
    }
    let power = sensors.iter().zip(values).filter(|(s, _)| s.quantity == Quantity::Power);
    let parts = power.filter(|(sensor, _)| rule.parts.contains(&sensor.part));
    parts.map(|(_, value)| value.clone()).sum()
}
