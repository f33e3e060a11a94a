//! The scheduler that keeps a fleet's jobs running.

use clap::Args;
use fulcrum_api::{Address, SchedulerClient, connect_scheduler};
use tonic::Status;

use super::refusal::{refused, unreachable};
use crate::agents::address;
use crate::exit::Failure;

/// Where a scheduler listens unless it is told otherwise.
pub(crate) const DEFAULT_SCHEDULER: &str = "http://127.0.0.1:7620";

/// Which scheduler.
#[derive(Debug, Clone, Args)]
pub(crate) struct OneScheduler {
    /// Where the scheduler listens: `unix:///run/fulcrum/scheduler.sock`, `https://host:port`, or
    /// `http://host:port` without TLS
    #[arg(
        id = "scheduler", long = "scheduler", value_name = "ADDRESS", value_parser = address,
        env = "FULCRUM_SCHEDULER", default_value = DEFAULT_SCHEDULER
    )]
    pub(crate) address: Address,
}

impl OneScheduler {
    pub(crate) async fn reach(&self) -> Result<SchedulerClient, Failure> {
        let connected = connect_scheduler(&self.address).await;
        connected.map_err(|error| unreachable("scheduler", &self.address, &error))
    }

    /// What the scheduler says where it does not do what it was asked.
    pub(crate) fn refused(&self, status: &Status) -> Failure {
        refused("scheduler", &self.address, status)
    }
}
