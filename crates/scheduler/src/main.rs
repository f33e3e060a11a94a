//! `fulcrum-scheduler`: keeps jobs running on the boards of a fleet.

use std::process::ExitCode;

use clap::Parser as _;
use fulcrum_scheduler::{Config, run};
use fulcrum_telemetry::start_log;

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::parse();
    start_log(config.service().log, config.service().log_format);
    match run(&config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the scheduler ends");
            ExitCode::FAILURE
        }
    }
}
