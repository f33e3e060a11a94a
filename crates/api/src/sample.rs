//! Samples: what a board told of itself at one time.

use std::time::{Duration, SystemTime};

use fulcrum_board::{Absence, SensorValue};

use crate::malformed::Malformed;
use crate::sensor::{value_from_wire, value_to_wire};
use crate::span::{duration_from_wire, duration_to_wire, time_to_wire};
use crate::v1;

/// A sample with the energy counted until then.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteSample {
    /// When the reading was done, by the agent's wall clock.
    pub time: SystemTime,
    /// One value a sensor, in the order of the board's sensors.
    pub values: Vec<SensorValue>,
    /// The total power in watts.
    pub total_power: SensorValue,
    /// The energy drawn since the agent started, in joules.
    pub energy_joules: f64,
    /// How long there was a power reading since the agent started.
    pub energy_covered: Duration,
    /// How many distinct values of the total power the energy rests on.
    pub energy_samples: u64,
}

/// A sample as the wire has it.
pub fn sample_to_wire(sample: &RemoteSample) -> v1::Sample {
    v1::Sample {
        time: Some(time_to_wire(sample.time)),
        values: sample.values.iter().map(value_to_wire).collect(),
        total_power_watts: Some(value_to_wire(&sample.total_power)),
        energy_joules: sample.energy_joules,
        energy_covered: Some(duration_to_wire(sample.energy_covered)),
        energy_samples: sample.energy_samples,
    }
}

/// A sample from the wire, of a board with so many sensors.
///
/// # Errors
/// When the time is missing or not one, or there is not one value a sensor.
pub fn sample_from_wire(sample: &v1::Sample, sensors: usize) -> Result<RemoteSample, Malformed> {
    let time = sample.time.ok_or_else(|| Malformed::missing("time"))?;
    let time = SystemTime::try_from(time).map_err(|_| Malformed::new("time", "is no time"))?;
    if sample.values.len() != sensors {
        let problem = format!("has {} values for {sensors} sensors", sample.values.len());
        return Err(Malformed::new("values", problem));
    }
    let covered = sample.energy_covered.as_ref();
    Ok(RemoteSample {
        time,
        values: sample.values.iter().map(value_from_wire).collect(),
        total_power: sample
            .total_power_watts
            .as_ref()
            .map_or(Err(Absence::Missing), value_from_wire),
        energy_joules: sample.energy_joules,
        energy_covered: covered.and_then(duration_from_wire).unwrap_or_default(),
        energy_samples: sample.energy_samples,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_survives_the_wire() {
        let sample = RemoteSample {
            time: SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
            values: vec![Ok(12.5), Err(Absence::Gated)],
            total_power: Err(Absence::Denied),
            energy_joules: 7.25,
            energy_covered: Duration::from_millis(430),
            energy_samples: 1,
        };
        let wire = sample_to_wire(&sample);
        assert_eq!(sample_from_wire(&wire, 2), Ok(sample));
        let error = sample_from_wire(&wire, 3).unwrap_err();
        assert_eq!(error.to_string(), "`values` has 2 values for 3 sensors");
    }
}
