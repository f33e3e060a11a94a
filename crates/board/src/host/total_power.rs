//! How a host's total power comes about, as far as it does.

use crate::sensor::{Quantity, Sensor, TotalPower};

/// Counters of the processors before batteries: a battery says nothing while the machine is fed
/// from elsewhere, and a plan needs power at all times. Batteries measure the whole machine, so
/// they are the total where there are no counters that may be read.
pub(super) fn rule(
    batteries: &[String],
    counters_readable: bool,
) -> impl Fn(&[Sensor]) -> TotalPower {
    move |sensors| {
        let power = sensors.iter().filter(|sensor| sensor.quantity == Quantity::Power);
        let named = |wanted: &dyn Fn(&str) -> bool| -> Vec<String> {
            let parts = power.clone().map(|sensor| sensor.part.clone());
            parts.filter(|part| !batteries.contains(part) && wanted(part)).collect()
        };
        let platform = named(&|part| part == "psys");
        // The other parts of a package are within it; the memory is beside it.
        let packages = named(&|part| part.starts_with("package") || part.starts_with("dram"));
        let (parts, leaves_out) = if !counters_readable && !batteries.is_empty() {
            (batteries.to_vec(), "nothing, but it is known only while on battery")
        } else if !platform.is_empty() {
            (platform, "what the platform's own counter does not see: screen, disks, cards")
        } else if !packages.is_empty() {
            (packages, "all but the processors: accelerators, disks, fans, the power supply's loss")
        } else {
            (Vec::new(), "everything: this machine has no power sensor that can be read")
        };
        TotalPower { parts, leaves_out: leaves_out.to_owned() }
    }
}
