//! Why a minibatch cannot be run.

use crate::network::UnknownNetwork;
use crate::{Device, MAX_BATCH_SIZE};

/// Why a network cannot be set up, or a minibatch not be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no network of that name.
    #[error(transparent)]
    UnknownNetwork(#[from] UnknownNetwork),
    /// A minibatch of a size that is not offered.
    #[error("a minibatch of {size} is out of range; it holds 1 to {MAX_BATCH_SIZE}")]
    BatchSize {
        /// How many samples or requests were asked for.
        size: usize,
    },
    /// A request whose input does not fit the network.
    #[error("request {id} has {found} values; the network takes {expected}")]
    InputLength {
        /// The request.
        id: u64,
        /// How many values it has.
        found: usize,
        /// How many it should have.
        expected: usize,
    },
    /// The device is not here, or this program was built without it.
    #[error("the device {device} cannot be used: {reason}")]
    Unavailable {
        /// The device.
        device: Device,
        /// What is missing.
        reason: String,
    },
    /// The device failed in the midst of the work.
    #[error("the device failed: {reason}")]
    Failed {
        /// What it said.
        reason: String,
    },
}

impl Error {
    #[cfg(not(feature = "cuda"))]
    pub(crate) fn without_cuda(device: Device) -> Self {
        let reason = "this program was built without the feature `cuda`".to_owned();
        Self::Unavailable { device, reason }
    }

    /// What the device said.
    pub(crate) fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed { reason: error.to_string() }
    }
}
