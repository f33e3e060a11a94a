//! The sensors of the simulated board, as an AGX Orin has them.

use std::time::Duration;

use crate::clock::Moment;
use crate::orin_agx_model::Draws;
use crate::sensor::{Quantity, Sample, Sensor, SensorValue, TotalPower};
use crate::simulated_board::device::Device;
use crate::simulated_board::meter::REFRESH;

const GPU_RAIL: &str = "VDD_GPU_SOC";
const CPU_RAIL: &str = "VDD_CPU_CV";
const SYSTEM_RAIL: &str = "VIN_SYS_5V0";
const MEMORY_RAIL: &str = "VDDQ_VDD2_1V8AO";

/// The sensors, in the order of a sample's values.
pub(super) fn sensors() -> Vec<Sensor> {
    let rail = |part: &str| Sensor {
        part: part.into(),
        quantity: Quantity::Power,
        refresh: Some(Duration::from_secs_f64(REFRESH)),
    };
    let sensor = |part: &str, quantity| Sensor { part: part.into(), quantity, refresh: None };
    vec![
        rail(GPU_RAIL),
        rail(CPU_RAIL),
        rail(SYSTEM_RAIL),
        rail(MEMORY_RAIL),
        sensor("tj", Quantity::Temperature),
        sensor("cpu", Quantity::Clock),
        sensor("gpu", Quantity::Clock),
        sensor("emc", Quantity::Clock),
        sensor("gpu", Quantity::Load),
        sensor("fan", Quantity::FanDrive),
        sensor("board", Quantity::Energy),
    ]
}

/// How the total power comes about.
pub(super) fn total_power() -> TotalPower {
    TotalPower {
        parts: [GPU_RAIL, CPU_RAIL, SYSTEM_RAIL, MEMORY_RAIL].map(Into::into).into(),
        leaves_out: "the carrier board".into(),
    }
}

/// What the sensors say.
pub(super) fn sample(device: &Device, at: Moment) -> Sample {
    let draws = device.metered();
    let Draws { base, mem, gpu, cpu } = draws;
    let [_, cpu_khz, gpu_khz, mem_khz] = device.shown();
    // The fan goes from standing still at 50 degrees to its full speed at 90.
    let fan = ((device.celsius() - 50.0) / 40.0).clamp(0.0, 1.0);
    let values: [f64; 11] = [
        gpu,
        cpu,
        base,
        mem,
        device.celsius(),
        cpu_khz * 1e3,
        gpu_khz * 1e3,
        mem_khz * 1e3,
        if device.busy() { 1.0 } else { 0.0 },
        fan,
        device.joules(),
    ];
    let values: Vec<SensorValue> = values.into_iter().map(Ok).collect();
    Sample { at, values, total_power: Ok(draws.total()) }
}
