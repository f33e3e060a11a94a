//! Noise on readings, the same whenever and in whatever order a measurement is made.

use std::collections::HashMap;

use fulcrum_domain::{BatchSize, ModeId, ModeSpace, Profile, Workload};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// How readings scatter about the truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// The lognormal sigma of the time: 0.02 for readings some 2 % apart.
    pub time: f64,
    /// The lognormal sigma of the power.
    pub power: f64,
    /// The share of readings that are far off: a power that reads 0.3 to 0.7 of the true one, or a
    /// minibatch that takes 1.5 to 3 times as long.
    pub outliers: f64,
}

impl Noise {
    /// Readings that are exact.
    pub const NONE: Self = Self { time: 0.0, power: 0.0, outliers: 0.0 };

    /// The same sigma for time and power, and no outliers.
    pub const fn lognormal(sigma: f64) -> Self {
        Self { time: sigma, power: sigma, outliers: 0.0 }
    }

    /// A reading of a true profile. Its error is the larger of the two sigmas; outliers do not
    /// count into it, as no repetition would tell of them.
    fn disturb(self, truth: Profile, random: &mut impl Rng) -> Profile {
        let mut factor = |sigma: f64| (sigma * random.sample::<f64, _>(StandardNormal)).exp();
        let (mut time, mut power) = (factor(self.time), factor(self.power));
        // Drawn always, so that a share of zero leaves the other readings as they were.
        let (chance, which, size) =
            (random.random::<f64>(), random.random::<bool>(), random.random::<f64>());
        if chance < self.outliers {
            if which {
                power *= 0.3 + 0.4 * size;
            } else {
                time *= 1.5 + 1.5 * size;
            }
        }
        Profile {
            minibatch: truth.minibatch * time,
            power: truth.power * power,
            error: self.time.max(self.power),
        }
    }
}

/// Turns true profiles into readings.
///
/// A reading follows from the seed, the workload, the mode's levels, the batch size and how often
/// it was read before: not from what else was read, nor when.
#[derive(Debug, Clone)]
pub(crate) struct Readings {
    noise: Noise,
    seed: u64,
    repeats: HashMap<(u64, ModeId, BatchSize), u64>,
}

impl Readings {
    pub(crate) fn new(noise: Noise, seed: u64) -> Self {
        Self { noise, seed, repeats: HashMap::new() }
    }

    /// Reads a profile once more.
    pub(crate) fn read(
        &mut self,
        truth: Profile,
        space: &ModeSpace,
        workload: &Workload,
        mode: ModeId,
        batch_size: BatchSize,
    ) -> Profile {
        if self.noise == Noise::NONE {
            return truth;
        }
        let name = workload.name.bytes().fold(mix(workload.kind as u64), |hash, byte| {
            // FNV-1a: the standard library's hashes may change from one release to the next.
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let repeat = self.repeats.entry((name, mode, batch_size)).or_insert(0);
        let levels = space.levels(mode).map(f64::to_bits);
        let parts = [name, u64::from(batch_size.get()), *repeat].into_iter().chain(levels);
        let seed = parts.fold(mix(self.seed), |hash, part| mix(hash ^ mix(part)));
        *repeat += 1;
        self.noise.disturb(truth, &mut ChaCha8Rng::seed_from_u64(seed))
    }
}

/// The finaliser of `SplitMix64`: every bit of the result depends on every bit of the input.
fn mix(input: u64) -> u64 {
    let mut x = input.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
