//! Sensors, their values, and knobs that do not show what was written.

use fulcrum_board::{Absence, Levels, Override, Quantity, Sensor, SensorValue};

use crate::malformed::Malformed;
use crate::span::{duration_from_wire, duration_to_wire};
use crate::v1;

const fn quantity_to_wire(quantity: Quantity) -> v1::Quantity {
    match quantity {
        Quantity::Power => v1::Quantity::Power,
        Quantity::Voltage => v1::Quantity::Voltage,
        Quantity::Current => v1::Quantity::Current,
        Quantity::Temperature => v1::Quantity::Temperature,
        Quantity::Clock => v1::Quantity::Clock,
        Quantity::Load => v1::Quantity::Load,
        Quantity::FanDrive => v1::Quantity::FanDrive,
        Quantity::FanSpeed => v1::Quantity::FanSpeed,
        Quantity::Count => v1::Quantity::Count,
        Quantity::Memory => v1::Quantity::Memory,
        Quantity::Energy => v1::Quantity::Energy,
    }
}

fn quantity_from_wire(quantity: i32) -> Option<Quantity> {
    Some(match v1::Quantity::try_from(quantity).ok()? {
        v1::Quantity::Unspecified => return None,
        v1::Quantity::Power => Quantity::Power,
        v1::Quantity::Voltage => Quantity::Voltage,
        v1::Quantity::Current => Quantity::Current,
        v1::Quantity::Temperature => Quantity::Temperature,
        v1::Quantity::Clock => Quantity::Clock,
        v1::Quantity::Load => Quantity::Load,
        v1::Quantity::FanDrive => Quantity::FanDrive,
        v1::Quantity::FanSpeed => Quantity::FanSpeed,
        v1::Quantity::Count => Quantity::Count,
        v1::Quantity::Memory => Quantity::Memory,
        v1::Quantity::Energy => Quantity::Energy,
    })
}

/// A sensor as the wire has it.
pub fn sensor_to_wire(sensor: &Sensor) -> v1::Sensor {
    v1::Sensor {
        part: sensor.part.clone(),
        quantity: quantity_to_wire(sensor.quantity).into(),
        refresh: sensor.refresh.map(duration_to_wire),
    }
}

/// A sensor from the wire.
///
/// # Errors
/// When its quantity is not known or its refresh interval is no length of time.
pub fn sensor_from_wire(sensor: &v1::Sensor) -> Result<Sensor, Malformed> {
    let quantity = quantity_from_wire(sensor.quantity).ok_or_else(|| {
        Malformed::new("quantity", format!("is {}, which is not known here", sensor.quantity))
    })?;
    let refresh = match &sensor.refresh {
        None => None,
        Some(refresh) => Some(
            duration_from_wire(refresh)
                .ok_or_else(|| Malformed::new("refresh", "is no length of time"))?,
        ),
    };
    Ok(Sensor { part: sensor.part.clone(), quantity, refresh })
}

const fn absence_to_wire(absence: &Absence) -> v1::Absence {
    match absence {
        Absence::Missing => v1::Absence::Missing,
        Absence::Stale => v1::Absence::Stale,
        Absence::Denied => v1::Absence::Denied,
        Absence::Gated => v1::Absence::Gated,
        Absence::Unsupported => v1::Absence::Unsupported,
        Absence::Unreadable(_) => v1::Absence::Unreadable,
    }
}

/// A sensor's value as the wire has it. A number that is none is unreadable.
pub fn value_to_wire(value: &SensorValue) -> v1::SensorValue {
    use v1::sensor_value::Value;
    let value = match value {
        Ok(number) if number.is_finite() => Value::Number(*number),
        Ok(_) => Value::Absence(v1::Absence::Unreadable.into()),
        Err(absence) => Value::Absence(absence_to_wire(absence).into()),
    };
    v1::SensorValue { value: Some(value) }
}

/// Values as the wire has them.
pub fn values_to_wire(values: &Levels) -> Vec<v1::SensorValue> {
    values.iter().map(value_to_wire).collect()
}

/// A sensor's value from the wire.
///
/// # Errors
/// When the sensor has none. What is not understood is unreadable, never a number.
pub fn value_from_wire(value: &v1::SensorValue) -> SensorValue {
    use v1::sensor_value::Value;
    match value.value {
        Some(Value::Number(number)) if number.is_finite() => Ok(number),
        Some(Value::Number(number)) => Err(Absence::Unreadable(number.to_string())),
        Some(Value::Absence(absence)) => Err(match v1::Absence::try_from(absence) {
            Ok(v1::Absence::Missing) => Absence::Missing,
            Ok(v1::Absence::Stale) => Absence::Stale,
            Ok(v1::Absence::Denied) => Absence::Denied,
            Ok(v1::Absence::Gated) => Absence::Gated,
            Ok(v1::Absence::Unsupported) => Absence::Unsupported,
            Ok(v1::Absence::Unreadable | v1::Absence::Unspecified) | Err(_) => {
                Absence::Unreadable(String::new())
            }
        }),
        None => Err(Absence::Unreadable(String::new())),
    }
}

/// Knobs that do not show what was written, as the wire has them.
pub fn overrides_to_wire(overrides: &[Override]) -> Vec<v1::Override> {
    overrides
        .iter()
        .map(|other| v1::Override {
            knob: other.knob.clone(),
            wanted: other.wanted,
            shown: Some(value_to_wire(&other.shown)),
            suspect: other.suspect.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_quantity_survives_the_wire() {
        for wire in 1..=11 {
            let quantity = quantity_from_wire(wire).unwrap();
            assert_eq!(i32::from(quantity_to_wire(quantity)), wire);
            let sensor = Sensor {
                part: "VDD_IN".into(),
                quantity,
                refresh: Some(Duration::from_millis(430)),
            };
            assert_eq!(sensor_from_wire(&sensor_to_wire(&sensor)), Ok(sensor));
        }
        assert_eq!(quantity_from_wire(0), None);
        assert_eq!(quantity_from_wire(12), None);
    }

    #[test]
    fn an_absence_stays_an_absence() {
        for absence in [
            Absence::Missing,
            Absence::Stale,
            Absence::Denied,
            Absence::Gated,
            Absence::Unsupported,
            Absence::Unreadable(String::new()),
        ] {
            let value = Err(absence);
            assert_eq!(value_from_wire(&value_to_wire(&value)), value);
        }
    }

    #[test]
    fn what_is_no_number_is_never_sent_nor_taken_as_one() {
        for number in [f64::NAN, f64::INFINITY] {
            assert!(value_from_wire(&value_to_wire(&Ok(number))).is_err());
            let wire = v1::SensorValue { value: Some(v1::sensor_value::Value::Number(number)) };
            assert!(value_from_wire(&wire).is_err());
        }
        assert!(value_from_wire(&v1::SensorValue { value: None }).is_err());
    }
}
