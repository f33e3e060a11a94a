//! What a decision costs, and a day of turns in virtual time.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use fulcrum_domain::{Alternate, Workload};
use fulcrum_interleave::simulate::{
    Arrivals, Execution, Jitter, Job, Process, Rate, Setup, simulate,
};
use fulcrum_interleave::{Agreement, Background, Moment, Stream, Terms, decide};

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn a_decision(c: &mut Criterion) {
    let stream = Stream {
        waiting: 5,
        oldest: Moment::START,
        batch_size: 16,
        latency_budget: Some(millis(300)),
        minibatch: millis(20),
    };
    let streams = [stream, Stream { waiting: 0, ..stream }];
    let background = Some(Background { holds_up: millis(40), left: None });
    let now = Moment::START + millis(50);
    c.bench_function("decide, two streams and a trainer", |b| {
        b.iter(|| decide(black_box(now), 0.1, black_box(&streams), black_box(background)));
    });
}

/// A day of 60 requests a second on average, from 12 at night to 120 in the afternoon.
fn a_day(hours: u64) -> Setup {
    let hour = |h: u64| Moment::START + Duration::from_hours(h);
    let rate = |h: u64| 12.0 + 108.0 * (std::f64::consts::PI * h as f64 / 24.0).sin().powi(2);
    let steps = (0..24).map(|h| (hour(h), rate(h))).collect();
    let jitter = Jitter { ratio: 0.05, drift_per_hour: 0.0 };
    let agreement = Agreement {
        alternate: Alternate::SlackAware,
        guard: 0.1,
        minibatches_per_cycle: 0,
        terms: vec![
            Terms::background(Workload::train("resnet18"), 16).expecting(millis(40)),
            Terms::urgent(&"mobilenet_v3".into(), 16, millis(400)).expecting(millis(30)),
        ],
    };
    let train = Job::train("resnet18", Execution::of(millis(40)).with(jitter));
    let infer = Job::infer(
        "mobilenet_v3",
        1..=16,
        Execution::of(millis(30)).with(jitter),
        Arrivals { process: Process::Poisson, rate: Rate::Steps(steps) },
    );
    Setup::new(agreement, vec![train, infer], Duration::from_hours(hours))
}

fn an_hour_in_virtual_time(c: &mut Criterion) {
    let setup = a_day(1);
    let mut group = c.benchmark_group("simulate");
    group.sample_size(10);
    group.bench_function("an hour of changing rates; a day takes 24 times as long", |b| {
        b.iter(|| simulate(black_box(&setup)));
    });
    group.finish();
}

fn a_whole_day(c: &mut Criterion) {
    let setup = a_day(24);
    let mut group = c.benchmark_group("simulate");
    group.sample_size(10).measurement_time(Duration::from_secs(1)).warm_up_time(millis(1));
    group.bench_function("a day of changing rates", |b| b.iter(|| simulate(black_box(&setup))));
    group.finish();
}

criterion_group!(benches, a_decision, an_hour_in_virtual_time, a_whole_day);
criterion_main!(benches);
