//! What minibatches of a network cost here, and whether it learns:
//! `cargo run --release -p fulcrum-workloads --example minibatches -- resnet 8`. After the batch
//! size may follow a device (`cpu:2`) and how many minibatches to count.

use std::error::Error;
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use fulcrum_domain::BatchSize;
use fulcrum_workloads::{Device, Predictor, Request, Samples, Trainer};

const SEED: u64 = 1;
/// Minibatches at the start that are not counted: caches and allocators fill.
const WARM_UP: usize = 5;
/// How many losses at the start and at the end are compared, since single ones scatter.
const COMPARED: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("name a network, and after it a batch size")?;
    let size: u32 = arguments.next().ok_or("after the network name a batch size")?.parse()?;
    let size = BatchSize::new(size).ok_or("a minibatch holds one sample or more")?;
    let device: Device = arguments.next().map_or(Ok(Device::CPU), |text| text.parse())?;
    let count: usize = arguments.next().map_or(Ok(100), |text| text.parse())?;
    if count < COMPARED {
        return Err(format!("count {COMPARED} minibatches or more").into());
    }

    let mut trainer = Trainer::new(&name, size, device, SEED)?;
    let (times, losses) = train(&mut trainer, count)?;
    let [first, last] = [mean(&losses[..COMPARED]), mean(&losses[losses.len() - COMPARED..])];
    let out = &mut stdout().lock();
    writeln!(out, "{name}, minibatches of {size} on {device}")?;
    writeln!(out, "  train  {}, loss {first:.2} -> {last:.2}", quantiles(times))?;

    let (times, right) = infer(&mut trainer.predictor()?, size, count)?;
    writeln!(out, "  infer  {}, {:.0} % right", quantiles(times), 100.0 * right)?;
    Ok(())
}

/// The time and the loss of each minibatch; the warm-up has a loss alone.
fn train(
    trainer: &mut Trainer,
    count: usize,
) -> Result<(Vec<Duration>, Vec<f32>), fulcrum_workloads::Error> {
    let (mut times, mut losses) = (Vec::new(), Vec::new());
    for _ in 0..WARM_UP + count {
        let start = Instant::now();
        losses.push(trainer.minibatch()?);
        times.push(start.elapsed());
    }
    Ok((times.split_off(WARM_UP), losses))
}

/// The time of each minibatch, and the share of answers that are right.
fn infer(
    predictor: &mut Predictor,
    size: BatchSize,
    count: usize,
) -> Result<(Vec<Duration>, f64), fulcrum_workloads::Error> {
    let mut samples = Samples::new(predictor.network(), SEED + 1).enumerate();
    let (mut times, mut right, mut answered) = (Vec::new(), 0, 0);
    for _ in 0..WARM_UP + count {
        let (classes, requests): (Vec<_>, Vec<_>) = samples
            .by_ref()
            .take(size.get() as usize)
            .map(|(id, sample)| (sample.class, Request { id: id as u64, values: sample.values }))
            .unzip();
        let start = Instant::now();
        let answers = predictor.infer(&requests)?;
        times.push(start.elapsed());
        answered += answers.len();
        right +=
            answers.iter().zip(classes).filter(|(answer, class)| answer.class == *class).count();
    }
    Ok((times.split_off(WARM_UP), right as f64 / answered as f64))
}

fn quantiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let ms = |share: f64| 1e3 * times[(share * times.len() as f64) as usize].as_secs_f64();
    format!("p50 {:.2} ms, p95 {:.2} ms", ms(0.5), ms(0.95))
}

fn mean(losses: &[f32]) -> f32 {
    losses.iter().sum::<f32>() / losses.len() as f32
}
