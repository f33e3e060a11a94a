//! The agent of one board.
//!
//! Pure cores decide: the [`lease`], the [`limits`] of what may be set, the [`guard`]s that step
//! down, [`settling`] and [`measuring`] with its statistics, the [`energy`] counter and the
//! [`history`]. Shells act:
//! one thread owns the board, `control` passes every change through lease, limits and journal, the
//! sampler reads, and the service answers.

mod attached_workers;
mod board_thread;
mod config;
mod control;
mod described;
pub mod energy;
mod following;
pub mod guard;
pub mod history;
mod journal;
pub mod lease;
pub mod limits;
mod measure;
pub mod measuring;
mod metrics;
mod open_board;
mod requests;
mod run;
mod sampled_turns;
mod sampler;
mod serve;
mod service;
pub mod settling;
mod status;
mod turn_service;
mod turns;
mod windows;
mod workers;
mod workload_totals;

pub use config::{Config, Kind, Threshold};
pub use metrics::METRICS;
pub use run::{AgentError, run, run_until};
pub use serve::Ended;
