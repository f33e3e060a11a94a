//! A simulated Jetson AGX Orin: every power mode of the board, without the board.
//!
//! Time and power follow a smooth model that was fitted to measured profiles. Left out are: the
//! throttling of the highest modes near 55 W, the slow first minibatches, the lag of the power
//! reading, what few cores cost where data is loaded (cores draw power here but save no time), and
//! batch sizes between those that were measured. The model was fitted to memory clocks of
//! 665.6 MHz and more and to CPU clocks of 422.4 MHz and more; below, it extrapolates.

use std::sync::Arc;

use fulcrum_domain::{BatchSize, Failure, Knob, ModeId, ModeSpace, Profile, Reading, Workload};

use crate::orin_agx_model::{CORES, CPU_KHZ, Clocks, GPU_KHZ, MEM_KHZ, MODELS, WorkloadModel};
use crate::presets::presets;
use crate::profile_table::ProfileTable;
use crate::profiler::{Offer, Preset, Profiler};
use crate::reading_noise::{Noise, Readings};

/// A simulated Jetson AGX Orin with 18,096 power modes. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct SimulatedOrin {
    space: Arc<ModeSpace>,
    presets: Arc<[Preset]>,
    offers: Arc<[Offer]>,
    readings: Readings,
}

impl SimulatedOrin {
    /// What it is called on the command line.
    pub const NAME: &'static str = "simulated-orin-agx";

    /// How its readings scatter unless told otherwise, as those of the real board do.
    pub const NOISE: Noise = Noise { time: 0.02, power: 0.025, outliers: 0.005 };

    /// A board whose readings scatter as the seed says.
    pub fn new(seed: u64) -> Self {
        Self::with_noise(Self::NOISE, seed)
    }

    /// A board whose readings are exact.
    pub fn exact() -> Self {
        Self::with_noise(Noise::NONE, 0)
    }

    /// A board whose readings scatter like this. A seed draws the same readings, in whatever order
    /// the measurements are made.
    pub fn with_noise(noise: Noise, seed: u64) -> Self {
        let space = space();
        Self {
            presets: presets(Self::NAME, &space).into(),
            space: Arc::new(space),
            offers: offers().into(),
            readings: Readings::new(noise, seed),
        }
    }

    /// The profile without noise; none for what the board does not offer.
    pub fn truth(
        &self,
        workload: &Workload,
        mode: ModeId,
        batch_size: BatchSize,
    ) -> Option<Profile> {
        if mode.index() >= self.space.len() {
            return None;
        }
        let model = MODELS.iter().find(|model| {
            model.kind == workload.kind
                && model.batch_size == batch_size.get()
                && model.name == &*workload.name
        })?;
        Some(self.modelled(model, mode))
    }

    fn modelled(&self, model: &WorkloadModel, mode: ModeId) -> Profile {
        let level = |knob| self.space.level(mode, knob);
        let [cpu_cores, cpu_khz, gpu_khz, mem_khz] = [level(0), level(1), level(2), level(3)];
        model.profile(Clocks { cpu_cores, cpu_khz, gpu_khz, mem_khz })
    }

    /// Every profile without noise.
    pub fn table(&self) -> ProfileTable {
        let rows = self.offers.iter().flat_map(|offer| {
            self.space.ids().flat_map(move |mode| {
                offer.batch_sizes.iter().filter_map(move |&batch_size| {
                    let profile = self.truth(&offer.workload, mode, batch_size)?;
                    Some((offer.workload.clone(), mode, batch_size, profile))
                })
            })
        });
        ProfileTable::new(Self::NAME, self.space.clone(), rows)
    }
}

#[expect(clippy::expect_used, reason = "the levels are constants, and a test makes the space")]
fn space() -> ModeSpace {
    let knob = |name: &str, levels: &[f64]| Knob::new(name, levels.iter().copied());
    let cores: Vec<f64> = (1..=CORES).map(f64::from).collect();
    let knobs = [
        knob("cpu_cores", &cores),
        knob("cpu_khz", &CPU_KHZ),
        knob("gpu_khz", &GPU_KHZ),
        knob("mem_khz", &MEM_KHZ),
    ];
    let knobs = knobs.into_iter().collect::<Result<_, _>>();
    ModeSpace::full_grid(knobs.expect("the levels are finite")).expect("there are 18,096 modes")
}

fn offers() -> Vec<Offer> {
    let mut offers: Vec<Offer> = Vec::new();
    for model in &MODELS {
        let workload = Workload { name: model.name.into(), kind: model.kind };
        let sizes = BatchSize::new(model.batch_size);
        match offers.iter_mut().find(|offer| offer.workload == workload) {
            Some(offer) => offer.batch_sizes.extend(sizes),
            None => offers.push(Offer {
                workload,
                batch_sizes: sizes.into_iter().collect(),
                fingerprint: String::new(),
            }),
        }
    }
    offers
}

impl Profiler for SimulatedOrin {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn space(&self) -> &Arc<ModeSpace> {
        &self.space
    }

    fn presets(&self) -> &[Preset] {
        &self.presets
    }

    fn offers(&self) -> &[Offer] {
        &self.offers
    }

    fn measure(&mut self, workload: &Workload, mode: ModeId, batch_size: BatchSize) -> Reading {
        let truth = self.truth(workload, mode, batch_size).ok_or(Failure::Unavailable)?;
        Ok(self.readings.read(truth, &self.space, workload, mode, batch_size))
    }
}
