//! Strategies that find a plan, or build a front, while measuring as little as possible.
//!
//! A strategy is asked for its next [`Step`] and told what the measurement gave; it knows no board,
//! no clock and no file. The same code runs over a recorded table, a simulated board, and a real
//! one across the network.

mod als;
mod baselines;
mod bounds;
mod by_front;
mod conclusion;
mod gmd;
mod guided;
mod log;
mod procedure;
mod registry;
mod strategy;
mod task;

pub use als::Als;
pub use bounds::optimistic_front;
pub use by_front::ByFront;
pub use conclusion::conclude;
pub use guided::{Guided, Prior};
pub use log::Log;
pub use procedure::{ByProcedure, Halt, Probe, Procedure};
pub use registry::{Method, Recipe, UnknownStrategy, all, recipe};
pub use strategy::{FrontBuilder, Step, Strategy, build, run};
pub use task::{Allowance, Expected, FrontTask, GUARD_SIGMAS, Relative, Task};
