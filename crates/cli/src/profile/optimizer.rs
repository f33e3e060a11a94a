//! The optimizer that keeps the profiles.

use std::error::Error as _;

use clap::Args;
use fulcrum_api::{Address, OptimizerClient, connect_optimizer};
use tonic::{Code, Status};

use crate::agents::address;
use crate::exit::Failure;

/// Which optimizer.
#[derive(Debug, Clone, Args)]
pub(super) struct OneOptimizer {
    /// Where the optimizer listens: `unix:///run/fulcrum/optimizer.sock`, `http://host:port` or
    /// `host:port`
    #[arg(
        id = "optimizer", long = "optimizer", value_name = "ADDRESS", value_parser = address,
        env = "FULCRUM_OPTIMIZER", default_value = "unix:///run/fulcrum/optimizer.sock"
    )]
    pub(super) address: Address,
}

impl OneOptimizer {
    pub(super) async fn reach(&self) -> Result<OptimizerClient, Failure> {
        connect_optimizer(&self.address).await.map_err(|error| {
            let mut cause = error.source();
            while let Some(deeper) = cause.and_then(std::error::Error::source) {
                cause = Some(deeper);
            }
            let cause = cause.map_or_else(|| error.to_string(), ToString::to_string);
            Failure::unreachable(format_args!(
                "no optimizer answers at {}: {cause}; start fulcrum-optimizer, or name another \
                 with --optimizer",
                self.address
            ))
        })
    }

    /// What the optimizer says where it does not do what it was asked.
    pub(super) fn refused(&self, status: &Status) -> Failure {
        let message = format!("the optimizer at {}: {}", self.address, status.message());
        match status.code() {
            Code::InvalidArgument | Code::NotFound | Code::OutOfRange => {
                Failure::bad_input(message)
            }
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => {
                Failure::unreachable(message)
            }
            Code::PermissionDenied | Code::Unauthenticated | Code::ResourceExhausted => {
                Failure::refused(message)
            }
            code => Failure::Unexpected(anyhow::anyhow!("{message} ({code:?})")),
        }
    }
}
