//! `fulcrum up`: a whole fleet in this process, with simulated boards and SQLite.

mod agent_thread;
mod local_fleet;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use fulcrum_api::Address;
use fulcrum_domain::Seconds;
use fulcrum_edge::page_address;
use fulcrum_telemetry::{LogFormat, LogLevel, start_log};

pub(crate) use local_fleet::{LocalFleet, Places};

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
    /// Where the scheduler serves its page and its metrics over HTTP; `none` for nowhere. The boards
    /// serve metrics too then, where /targets says
    #[arg(long, value_name = "ADDRESS", value_parser = http, default_value = "127.0.0.1:7621")]
    http: Http,
    /// Where the optimizer serves its metrics; `none` for nowhere
    #[arg(long, value_name = "ADDRESS", value_parser = http, default_value = "127.0.0.1:7611")]
    optimizer_http: Http,
    /// The least that is logged, on stderr
    #[arg(long, value_name = "LEVEL", value_enum, ignore_case = true, default_value = "warn")]
    log: LogLevel,
    /// Stop after this long; at Ctrl-C unless given
    #[arg(long = "for", value_name = "TIME")]
    time: Option<Seconds>,
}

/// An address for HTTP, or none.
#[derive(Debug, Clone, Copy)]
struct Http(Option<SocketAddr>);

fn http(text: &str) -> Result<Http, String> {
    match text {
        "none" => Ok(Http(None)),
        text => page_address(text)
            .map(|address| Http(Some(address)))
            .map_err(|why| format!("{why}, or `none` for nowhere")),
    }
}

/// Runs the fleet until it is interrupted.
pub(crate) fn run(args: &UpArgs) -> Result<Exit, Failure> {
    start_log(args.log, LogFormat::Text);
    let data = match &args.data {
        Some(folder) => folder.clone(),
        None => std::env::temp_dir().join(format!("fulcrum-up-{}", std::process::id())),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ran = runtime.block_on(async {
        let places = Places {
            scheduler: args.scheduler.clone(),
            optimizer: args.optimizer.clone(),
            http: args.http.0,
            optimizer_http: args.optimizer_http.0,
        };
        let fleet = LocalFleet::start(&data, args.boards, &places).await?;
        writeln!(
            std::io::stderr(),
            "{} simulated boards; scheduler at {}, optimizer at {}; Ctrl-C ends it",
            args.boards,
            args.scheduler,
            args.optimizer
        )?;
        if let Some(http) = args.http.0 {
            writeln!(std::io::stderr(), "page at http://{http}, metrics at http://{http}/metrics")?;
        }
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
