//! The optimizer: searches as operations that can be watched, cancelled and taken up again, and
//! answers from what is stored.
//!
//! A search is a strategy of `fulcrum-search` that is told what is stored for its kind of board and
//! its workloads before it asks for the first measurement ([`told`]: of very much, a part). Each
//! reading is stored before the strategy is told of it. So a search that is taken up after a crash
//! repeats nothing, and a problem that earlier searches have answered is solved at once:
//! [`solving`] asks a strategy what it would measure, and where that is nothing, there is the answer.

mod config;
mod kept_points;
mod known;
mod known_board;
mod metrics;
mod profiles;
mod relatives;
mod run;
mod searches;
mod searching;
mod service;
mod solving;
mod told;

pub use config::Config;
pub use metrics::METRICS;
pub use run::{OptimizerError, run, serve};
