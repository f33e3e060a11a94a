//! A simulated Jetson AGX Orin as a device: it takes time to switch and to warm up, its power
//! reading lags, and it throttles when it is hot.
//!
//! Time and power of workloads are those of [`SimulatedOrin`](crate::SimulatedOrin): with noise off
//! and once everything has settled, exactly. What it adds is when they show.

mod clocks;
mod device;
mod heat;
mod meter;
mod run;
mod sensors;
mod worker;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fulcrum_domain::{ModeId, ModeSpace};

use crate::board::{
    Board, FoundState, Identity, Levels, ModeChange, Override, RestoreError, SetError, Suspect,
};
use crate::clock::Clock;
use crate::presets::presets;
use crate::profiler::Preset;
use crate::reading_noise::Noise;
use crate::sensor::{Sample, Sensor, TotalPower};
use crate::simulated::{SimulatedOrin, space};

use device::Device;
pub use worker::{SimulatedWorker, SimulatedWorkers};

/// How a simulated board behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulatedOptions {
    /// How far runs of one workload lie apart, and within a run its minibatches and power readings.
    pub noise: Noise,
    /// What the noise follows from.
    pub seed: u64,
    /// The temperature about the board, in degrees Celsius. At 25 it never throttles.
    pub ambient_celsius: f64,
}

impl Default for SimulatedOptions {
    /// Exact, at 25 degrees.
    fn default() -> Self {
        Self { noise: Noise::NONE, seed: 1, ambient_celsius: 25.0 }
    }
}

/// A simulated Jetson AGX Orin.
pub struct SimulatedBoard {
    identity: Identity,
    space: Arc<ModeSpace>,
    presets: Vec<Preset>,
    sensors: Vec<Sensor>,
    total_power: TotalPower,
    clock: Arc<dyn Clock>,
    device: Arc<Mutex<Device>>,
}

impl SimulatedBoard {
    /// A board that has just been switched on, in its vendor's 30W mode.
    pub fn new(clock: Arc<dyn Clock>, options: SimulatedOptions) -> Self {
        let space = Arc::new(space());
        let presets = presets(SimulatedOrin::NAME, &space);
        let start = presets.iter().find(|preset| preset.name == "30W");
        let start = start.map_or_else(|| space.highest(), |preset| preset.mode);
        let levels: Vec<f64> = space.levels(start).collect();
        Self {
            identity: Identity {
                kind: "simulated",
                model: "Simulated Jetson AGX Orin".into(),
                compatible: vec![SimulatedOrin::NAME.into()],
                software: "none".into(),
            },
            device: Arc::new(Mutex::new(Device::new(&levels, clock.now(), options))),
            space,
            presets,
            sensors: sensors::sensors(),
            total_power: sensors::total_power(),
            clock,
        }
    }

    /// The workloads that can run on it.
    pub fn workers(&self) -> SimulatedWorkers {
        SimulatedWorkers::new(self.clock.clone(), self.device.clone())
    }

    /// The device as it is now.
    fn device(&self) -> MutexGuard<'_, Device> {
        at_present(&self.device, &*self.clock)
    }

    fn compare(&self, applied: &[f64]) -> (Levels, Vec<Override>) {
        let device = self.device();
        let shown = device.shown();
        let knobs = self.space.knobs().iter().zip(applied.iter().zip(shown));
        let overrides = knobs
            .filter(|(_, (wanted, shown))| *wanted != shown)
            .map(|(knob, (&wanted, shown))| Override {
                knob: knob.name().to_owned(),
                wanted,
                shown: Ok(shown),
                suspect: if device.throttles() { Suspect::Thermal } else { Suspect::Unknown },
            })
            .collect();
        (shown.map(Ok).into(), overrides)
    }
}

/// Locks a device and lets everything happen that has happened by now.
fn at_present<'a>(device: &'a Mutex<Device>, clock: &dyn Clock) -> MutexGuard<'a, Device> {
    let mut device = device.lock().unwrap_or_else(PoisonError::into_inner);
    device.advance(clock.now());
    device
}

impl Board for SimulatedBoard {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn space(&self) -> &Arc<ModeSpace> {
        &self.space
    }

    fn presets(&self) -> &[Preset] {
        &self.presets
    }

    fn sensors(&self) -> &[Sensor] {
        &self.sensors
    }

    fn total_power(&self) -> &TotalPower {
        &self.total_power
    }

    fn sense(&mut self) -> Sample {
        sensors::sample(&self.device(), self.clock.now())
    }

    fn levels(&mut self) -> Levels {
        self.device().shown().map(Ok).into()
    }

    fn overrides(&mut self, applied: &[f64]) -> Vec<Override> {
        self.compare(applied).1
    }

    fn set(&mut self, mode: ModeId) -> Result<ModeChange, SetError> {
        if mode.index() >= self.space.len() {
            return Err(SetError::Unknown { index: mode.index(), count: self.space.len() });
        }
        let applied: Vec<f64> = self.space.levels(mode).collect();
        self.device().set(&applied);
        let (observed, overrides) = self.compare(&applied);
        Ok(ModeChange { requested: mode, applied, observed, overrides })
    }

    fn found_state(&mut self) -> Result<FoundState, SetError> {
        let levels = self.device().asked_for();
        let named = self.space.knobs().iter().zip(levels);
        Ok(FoundState {
            controls: named.map(|(knob, level)| (knob.name().into(), level.to_string())).collect(),
        })
    }

    fn restore(&mut self, found: &FoundState) -> Result<(), RestoreError> {
        let mut levels = self.device().asked_for().to_vec();
        let mut left = Vec::new();
        for (name, text) in &found.controls {
            let place = self.space.knobs().iter().position(|knob| knob.name() == name);
            let level = text.parse().ok().filter(|level: &f64| {
                place.is_some_and(|place| self.space.knobs()[place].index_of(*level).is_some())
            });
            match (place, level) {
                (Some(place), Some(level)) => levels[place] = level,
                _ => left.push(format!("{name} should show {text}, which this board cannot")),
            }
        }
        self.device().set(&levels);
        if left.is_empty() { Ok(()) } else { Err(RestoreError { left }) }
    }
}
