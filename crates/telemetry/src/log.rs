//! The log of a process, on stderr.

use clap::ValueEnum;
use tracing::Level;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The least that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// What fails
    Error,
    /// What should be looked at
    Warn,
    /// What happens
    Info,
    /// What it does for that
    Debug,
    /// All there is
    Trace,
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        Self::from_level(match level {
            LogLevel::Error => Level::ERROR,
            LogLevel::Warn => Level::WARN,
            LogLevel::Info => Level::INFO,
            LogLevel::Debug => Level::DEBUG,
            LogLevel::Trace => Level::TRACE,
        })
    }
}

/// Starts the log, unless there is one in this process already.
pub fn start_log(level: LogLevel, format: LogFormat) {
    // Workers in these processes are simulated ones, which end with their agent: what they warn of,
    // it says itself.
    let filter =
        Targets::new().with_default(level).with_target("fulcrum_worker", LevelFilter::ERROR);
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let log = match format {
        LogFormat::Text => log.boxed(),
        LogFormat::Json => log.json().boxed(),
    };
    let _ = tracing_subscriber::registry().with(log.with_filter(filter)).try_init();
}
