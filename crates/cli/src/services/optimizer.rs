//! The optimizer that keeps the profiles.

use clap::Args;
use fulcrum_api::{Address, OptimizerClient, connect_optimizer};
use tonic::Status;

use super::refusal::{refused, unreachable};
use crate::agents::address;
use crate::exit::Failure;

/// Where an optimizer listens unless it is told otherwise.
pub(crate) const DEFAULT_OPTIMIZER: &str = "http://127.0.0.1:7610";

/// Which optimizer.
#[derive(Debug, Clone, Args)]
pub(crate) struct OneOptimizer {
    /// Where the optimizer listens: `unix:///run/fulcrum/optimizer.sock`, `https://host:port`, or
    /// `http://host:port` without TLS
    #[arg(
        id = "optimizer", long = "optimizer", value_name = "ADDRESS", value_parser = address,
        env = "FULCRUM_OPTIMIZER", default_value = DEFAULT_OPTIMIZER
    )]
    pub(crate) address: Address,
}

impl OneOptimizer {
    pub(crate) async fn reach(&self) -> Result<OptimizerClient, Failure> {
        let connected = connect_optimizer(&self.address).await;
        connected.map_err(|error| unreachable("optimizer", &self.address, &error))
    }

    /// What the optimizer says where it does not do what it was asked.
    pub(crate) fn refused(&self, status: &Status) -> Failure {
        refused("optimizer", &self.address, status)
    }
}
