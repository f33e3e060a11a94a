//! Workloads, and what one measurement of a workload says.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;

use crate::mode_space::ModeId;
use crate::units::{Seconds, Watts};

/// Whether a workload trains or infers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WorkloadKind {
    /// Training: forward, backward, optimizer step.
    Train,
    /// Inference: forward only, on requests that arrive.
    Infer,
}

impl WorkloadKind {
    /// `train` or `infer`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Infer => "infer",
        }
    }
}

impl fmt::Display for WorkloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for WorkloadKind {
    type Err = UnknownKind;
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        match text {
            "train" => Ok(Self::Train),
            "infer" => Ok(Self::Infer),
            _ => Err(UnknownKind(text.to_owned())),
        }
    }
}

/// A text that names no kind of workload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind `{0}`; it is `train` or `infer`")]
pub struct UnknownKind(String);

/// One DNN that trains, or one that infers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Workload {
    /// The network's name.
    pub name: Arc<str>,
    /// Whether it trains or infers.
    pub kind: WorkloadKind,
}

impl Workload {
    /// A network that trains.
    pub fn train(name: &str) -> Self {
        Self { name: name.into(), kind: WorkloadKind::Train }
    }

    /// A network that infers.
    pub fn infer(name: &str) -> Self {
        Self { name: name.into(), kind: WorkloadKind::Infer }
    }
}

impl fmt::Display for Workload {
    /// `resnet18 train`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind)
    }
}

/// How many samples or requests go into one minibatch; never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BatchSize(NonZeroU32);

impl BatchSize {
    /// One request a minibatch.
    pub const ONE: Self = Self(NonZeroU32::MIN);

    /// A batch size, unless it is zero.
    pub fn new(size: u32) -> Option<Self> {
        NonZeroU32::new(size).map(Self)
    }

    /// The number of samples or requests.
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The same, as a factor in a formula.
    pub fn as_f64(self) -> f64 {
        f64::from(self.get())
    }
}

impl fmt::Display for BatchSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The two places a workload can take in a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Runs in whatever time is left, as often as it can: training, or an inference without a
    /// latency budget.
    Background,
    /// Answers requests that arrive, each within the latency budget.
    Urgent,
}

/// What one measurement of a workload at a power mode (and batch size) says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    /// The time of one minibatch, t.
    pub minibatch: Seconds,
    /// The power drawn meanwhile, p.
    pub power: Watts,
    /// The relative standard error of both readings: 0 where they are exact, 0.02 where repeating
    /// the measurement would give values some 2 % apart.
    pub error: f64,
}

impl Profile {
    /// A profile whose readings are exact.
    pub const fn exact(minibatch: Seconds, power: Watts) -> Self {
        Self { minibatch, power, error: 0.0 }
    }

    /// The profile to plan with when the readings may be too good by `sigmas` standard errors:
    /// slower and hungrier by as much.
    #[must_use]
    pub fn guarded(self, sigmas: f64) -> Self {
        let factor = 1.0 + sigmas * self.error;
        Self { minibatch: self.minibatch * factor, power: self.power * factor, ..self }
    }
}

/// One thing to measure: the workload of a role, at a power mode and a batch size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Measurement {
    /// The power mode to set.
    pub mode: ModeId,
    /// Which of the problem's workloads to run.
    pub role: Role,
    /// The size of its minibatches.
    pub batch_size: BatchSize,
}
