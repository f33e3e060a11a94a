//! `fulcrum-workload train`.

use std::time::Instant;

use clap::Args;
use fulcrum_domain::BatchSize;
use fulcrum_workloads::{Device, Error, Trainer};
use serde::Serialize;

use super::Shared;

#[derive(Args)]
pub(super) struct TrainArgs {
    #[command(flatten)]
    shared: Shared,
    /// Size of the minibatches
    #[arg(long, value_name = "COUNT", default_value_t = 16)]
    batch: u32,
    /// Let requests wait for the end of a minibatch, as on a GPU, though a processor is preempted
    #[arg(long)]
    whole_minibatches: bool,
}

/// What training did.
#[derive(Serialize)]
pub(super) struct TrainReport {
    network: String,
    batch_size: u32,
    seconds: f64,
    minibatches: u64,
    minibatches_per_second: f64,
    /// The mean of the first and of the last tenth of the minibatches, in nats.
    first_loss: f64,
    last_loss: f64,
}

pub(super) fn run(args: &TrainArgs) -> Result<TrainReport, Error> {
    let size = BatchSize::new(args.batch).unwrap_or(BatchSize::ONE);
    let shared = &args.shared;
    let mut network = Trainer::new(&shared.network, size, shared.device, shared.seed)?;
    // What the first minibatch sets up is nobody's turn.
    let mut losses = vec![network.minibatch()?];
    let mut options = shared.options([size.get()]);
    if matches!(shared.device, Device::Cpu { .. }) && !args.whole_minibatches {
        options = options.preemptible();
    }
    let mut turns = fulcrum_worker::Trainer::attach(options);
    let began = Instant::now();
    while began.elapsed() < shared.seconds {
        losses.push(turns.minibatch(|| network.minibatch())?);
    }
    let seconds = began.elapsed().as_secs_f64();
    let minibatches = losses.len() as u64 - 1;
    let tenth = losses.len().div_ceil(10);
    let mean = |losses: &[f32]| {
        losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() / losses.len() as f64
    };
    Ok(TrainReport {
        network: shared.network.clone(),
        batch_size: size.get(),
        seconds,
        minibatches,
        minibatches_per_second: minibatches as f64 / seconds,
        first_loss: mean(&losses[..tenth]),
        last_loss: mean(&losses[losses.len() - tenth..]),
    })
}
