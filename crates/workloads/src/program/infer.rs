//! `fulcrum-workload infer`.

use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use fulcrum_interleave::Moment;
use fulcrum_interleave::simulate::Arrivals;
use fulcrum_worker::Batcher;
use fulcrum_workloads::{Answer, Error, Predictor, Request, Samples};
use serde::Serialize;

use super::Shared;

#[derive(Args)]
pub(super) struct InferArgs {
    #[command(flatten)]
    shared: Shared,
    /// Batch sizes that it can run
    #[arg(long, value_name = "COUNT", value_delimiter = ',', default_value = "1,2,4,8,16")]
    batches: Vec<u32>,
    /// Requests a second
    #[arg(long, value_name = "RATE", default_value_t = 20.0)]
    rate: f64,
    /// How requests arrive
    #[arg(long, value_enum, default_value = "poisson")]
    arrivals: Arriving,
    /// Latency budget that the report holds the answers to, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 100.0)]
    budget_ms: f64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Arriving {
    /// Evenly spaced
    Constant,
    /// Independent of each other
    Poisson,
    /// In bursts
    Bursty,
}

/// What inference did. Latencies are from when a request was due to arrive to its answer.
#[derive(Serialize)]
pub(super) struct InferReport {
    network: String,
    seconds: f64,
    requests: usize,
    answered: usize,
    late: usize,
    late_ratio: f64,
    mean_batch_size: f64,
    p50_ms: f64,
    p99_ms: f64,
    longest_ms: f64,
}

pub(super) fn run(args: &InferArgs) -> Result<InferReport, Error> {
    let shared = &args.shared;
    let mut predictor = Predictor::new(&shared.network, shared.device, shared.seed)?;
    let samples: Vec<Vec<f32>> = Samples::new(predictor.network(), shared.seed)
        .take(64)
        .map(|sample| sample.values)
        .collect();
    let request = |id: u64| Request { id, values: samples[id as usize % samples.len()].clone() };
    // What the first minibatch sets up is nobody's turn.
    predictor.infer(&[request(0)])?;
    let infer = move |requests: Vec<Request>| -> Vec<(usize, Option<Answer>, Instant)> {
        let size = requests.len();
        let answers = predictor.infer(&requests).unwrap_or_default();
        let now = Instant::now();
        let mut answers = answers.into_iter();
        requests.iter().map(|_| (size, answers.next(), now)).collect()
    };
    let own = samples.clone();
    let mut place = 0;
    let sample = move || {
        place = (place + 1) % own.len();
        Request { id: u64::MAX, values: own[place].clone() }
    };
    let options = shared.options(args.batches.clone());
    let batcher = Batcher::start_with_samples(options, infer, sample)
        .map_err(|error| Error::Failed { reason: error.to_string() })?;
    let arrivals = match args.arrivals {
        Arriving::Constant => Arrivals::constant(args.rate),
        Arriving::Poisson => Arrivals::poisson(args.rate),
        Arriving::Bursty => Arrivals::bursty(args.rate),
    };
    let began = Instant::now();
    let mut pending = Vec::new();
    for (id, arrival) in (0u64..).zip(arrivals.moments(shared.seed)) {
        let after = arrival.since(Moment::START);
        if after >= shared.seconds {
            break;
        }
        let due = began + after;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        pending.push((id, due, batcher.submit(request(id))));
    }
    let requests = pending.len();
    let mut latencies = Vec::with_capacity(requests);
    let mut sizes = 0.0;
    for (id, due, answer) in pending {
        let Ok((size, Some(answer), at)) = answer.wait() else { continue };
        if answer.id == id {
            latencies.push(at.saturating_duration_since(due));
            sizes += 1.0 / size as f64;
        }
    }
    latencies.sort_unstable();
    let at = |share: f64| {
        let rank = (share * latencies.len() as f64).ceil() as usize;
        let found = latencies.get(rank.max(1) - 1).copied().unwrap_or_default();
        1e3 * found.as_secs_f64()
    };
    let budget = Duration::from_secs_f64(args.budget_ms / 1e3);
    let late = latencies.iter().filter(|latency| **latency > budget).count();
    Ok(InferReport {
        network: shared.network.clone(),
        seconds: began.elapsed().as_secs_f64(),
        requests,
        answered: latencies.len(),
        late,
        late_ratio: late as f64 / latencies.len().max(1) as f64,
        // Each minibatch of n counts n times 1/n.
        mean_batch_size: if sizes > 0.0 { latencies.len() as f64 / sizes } else { 0.0 },
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        longest_ms: at(1.0),
    })
}
