//! What the networks learn: samples drawn on the spot, whose classes differ by a pattern that noise
//! covers. The same seed draws the same samples.

mod gratings;
mod waves;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{CLASSES, Network};

/// One input and what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its class, below [`CLASSES`].
    pub class: usize,
    /// What a network sees of it, in the network's order.
    pub values: Vec<f32>,
}

/// An endless supply of samples for one network.
#[derive(Debug, Clone)]
pub struct Samples {
    network: Network,
    rng: ChaCha8Rng,
}

impl Samples {
    /// The samples that the seed draws for the network.
    pub fn new(network: Network, seed: u64) -> Self {
        Self { network, rng: ChaCha8Rng::seed_from_u64(seed) }
    }
}

impl Iterator for Samples {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        let class = self.rng.random_range(0..CLASSES);
        let values = match self.network {
            Network::Resnet | Network::Mobilenet => gratings::draw(class, &mut self.rng),
            Network::Lstm => waves::draw(class, &mut self.rng),
        };
        Some(Sample { class, values })
    }
}

/// The shapes of the samples.
pub(crate) mod shape {
    /// Channels, height and width of an image.
    pub(crate) const IMAGE: [usize; 3] = [3, 32, 32];
    /// Steps of a sequence, and values at each.
    pub(crate) const SEQUENCE: [usize; 2] = [32, 16];
}

/// How many values a sample for the network has.
pub(crate) fn values_per_sample(network: Network) -> usize {
    match network {
        Network::Resnet | Network::Mobilenet => shape::IMAGE.iter().product(),
        Network::Lstm => shape::SEQUENCE.iter().product(),
    }
}
