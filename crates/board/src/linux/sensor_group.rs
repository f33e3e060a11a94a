//! Sensors that are found and read together.

use std::fmt::Debug;

use crate::files::Files;
use crate::sensor::{Sensor, SensorValue};

/// Sensors that are found and read together.
pub(crate) trait SensorGroup: Debug + Send {
    /// What there is.
    fn sensors(&self) -> Vec<Sensor>;

    /// Appends one value a sensor, in their order.
    fn read(&mut self, files: &dyn Files, values: &mut Vec<SensorValue>);

    /// Finds its files anew, by what they say they are: folders with a number in their name get
    /// another number when a driver is loaded again. What is not found keeps its place.
    fn find_again(&mut self, files: &dyn Files) {
        let _ = files;
    }
}
