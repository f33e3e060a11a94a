//! Where a network runs.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

/// Where a network runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Device {
    /// On the processor, with so many threads.
    Cpu {
        /// How many threads share the work of a minibatch.
        threads: NonZeroUsize,
    },
    /// On an NVIDIA GPU; needs the feature `cuda` and a driver.
    Cuda {
        /// Which GPU, as the driver counts them.
        index: usize,
    },
}

impl Device {
    /// One thread of the processor.
    pub const CPU: Self = Self::Cpu { threads: NonZeroUsize::MIN };
}

impl Default for Device {
    fn default() -> Self {
        Self::CPU
    }
}

impl fmt::Display for Device {
    /// `cpu:1`, `cuda:0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu { threads } => write!(f, "cpu:{threads}"),
            Self::Cuda { index } => write!(f, "cuda:{index}"),
        }
    }
}

impl FromStr for Device {
    type Err = DeviceError;

    /// `cpu`, `cpu:2` for two threads, `cuda`, `cuda:1` for the second GPU.
    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let (kind, number) = match text.split_once(':') {
            Some((kind, number)) => (kind, Some(number)),
            None => (text, None),
        };
        let device = match kind {
            "cpu" => {
                let threads = number.map_or(Ok(NonZeroUsize::MIN), str::parse);
                threads.ok().map(|threads| Self::Cpu { threads })
            }
            "cuda" => {
                let index = number.map_or(Ok(0), str::parse);
                index.ok().map(|index| Self::Cuda { index })
            }
            _ => None,
        };
        device.ok_or_else(|| DeviceError { text: text.to_owned() })
    }
}

/// A text that names no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown device `{text}`; write it like cpu, cpu:2 (threads), cuda or cuda:1 (which GPU)")]
pub struct DeviceError {
    text: String,
}
