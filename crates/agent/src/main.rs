//! `fulcrum-agent`: speaks for one board.

use std::io::Write as _;
use std::process::ExitCode;

use fulcrum_agent::{Config, LogFormat, run};
use tracing_subscriber::EnvFilter;

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
    start_log(&config);
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

fn start_log(config: &Config) {
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
