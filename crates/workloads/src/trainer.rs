//! Training by name.

use std::fmt;

use fulcrum_domain::BatchSize;
use rayon::ThreadPool;

use crate::training::{self, Training};
use crate::{Device, Error, MAX_BATCH_SIZE, Network, Predictor, Samples, thread_pool};

/// A network that trains, a minibatch at a time.
pub struct Trainer {
    network: Network,
    batch_size: BatchSize,
    samples: Samples,
    training: Box<dyn Training>,
    device: Device,
    threads: ThreadPool,
}

impl Trainer {
    /// Sets a network up. Weights and samples are drawn from the seed: on one thread of a processor
    /// the same seed has the same losses. Minibatches of one hardly learn: the image networks normalise
    /// over the minibatch.
    ///
    /// # Errors
    /// When there is no such network, when the minibatches are larger than [`MAX_BATCH_SIZE`], and
    /// when the device cannot be used.
    pub fn new(
        name: &str,
        batch_size: BatchSize,
        device: Device,
        seed: u64,
    ) -> Result<Self, Error> {
        let network: Network = name.parse()?;
        if batch_size.get() > MAX_BATCH_SIZE {
            return Err(Error::BatchSize { size: batch_size.get() as usize });
        }
        let threads = thread_pool::for_device(device)?;
        let training = threads.install(|| training::on(device, network, seed))?;
        let samples = Samples::new(network, seed);
        Ok(Self { network, batch_size, samples, training, device, threads })
    }

    /// Trains on the next minibatch: draws its samples, goes forward and backward, and lets the
    /// optimizer change the weights. Returns when the device is done, with the loss that the
    /// minibatch had before the change: the mean cross-entropy, in nats.
    ///
    /// # Errors
    /// When the device fails.
    pub fn minibatch(&mut self) -> Result<f32, Error> {
        let size = self.batch_size.get() as usize;
        let Self { samples, training, threads, .. } = self;
        threads.install(|| {
            let samples: Vec<_> = samples.take(size).collect();
            training.minibatch(&samples)
        })
    }

    /// A predictor with what has been learned so far; training further does not change it.
    ///
    /// # Errors
    /// When no threads can be started for it.
    pub fn predictor(&self) -> Result<Predictor, Error> {
        let threads = thread_pool::for_device(self.device)?;
        let inference = self.threads.install(|| self.training.inference());
        Ok(Predictor::from_parts(self.network, inference, threads))
    }

    /// Which network trains.
    pub const fn network(&self) -> Network {
        self.network
    }
}

impl fmt::Debug for Trainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trainer({}, {} on {})", self.network, self.batch_size, self.device)
    }
}
