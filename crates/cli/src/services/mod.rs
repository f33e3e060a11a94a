//! The services of a fleet: where they are, and how they refuse.

mod optimizer;
mod refusal;
mod scheduler;

pub(crate) use optimizer::{DEFAULT_OPTIMIZER, OneOptimizer};
pub(crate) use scheduler::{DEFAULT_SCHEDULER, OneScheduler};
