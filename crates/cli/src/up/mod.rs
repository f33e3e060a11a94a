//! `fulcrum up`: a whole fleet in this process, with simulated boards and SQLite.

mod agent_thread;
mod local_fleet;

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use fulcrum_api::Address;
use fulcrum_domain::Seconds;

pub(crate) use local_fleet::LocalFleet;

use crate::agents::{address, interrupted};
use crate::arguments::duration;
use crate::exit::{Exit, Failure};
use crate::services::{DEFAULT_OPTIMIZER, DEFAULT_SCHEDULER};

/// Arguments of `fulcrum up`.
#[derive(Args)]
pub(crate) struct UpArgs {
    /// So many simulated boards, named simulated-1, simulated-2 and so on
    #[arg(long, value_name = "COUNT", default_value_t = 3,
        value_parser = clap::value_parser!(u32).range(0..=64))]
    boards: u32,
    /// Folder to keep everything in; one that is gone at the end unless given
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the scheduler listens
    #[arg(long, value_name = "ADDRESS", value_parser = address, default_value = DEFAULT_SCHEDULER)]
    scheduler: Address,
    /// Where the optimizer listens
    #[arg(long, value_name = "ADDRESS", value_parser = address, default_value = DEFAULT_OPTIMIZER)]
    optimizer: Address,
    /// What to log, on stderr: error, warn, info, debug, trace
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    log: String,
    /// Stop after this long; at Ctrl-C unless given
    #[arg(long = "for", value_name = "TIME")]
    time: Option<Seconds>,
}

/// Runs the fleet until it is interrupted.
pub(crate) fn run(args: &UpArgs) -> Result<Exit, Failure> {
    fulcrum_service::start_log(&args.log, fulcrum_service::LogFormat::Text);
    let data = match &args.data {
        Some(folder) => folder.clone(),
        None => std::env::temp_dir().join(format!("fulcrum-up-{}", std::process::id())),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ran = runtime.block_on(async {
        let fleet = LocalFleet::start(&data, args.boards, &args.scheduler, &args.optimizer).await?;
        writeln!(
            std::io::stderr(),
            "{} simulated boards; scheduler at {}, optimizer at {}; Ctrl-C ends it",
            args.boards,
            args.scheduler,
            args.optimizer
        )?;
        match args.time {
            Some(time) => tokio::select! {
                () = tokio::time::sleep(duration(time)) => {}
                caught = interrupted() => caught?,
            },
            None => interrupted().await?,
        }
        fleet.stop().await;
        Ok(Exit::Solved)
    });
    if args.data.is_none() {
        let _ = std::fs::remove_dir_all(&data);
    }
    ran
}
