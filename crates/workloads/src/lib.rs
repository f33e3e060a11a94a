//! Real DNN training and inference, a minibatch at a time.
//!
//! A [`Trainer`] trains a network on samples that it draws itself: forward, backward, optimizer
//! step. A [`Predictor`] answers minibatches of [`Request`]s, as many at once as the caller likes.
//! Both come back when the device is done, so that the time of a call is the time of a minibatch;
//! neither starts anything that goes on afterwards.
//!
//! The networks are small, so that minibatches take milliseconds on one core, and what they learn
//! can be learned: gratings of ten kinds in noise for [`Network::Resnet`] and
//! [`Network::Mobilenet`], waves of ten frequencies for [`Network::Lstm`]. Accuracy is not the
//! point; a loss that falls shows that the work is real.
//!
//! On the CPU everything runs on threads of its own, one unless [`Device`] says otherwise. The
//! feature `cuda` adds NVIDIA GPUs.
//!
//! What minibatches cost is in the crate's README.

#[cfg(feature = "cuda")]
mod cuda;
mod device;
mod error;
mod inference;
mod initial_weights;
mod model;
mod network;
mod predictor;
mod samples;
mod thread_pool;
mod trainer;
mod training;

pub use device::{Device, DeviceError};
pub use error::Error;
pub use network::{Network, UnknownNetwork};
pub use predictor::{Answer, Predictor, Request};
pub use samples::{Sample, Samples};
pub use trainer::Trainer;

/// The largest minibatch of either kind. It bounds the memory: training on the processor at this
/// size was seen to need 150 MiB.
pub const MAX_BATCH_SIZE: u32 = 256;

/// How many classes the samples of every network have.
pub const CLASSES: usize = 10;
