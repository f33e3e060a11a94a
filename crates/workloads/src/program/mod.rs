//! The program: trains or infers for a while, in turns or alone, and reports.

mod infer;
mod train;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use fulcrum_workloads::{Device, Error};
use serde::Serialize;

/// Trains or infers for real, taking turns on a board through its agent
#[derive(Parser)]
#[command(name = "fulcrum-workload", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Train a network
    Train(train::TrainArgs),
    /// Answer requests that arrive at a rate
    Infer(infer::InferArgs),
}

/// What both kinds have in common.
#[derive(Args)]
struct Shared {
    /// Network: resnet, mobilenet or lstm
    network: String,
    /// Where it runs: cpu, cpu:2 for two threads, cuda, cuda:1
    #[arg(long, default_value = "cpu")]
    device: Device,
    /// For how long
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    seconds: Duration,
    /// The agent's socket for workers; `FULCRUM_WORKER_SOCKET` or `/run/fulcrum/workers.sock` unless
    /// given
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Take no turns: run whenever there is something to run
    #[arg(long, conflicts_with = "socket")]
    alone: bool,
    /// What everything random follows from
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Shared {
    fn options(&self, batch_sizes: impl IntoIterator<Item = u32>) -> fulcrum_worker::Options {
        let options = fulcrum_worker::Options::new(self.network.clone(), batch_sizes);
        match (&self.socket, self.alone) {
            (Some(socket), _) => options.socket(socket),
            // Nobody listens there.
            (None, true) => options.socket("/dev/null"),
            (None, false) => options,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds < 1e7 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("is not a number of seconds above zero".into()),
    }
}

/// Runs the program; gives its report.
pub(crate) fn run(arguments: &Arguments) -> Result<String, Error> {
    match &arguments.what {
        What::Train(args) => train::run(args).map(|report| json(&report)),
        What::Infer(args) => infer::run(args).map(|report| json(&report)),
    }
}

fn json(report: &impl Serialize) -> String {
    // It is made of numbers and texts, which can always be written.
    serde_json::to_string(report).unwrap_or_default()
}
