//! Turns in virtual time: simulated workers under the very state machine that an agent runs.

mod arrivals;
mod device;
mod latency;
mod run;
mod worker;

pub use arrivals::{Arrivals, Process, Rate};
pub use device::{Execution, Jitter};
pub use latency::Latencies;
pub use run::{Report, Setup, Simulated, Turn, arrivals, simulate};
pub use worker::{Faults, Job, JobReport};
