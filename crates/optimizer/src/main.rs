//! `fulcrum-optimizer`: finds plans while measuring as little as possible, and keeps every profile.

use std::process::ExitCode;

use clap::Parser as _;
use fulcrum_optimizer::{Config, run};
use fulcrum_telemetry::start_log;

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::parse();
    start_log(config.service().log, config.service().log_format);
    match run(&config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the optimizer ends");
            ExitCode::FAILURE
        }
    }
}
