//! Inference by name.

use std::fmt;

use rayon::ThreadPool;

use crate::inference::{self, Inference};
use crate::samples::values_per_sample;
use crate::{CLASSES, Device, Error, MAX_BATCH_SIZE, Network, thread_pool};

/// An input that waits for an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What the answer will be known by; any number.
    pub id: u64,
    /// What the network is to look at: as many values as a [`Sample`](crate::Sample) of it has.
    pub values: Vec<f32>,
}

/// What the network makes of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// The request's.
    pub id: u64,
    /// The class that the network believes in most.
    pub class: usize,
    /// How much it does, as a share of one.
    pub score: f32,
}

/// A network that answers, a minibatch at a time.
pub struct Predictor {
    network: Network,
    inference: Box<dyn Inference>,
    threads: ThreadPool,
}

impl Predictor {
    /// Sets a network up with the weights that the seed draws: those that a
    /// [`Trainer`](crate::Trainer) of the same seed begins with. It has learned nothing, which
    /// changes its answers and not what they cost.
    ///
    /// # Errors
    /// When there is no such network, and when the device cannot be used.
    pub fn new(name: &str, device: Device, seed: u64) -> Result<Self, Error> {
        let network: Network = name.parse()?;
        let threads = thread_pool::for_device(device)?;
        let inference = threads.install(|| inference::on(device, network, seed))?;
        Ok(Self::from_parts(network, inference, threads))
    }

    pub(crate) fn from_parts(
        network: Network,
        inference: Box<dyn Inference>,
        threads: ThreadPool,
    ) -> Self {
        Self { network, inference, threads }
    }

    /// Answers all requests in one minibatch, in their order. Returns when the device is done. An
    /// answer does not depend on what else is in the minibatch, save for rounding.
    ///
    /// # Errors
    /// When there are no requests or more than [`MAX_BATCH_SIZE`], when one does not fit the
    /// network, and when the device fails.
    pub fn infer(&mut self, requests: &[Request]) -> Result<Vec<Answer>, Error> {
        if requests.is_empty() || requests.len() > MAX_BATCH_SIZE as usize {
            return Err(Error::BatchSize { size: requests.len() });
        }
        let expected = values_per_sample(self.network);
        if let Some(misfit) = requests.iter().find(|request| request.values.len() != expected) {
            let found = misfit.values.len();
            return Err(Error::InputLength { id: misfit.id, found, expected });
        }
        let inputs: Vec<&[f32]> = requests.iter().map(|request| &*request.values).collect();
        let Self { inference, threads, .. } = self;
        let scores = threads.install(|| inference.minibatch(&inputs))?;
        Ok(requests.iter().zip(&scores).map(|(request, scores)| answer(request, scores)).collect())
    }

    /// Which network answers.
    pub const fn network(&self) -> Network {
        self.network
    }
}

fn answer(request: &Request, scores: &[f32; CLASSES]) -> Answer {
    let best = scores.iter().copied().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
    let (class, score) = best.unwrap_or((0, f32::NAN));
    Answer { id: request.id, class, score }
}

impl fmt::Debug for Predictor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Predictor({})", self.network)
    }
}
