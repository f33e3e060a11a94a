//! How a Jetson's total power comes about.
//!
//! One rail may measure the input of everything else; adding the others to it would count them
//! twice. Where there is no such rail, the rails make up the module. USB-C supplies say what was
//! negotiated, not what is drawn, and never count.

use crate::sensor::{Quantity, Sensor, TotalPower};

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
        let names = ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0", "VDDQ_VDD2_1V8AO"];
        assert_eq!(rule(&rails(&names)).parts, names);
    }

    #[test]
    fn without_rails_nothing_is_known() {
        assert!(rule(&[]).parts.is_empty());
    }
}
