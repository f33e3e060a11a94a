//! The scheduler: keeps jobs running on the boards of a fleet.
//!
//! Pure cores decide: [`assignment`] of boards to jobs, [`site_power`] shared out over boards,
//! [`rollout`] of changes step by step, [`drift`] of what is seen from what was planned. Shells act:
//! of several replicas one leads (`leading`); it looks at what is wanted and tells each board's
//! driver (`fleet`); a driver reaches its board (`link`), has plans made (`planner`) and puts them
//! into force, and holds the windows that come back against them (`driver`). What is wanted and how
//! everything stands is in the store, so that any replica answers (`service`) and any can take over.

pub mod assignment;
mod bell;
mod config;
pub mod drift;
mod driver;
mod fleet;
mod http;
mod in_scope;
mod job;
mod keeper;
mod leading;
mod link;
mod made_plan;
mod page;
mod planner;
pub mod rollout;
mod run;
mod seen;
mod service;
pub mod site_power;
mod term;
mod wanted_from_wire;

pub use config::{Config, Habits};
pub use http::METRICS;
pub use keeper::Keeps;
pub use run::{SchedulerError, run, serve};
