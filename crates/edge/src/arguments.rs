//! What every process is told of its edge.

use std::path::PathBuf;

use clap::Args;

use crate::limits::Limits;

/// What every process is told of its edge.
#[derive(Debug, Clone, Default, Args)]
pub struct EdgeArgs {
    /// Folder of ca.pem, cert.pem, key.pem and token: whom to believe, and what to show of itself.
    /// Its files are read again when they change
    #[arg(long, env = "FULCRUM_CREDENTIALS", value_name = "DIR")]
    pub credentials: Option<PathBuf>,
    /// File of the tokens that are let in and of names that are not any more; read again when it
    /// changes
    #[arg(long, env = "FULCRUM_ACCESS", value_name = "FILE")]
    pub access: Option<PathBuf>,
    /// File to append a line of JSON to for every control action; without one they go to the log
    #[arg(long, env = "FULCRUM_AUDIT", value_name = "FILE")]
    pub audit: Option<PathBuf>,
    /// Serve http:// beyond this machine: whoever reaches it may read all that is said, and ask for
    /// anything
    #[arg(long, env = "FULCRUM_ALLOW_PLAIN", value_name = "true|false", num_args = 0..=1,
        require_equals = true, default_value = "false", default_missing_value = "true")]
    pub allow_plain: bool,
    /// Most connections at a time to each address that is listened at
    #[arg(long, env = "FULCRUM_CONNECTIONS", value_name = "COUNT",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub connections: Option<u32>,
    /// Most connections at a time from one address, or of one user of this machine
    #[arg(long, env = "FULCRUM_CONNECTIONS_EACH", value_name = "COUNT",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub connections_each: Option<u32>,
    /// Most calls a second of one who calls, in the long run; five times as many at once
    #[arg(long, env = "FULCRUM_CALLS_A_SECOND", value_name = "COUNT",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub calls_a_second: Option<u32>,
}

impl EdgeArgs {
    /// How much is let in at a time: what is told, and else what is usual.
    pub(crate) fn limits(&self, usual: Limits) -> Limits {
        let count = |told: Option<u32>, usual: usize| {
            told.map_or(usual, |told| usize::try_from(told).unwrap_or(usize::MAX))
        };
        Limits {
            connections: count(self.connections, usual.connections),
            connections_each: count(self.connections_each, usual.connections_each),
            calls_a_second: self.calls_a_second.map_or(usual.calls_a_second, f64::from),
        }
    }
}
