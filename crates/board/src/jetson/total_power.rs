//! How a Jetson's total power comes about.
//!
//! One rail may measure the input of everything else; adding the others to it would count them
//! twice. Where there is no such rail, the rails make up the module. USB-C supplies say what was
//! negotiated, not what is drawn, and never count.

use crate::sensor::{Absence, Quantity, Sensor, SensorValue, TotalPower};

/// Rails that measure an input, with what is drawn beside them.
const INPUTS: [(&str, &str); 3] = [
    ("VIN", "nothing behind the board's input"),
    ("VDD_IN", "the carrier board and what is plugged into it"),
    ("POM_5V_IN", "what the carrier board draws before the module's input"),
];

pub(super) fn rule(sensors: &[Sensor]) -> TotalPower {
    let rails = sensors.iter().filter(|sensor| sensor.quantity == Quantity::Power);
    let rails: Vec<String> = rails.map(|sensor| sensor.part.clone()).collect();
    let input = INPUTS.iter().find(|(name, _)| rails.iter().any(|rail| rail == name));
    let (parts, leaves_out) = match input {
        Some((name, leaves_out)) => (vec![(*name).to_owned()], *leaves_out),
        None if rails.is_empty() => (rails, "everything: there is no power sensor"),
        None => (rails, "the carrier board, and what no rail of the module covers"),
    };
    TotalPower { parts, leaves_out: leaves_out.to_owned() }
}

/// The sum, or why one of its parts is absent.
pub(super) fn total(rule: &TotalPower, sensors: &[Sensor], values: &[SensorValue]) -> SensorValue {
    if rule.parts.is_empty() {
        return Err(Absence::Missing);
    }
    let power = sensors.iter().zip(values).filter(|(s, _)| s.quantity == Quantity::Power);
    let parts = power.filter(|(sensor, _)| rule.parts.contains(&sensor.part));
    parts.map(|(_, value)| value.clone()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rails(names: &[&str]) -> Vec<Sensor> {
        let sensor = |part: &&str| Sensor {
            part: (*part).to_owned(),
            quantity: Quantity::Power,
            refresh: None,
        };
        names.iter().map(sensor).collect()
    }

    #[test]
    fn an_input_rail_is_the_total_and_nothing_is_added_to_it() {
        for names in [
            &["VDD_GPU", "VDD_CPU_SOC_MSS", "VIN_SYS_5V0", "VIN"],
            &["VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC", "VDD_DDR"],
            &["POM_5V_GPU", "POM_5V_IN", "POM_5V_CPU", "other"],
        ] {
            assert_eq!(rule(&rails(names)).parts.len(), 1, "{names:?}");
        }
        assert_eq!(rule(&rails(&["VDD_GPU", "VIN", "VDD_IN"])).parts, ["VIN"]);
    }

    #[test]
    fn without_an_input_rail_the_rails_are_added_up() {
        let sensors = rails(&["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0", "VDDQ_VDD2_1V8AO"]);
        let rule = rule(&sensors);
        assert_eq!(rule.parts.len(), 4);
        let values = [Ok(3.5), Ok(0.5), Ok(5.0), Ok(0.5)];
        assert_eq!(total(&rule, &sensors, &values), Ok(9.5));
    }

    #[test]
    fn a_sum_with_an_absent_part_is_absent() {
        let sensors = rails(&["GPU", "CPU"]);
        let values = [Ok(3.5), Err(Absence::Gated)];
        assert_eq!(total(&rule(&sensors), &sensors, &values), Err(Absence::Gated));
        assert_eq!(total(&rule(&[]), &[], &[]), Err(Absence::Missing));
    }
}
