//! A service's process: its usual arguments, its clock, being stopped.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use fulcrum_api::Address;
use fulcrum_edge::{EdgeArgs, page_address};
use fulcrum_telemetry::{LogFormat, LogLevel, OtlpArgs};
use tokio::signal::unix::{SignalKind, signal};

/// What every service is told.
#[expect(clippy::doc_markdown, reason = "these are shown to people as they stand")]
#[derive(Debug, Clone, Args)]
pub struct ServiceArgs {
    /// Database to keep things in: postgres://user@host/name or sqlite:/path/fulcrum.db
    #[arg(
        long,
        env = "FULCRUM_STORE",
        value_name = "ADDRESS",
        default_value = "sqlite:fulcrum.db",
        hide_env_values = true
    )]
    pub store: String,
    /// The least that is logged
    #[arg(
        long,
        env = "FULCRUM_LOG",
        value_name = "LEVEL",
        value_enum,
        ignore_case = true,
        default_value = "info"
    )]
    pub log: LogLevel,
    /// How to write the log, on stderr
    #[arg(long, env = "FULCRUM_LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,
    /// Where to listen: unix:///run/fulcrum/name.sock, https://host:port with --credentials, or
    /// http://host:port, where whoever reaches it may ask for anything
    #[arg(long, env = "FULCRUM_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<Address>,
    /// Where to serve metrics over HTTP, at /metrics; a scheduler also serves its page: 127.0.0.1:7621
    #[arg(long, env = "FULCRUM_HTTP", value_name = "ADDRESS", value_parser = page_address)]
    pub http: Option<SocketAddr>,
    /// Where metrics are sent to.
    #[command(flatten)]
    pub otlp: OtlpArgs,
    /// Who is let in, and how much of them.
    #[command(flatten)]
    pub edge: EdgeArgs,
}

/// Waits until the process is asked to end.
///
/// # Errors
/// When signals cannot be caught.
pub async fn asked_to_stop() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// The wall clock, in milliseconds since 1970.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A time of the wall clock from milliseconds since 1970.
pub fn time_of_ms(ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap_or_default())
}
