//! The optimizer's configuration.

use clap::Parser;
use fulcrum_service::ServiceArgs;

/// Finds plans while measuring as little as possible, and keeps every profile
///
/// Every setting can be given as a flag or as an environment variable; flags win.
#[derive(Debug, Clone, Parser)]
#[command(name = "fulcrum-optimizer", version)]
pub struct Config {
    #[command(flatten)]
    pub(crate) service: ServiceArgs,
    /// So many searches go on at a time; others wait
    #[arg(long, env = "FULCRUM_OPTIMIZER_SEARCHES", value_name = "COUNT", default_value_t = 8)]
    pub(crate) searches: usize,
}

impl Config {
    /// What every service is told.
    pub const fn service(&self) -> &ServiceArgs {
        &self.service
    }

    /// The usual settings with a store.
    pub fn with_store(store: String) -> Self {
        let mut config = Self::parse_from(["fulcrum-optimizer"]);
        config.service.store = store;
        config
    }
}
