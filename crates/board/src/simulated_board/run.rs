//! A workload that runs: minibatch after minibatch, each as long as the clocks make it.

use fulcrum_domain::{BatchSize, Workload};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use crate::orin_agx_model::{Clocks, Draws, WorkloadModel};
use crate::reading_noise::Noise;

/// How much longer the first minibatches take: kernels are compiled, caches are cold.
const WARM_UP: [f64; 5] = [6.0, 2.5, 1.6, 1.25, 1.1];

/// More minibatches than anyone waits for; what is not fetched is forgotten.
const MOST_KEPT: usize = 100_000;

/// One run of a workload.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: u64,
    model: &'static WorkloadModel,
    noise: Noise,
    random: ChaCha8Rng,
    /// By how much this run as a whole is slower, and hungrier, than the truth.
    offset: [f64; 2],
    started: u64,
    /// How much longer than the model's the current minibatch takes.
    factor: f64,
    /// The share of the current minibatch that is done, and the seconds that it took.
    done: f64,
    taken: f64,
    /// The time that the whole of the current minibatch takes if no clock changes within it.
    steady: Option<f64>,
    finished: Vec<f64>,
}

impl Run {
    /// Starts a run; none where the board does not have the workload at this batch size.
    pub(super) fn start(
        id: u64,
        workload: &Workload,
        batch_size: BatchSize,
        noise: Noise,
        seed: u64,
    ) -> Option<Self> {
        let model = WorkloadModel::of(workload, batch_size)?;
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ id.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let offset = [noise.time, noise.power].map(|sigma| lognormal(&mut random, sigma));
        let mut run = Self {
            id,
            model,
            noise,
            random,
            offset,
            started: 0,
            factor: 1.0,
            done: 0.0,
            taken: 0.0,
            steady: None,
            finished: Vec::new(),
        };
        run.begin_minibatch();
        Some(run)
    }

    /// What it draws at these clocks.
    pub(super) fn draws(&self, clocks: Clocks) -> Draws {
        self.model.at(clocks).1.scaled(self.offset[1])
    }

    /// Lets it run for some seconds with a share of the board.
    pub(super) fn pass(&mut self, clocks: Clocks, mut seconds: f64, share: f64) {
        let alone = self.model.profile(clocks).minibatch.get();
        while seconds > 0.0 {
            let whole = alone * self.factor / share;
            let steady = *self.steady.get_or_insert(whole);
            if steady != whole {
                self.steady = Some(f64::NAN);
            }
            let left = (1.0 - self.done) * whole;
            if left > seconds {
                self.done += seconds / whole;
                self.taken += seconds;
                return;
            }
            seconds -= left;
            let whole = self.steady.filter(|steady| !steady.is_nan());
            if self.finished.len() < MOST_KEPT {
                self.finished.push(whole.unwrap_or(self.taken + left));
            }
            self.begin_minibatch();
        }
    }

    fn begin_minibatch(&mut self) {
        let warm_up = WARM_UP.get(self.started as usize).copied().unwrap_or(1.0);
        let mut factor = warm_up * self.offset[0] * lognormal(&mut self.random, self.noise.time);
        let [chance, size] = [(); 2].map(|()| self.random.random::<f64>());
        if chance < self.noise.outliers {
            factor *= 1.5 + 1.5 * size;
        }
        (self.factor, self.done, self.taken, self.steady) = (factor, 0.0, 0.0, None);
        self.started += 1;
    }

    /// The times of the minibatches that ended since this was last asked.
    pub(super) fn take_finished(&mut self) -> Vec<f64> {
        std::mem::take(&mut self.finished)
    }
}

/// A factor about 1.
pub(super) fn lognormal(random: &mut ChaCha8Rng, sigma: f64) -> f64 {
    (sigma * random.sample::<f64, _>(StandardNormal)).exp()
}
