//! The sensors of a host.

use std::sync::Arc;

use super::battery::Batteries;
use super::rapl::Rapl;
use super::total_power;
use crate::clock::Clock;
use crate::files::Files;
use crate::linux::cpu::{self, CpuClocks};
use crate::linux::load::CpuLoad;
use crate::linux::memory::Memory;
use crate::linux::sensor_group::SensorGroup;
use crate::linux::sensors::Sensors;
use crate::linux::thermal::Zones;
use crate::sensor::Quantity;

pub(super) fn find(files: &dyn Files, clock: &Arc<dyn Clock>) -> Sensors {
    let cores = cpu::cores(files);
    let policies = cpu::policies(files);
    // A virtual machine shows no clocks at all.
    let clocked = !policies.is_empty();
    let batteries = Batteries::find(files);
    let names: Vec<String> = batteries.sensors().into_iter().map(|sensor| sensor.part).collect();
    let mut rapl = Rapl::find(files, clock.clone());
    let mut first = Vec::new();
    rapl.read(files, &mut first);
    let energies = rapl.sensors().into_iter().zip(first);
    let mut energies = energies.filter(|(sensor, _)| sensor.quantity == Quantity::Energy);
    let readable = energies.any(|(_, value)| value.is_ok());
    let groups: Vec<Box<dyn SensorGroup>> = vec![
        Box::new(rapl),
        Box::new(batteries),
        Box::new(Zones::find(files)),
        Box::new(CpuClocks::new(if clocked { &cores } else { &[] }, &policies)),
        Box::new(CpuLoad::new(&cores)),
        Box::new(Memory),
    ];
    Sensors::new(groups, total_power::rule(&names, readable), clock.now())
}
