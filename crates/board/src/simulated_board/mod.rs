//! A simulated Jetson AGX Orin as a device: clocks that take a moment to change, a power sensor
//! that lags, heat that throttles, and workers that run on it.
//!
//! [`SimulatedOrin`] answers at once what a measurement would give; this board has to be measured.
//! Without noise, what is measured once it is settled is exactly what the other one answers.

mod state;
mod worker;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fulcrum_domain::{BatchSize, ModeId, ModeSpace, Workload};

use crate::board::{
    Board, FoundState, Identity, Levels, ModeChange, Override, RestoreError, SetError, Suspect,
};
use crate::clock::Clock;
use crate::orin_agx_model::MODELS;
use crate::profiler::{Offer, Preset, Profiler as _};
use crate::reading_noise::Noise;
use crate::sensor::{Quantity, Sample, Sensor, TotalPower};
use crate::simulated::SimulatedOrin;

use state::{REFRESH, State};
pub use worker::SimulatedWorker;

/// A simulated Jetson AGX Orin with dynamics. Clones are the same board.
#[derive(Clone)]
pub struct SimulatedBoard {
    identity: Identity,
    /// Says which modes, presets and workloads there are.
    model: SimulatedOrin,
    sensors: Arc<[Sensor]>,
    total: TotalPower,
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

impl SimulatedBoard {
    /// A board in the vendor's 30W mode, on a clock of its own or of a test's. Its readings scatter
    /// as the seed says.
    pub fn new(clock: Arc<dyn Clock>, noise: Noise, seed: u64) -> Self {
        let model = SimulatedOrin::exact();
        let presets = model.presets();
        let start = presets.iter().find(|preset| preset.name == "30W").or(presets.first());
        let start = start.map_or(model.space().middle(), |preset| preset.mode);
        let levels = levels_of(model.space(), start);
        let sensor =
            |part: &str, quantity, refresh| Sensor { part: part.into(), quantity, refresh };
        let sensors = [
            sensor("VDD_IN", Quantity::Power, Some(REFRESH)),
            sensor("tj", Quantity::Temperature, None),
            sensor("cpu", Quantity::Clock, None),
            sensor("gpu", Quantity::Clock, None),
            sensor("emc", Quantity::Clock, None),
            sensor("gpu", Quantity::Load, None),
        ];
        Self {
            identity: Identity {
                kind: "simulated",
                model: "Simulated Jetson AGX Orin".into(),
                compatible: vec!["simulated-orin-agx".into()],
                software: concat!("fulcrum ", env!("CARGO_PKG_VERSION")).into(),
            },
            sensors: sensors.into(),
            total: TotalPower {
                parts: vec!["VDD_IN".into()],
                leaves_out: "nothing: it is simulated".into(),
            },
            state: Arc::new(Mutex::new(State::new(levels, clock.now(), noise, seed))),
            model,
            clock,
        }
    }

    /// The same board in another ambience, in degrees Celsius.
    #[must_use]
    pub fn with_ambient(self, celsius: f64) -> Self {
        self.state().set_ambient(celsius);
        self
    }

    /// The workloads that it can run.
    pub fn offers(&self) -> &[Offer] {
        self.model.offers()
    }

    /// A worker that runs a workload there; none for what the board does not offer.
    pub fn worker(&self, workload: &Workload, batch: BatchSize) -> Option<SimulatedWorker> {
        let model = MODELS.iter().find(|model| {
            model.kind == workload.kind
                && model.batch_size == batch.get()
                && model.name == &*workload.name
        })?;
        Some(SimulatedWorker::new(self.state.clone(), self.clock.clone(), model))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn levels_of(space: &ModeSpace, mode: ModeId) -> [f64; 4] {
    std::array::from_fn(|knob| space.level(mode, knob))
}

impl Board for SimulatedBoard {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn space(&self) -> &Arc<ModeSpace> {
        self.model.space()
    }

    fn presets(&self) -> &[Preset] {
        self.model.presets()
    }

    fn sensors(&self) -> &[Sensor] {
        &self.sensors
    }

    fn total_power(&self) -> &TotalPower {
        &self.total
    }

    fn sense(&mut self) -> Sample {
        let now = self.clock.now();
        let mut state = self.state();
        let power = state.power(now);
        let junction = state.junction(now);
        let [_, cpu_khz, gpu_khz, mem_khz] = state.shown(now);
        let load = if state.busy() { 1.0 } else { 0.0 };
        let values = [power, junction, 1e3 * cpu_khz, 1e3 * gpu_khz, 1e3 * mem_khz, load];
        Sample { at: now, values: values.map(Ok).to_vec(), total_power: Ok(power) }
    }

    fn levels(&mut self) -> Levels {
        let now = self.clock.now();
        self.state().shown(now).map(Ok).to_vec()
    }

    fn overrides(&mut self, applied: &[f64]) -> Vec<Override> {
        let shown = self.levels();
        let throttling = self.state().throttling();
        let knobs = self.space().knobs().iter().zip(applied.iter().zip(shown));
        knobs
            .filter(|(_, (wanted, shown))| shown.as_ref().is_ok_and(|shown| shown != *wanted))
            .map(|(knob, (&wanted, shown))| Override {
                knob: knob.name().to_owned(),
                wanted,
                shown,
                suspect: if throttling { Suspect::Thermal } else { Suspect::Unknown },
            })
            .collect()
    }

    fn set(&mut self, mode: ModeId) -> Result<ModeChange, SetError> {
        let space = self.space().clone();
        if mode.index() >= space.len() {
            return Err(SetError::Unknown { index: mode.index(), count: space.len() });
        }
        let levels = levels_of(&space, mode);
        // Setting what is set already disturbs nothing.
        if self.state().wanted() != levels {
            let now = self.clock.now();
            self.state().set(levels, now);
        }
        let applied = levels.to_vec();
        Ok(ModeChange {
            requested: mode,
            observed: self.levels(),
            overrides: self.overrides(&applied),
            applied,
        })
    }

    fn found_state(&mut self) -> Result<FoundState, SetError> {
        let wanted = self.state().wanted();
        let knobs = self.space().knobs().iter().zip(wanted);
        let controls = knobs.map(|(knob, level)| (knob.name().to_owned(), level.to_string()));
        Ok(FoundState { controls: controls.collect() })
    }

    fn restore(&mut self, found: &FoundState) -> Result<(), RestoreError> {
        let space = self.space().clone();
        let level = |(place, knob): (usize, &fulcrum_domain::Knob)| {
            let text = found.controls.iter().find(|(name, _)| name == knob.name());
            let level = text.and_then(|(_, text)| text.parse::<f64>().ok());
            let known = level.filter(|level| knob.index_of(*level).is_some());
            known.ok_or_else(|| (place, format!("{} has no level in the state found", knob.name())))
        };
        let mut levels = self.state().wanted();
        let mut left = Vec::new();
        for found in space.knobs().iter().enumerate().map(level).enumerate() {
            match found {
                (place, Ok(level)) => levels[place] = level,
                (_, Err((_, problem))) => left.push(problem),
            }
        }
        if self.state().wanted() != levels {
            let now = self.clock.now();
            self.state().set(levels, now);
        }
        if left.is_empty() { Ok(()) } else { Err(RestoreError { left }) }
    }
}
