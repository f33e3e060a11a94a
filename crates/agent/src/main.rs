//! `fulcrum-agent`: speaks for one board.

use std::io::Write as _;
use std::process::ExitCode;

use fulcrum_agent::{Config, run};
use fulcrum_telemetry::start_log;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let (config, origins) = match Config::load(&arguments) {
        Ok(loaded) => loaded,
        Err(error) => error.exit(),
    };
    if config.print_config {
        let printed = std::io::stdout().write_all(origins.as_bytes());
        return if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    start_log(config.log, config.log_format);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(run(&config)).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error, "the agent ends");
            ExitCode::FAILURE
        }
    }
}
