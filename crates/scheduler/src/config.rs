//! The scheduler's configuration.

use std::time::Duration;

use clap::Parser;
use fulcrum_api::Address;
use fulcrum_service::ServiceArgs;

use crate::keeper::Keeps;

/// Keeps jobs running on the boards of a fleet
///
/// Every setting can be given as a flag or as an environment variable; flags win.
#[expect(clippy::doc_markdown, reason = "these are shown to people as they stand")]
#[derive(Debug, Clone, Parser)]
#[command(name = "fulcrum-scheduler", version)]
pub struct Config {
    #[command(flatten)]
    pub(crate) service: ServiceArgs,
    /// Optimizer to get plans from: unix:///run/fulcrum/optimizer.sock or http://host:port
    #[arg(
        long,
        env = "FULCRUM_OPTIMIZER",
        value_name = "ADDRESS",
        default_value = "http://127.0.0.1:7610"
    )]
    pub(crate) optimizer: Address,
    /// Hours for which windows of what jobs did are kept
    #[arg(long, env = "FULCRUM_SCHEDULER_KEEP_HOURS", value_name = "HOURS", default_value_t = 1)]
    pub(crate) keep_hours: u32,
    /// Days for which events of jobs, and plans that others have followed, are kept
    #[arg(
        long,
        env = "FULCRUM_SCHEDULER_KEEP_HISTORY_DAYS",
        value_name = "DAYS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(1..=36_500)
    )]
    pub(crate) keep_history_days: u32,
    /// Seconds after which another replica leads in place of one that is gone
    #[arg(
        long,
        env = "FULCRUM_SCHEDULER_TAKEOVER_SECONDS",
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=600)
    )]
    pub(crate) takeover_seconds: u32,
}

impl Config {
    /// What every service is told.
    pub const fn service(&self) -> &ServiceArgs {
        &self.service
    }

    pub(crate) const fn habits(&self) -> Habits {
        Habits {
            keeps: Keeps {
                windows: Duration::from_hours(self.keep_hours as u64),
                history: Duration::from_hours(24 * self.keep_history_days as u64),
            },
            takeover: Duration::from_secs(self.takeover_seconds as u64),
        }
    }
}

/// How long things last for a scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// For how long things are kept.
    pub keeps: Keeps,
    /// Another replica leads in place of one that is gone after this.
    pub takeover: Duration,
}

impl Default for Habits {
    fn default() -> Self {
        let keeps =
            Keeps { windows: Duration::from_hours(1), history: Duration::from_hours(30 * 24) };
        Self { keeps, takeover: Duration::from_secs(10) }
    }
}
