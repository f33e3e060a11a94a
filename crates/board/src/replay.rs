//! A board that answers from recorded profiles.

use std::sync::Arc;

use fulcrum_domain::{BatchSize, Failure, ModeId, ModeSpace, Reading, Workload};

use crate::presets::presets;
use crate::profile_table::ProfileTable;
use crate::profiler::{Offer, Preset, Profiler};
use crate::reading_noise::{Noise, Readings};

/// A board that answers from recorded profiles, exactly or with noise. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Replay {
    table: Arc<ProfileTable>,
    presets: Arc<[Preset]>,
    readings: Readings,
}

impl Replay {
    /// A board that answers exactly what was recorded.
    pub fn new(table: Arc<ProfileTable>) -> Self {
        let presets = presets(table.device(), table.space()).into();
        Self { table, presets, readings: Readings::new(Noise::NONE, 0) }
    }

    /// Multiplies every reading by lognormal noise of this sigma, for time and power each their
    /// own. Measuring again draws again; the same seed draws the same, in whatever order the
    /// measurements are made. Repetitions counted so far are forgotten.
    #[must_use]
    pub fn with_noise(self, noise: f64, seed: u64) -> Self {
        Self { readings: Readings::new(Noise::lognormal(noise), seed), ..self }
    }

    /// The profiles that it answers from.
    pub fn table(&self) -> &Arc<ProfileTable> {
        &self.table
    }
}

impl Profiler for Replay {
    fn name(&self) -> &str {
        self.table.device()
    }

    fn space(&self) -> &Arc<ModeSpace> {
        self.table.space()
    }

    fn presets(&self) -> &[Preset] {
        &self.presets
    }

    fn offers(&self) -> &[Offer] {
        self.table.offers()
    }

    fn measure(&mut self, workload: &Workload, mode: ModeId, batch_size: BatchSize) -> Reading {
        let recorded = self.table.profile(workload, mode, batch_size);
        let recorded = recorded.ok_or(Failure::Unavailable)?;
        Ok(self.readings.read(recorded, self.table.space(), workload, mode, batch_size))
    }
}
