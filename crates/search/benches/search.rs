//! What the searches cost in computing, on a simulated board: the measuring itself is a look-up.
//!
//! `optimum` is the floor of what answering from known profiles takes: it looks at every one.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]
#![allow(missing_docs)] // on what the macros make

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use fulcrum_domain::{
    Alternate, Basis, BatchSize, Hertz, Knob, Measurement, ModeSpace, Problem, Profile, Role,
    Seconds, Setting, Stream, Watts, Workload,
};
use fulcrum_search::{
    Expected, FrontTask, GUARD_SIGMAS, Prior, Strategy, Task, build, recipe, run,
};

/// A board with so many levels a knob, whose time and power follow its clocks.
struct Board {
    setting: Arc<Setting>,
}

impl Board {
    fn new(cores: usize, cpu: usize, gpu: usize, memory: usize) -> Self {
        let knob = |name: &str, low: f64, high: f64, count: usize| {
            let step = (high - low) / (count - 1) as f64;
            Knob::new(name, (0..count).map(|i| low + step * i as f64)).unwrap()
        };
        let space = ModeSpace::full_grid(vec![
            knob("cpu_cores", 1.0, 12.0, cores),
            knob("cpu_khz", 422_400.0, 2_201_600.0, cpu),
            knob("gpu_khz", 114_750.0, 1_300_500.0, gpu),
            knob("mem_khz", 665_600.0, 3_199_000.0, memory),
        ])
        .unwrap();
        let batches = [1, 4, 16, 32, 64].into_iter().filter_map(BatchSize::new).collect();
        let setting = Setting {
            space: Arc::new(space),
            background_batch: BatchSize::new(16).unwrap(),
            urgent_batches: batches,
            presets: Vec::new(),
        };
        Self { setting: Arc::new(setting) }
    }

    fn grid() -> Self {
        Self::new(3, 7, 7, 3)
    }

    fn full() -> Self {
        Self::new(12, 29, 13, 4)
    }

    fn measure(&self, measurement: Measurement) -> Profile {
        let share: Vec<f64> = (0..4)
            .map(|k| {
                let levels = self.setting.space.knobs()[k].levels();
                self.setting.space.level(measurement.mode, k) / levels[levels.len() - 1]
            })
            .collect();
        let batch = measurement.batch_size.as_f64();
        let samples = if measurement.role == Role::Background { 5.0 * batch } else { 2.0 + batch };
        let accelerator = ((1.0 / share[2]).powi(3) + (0.9 / share[3]).powi(3)).cbrt();
        let time = 1e-3 * (samples * accelerator + 8.0 / (share[1] * share[0].powf(0.2)));
        let power = 12.0
            + 2.5 * share[3]
            + 4.0 * share[2]
            + 20.0 * share[2].powi(3)
            + share[1].powi(2) * (2.0 * share[0] + 6.0);
        Profile::exact(Seconds::new(time), Watts::new(power))
    }

    fn task(&self, strategy: &str) -> Task {
        Task {
            setting: self.setting.clone(),
            problem: problem(28.0),
            alternate: Alternate::Strict,
            allowance: recipe(strategy).unwrap().allowance_for(2),
            relatives: Arc::default(),
            seed: 1,
        }
    }

    fn search(&self, strategy: &str) -> bool {
        let mut search: Box<dyn Strategy> = recipe(strategy).unwrap().start(self.task(strategy));
        run(&mut *search, |measurement| Ok(self.measure(measurement))).plan().is_some()
    }
}

fn problem(watts: f64) -> Problem {
    let stream = Stream {
        workload: Workload::infer("infer"),
        rate: Hertz::new(60.0),
        latency: Seconds::new(0.8),
    };
    Problem::concurrent(Workload::train("train"), stream, Watts::new(watts)).unwrap()
}

fn searches(c: &mut Criterion) {
    let (grid, full) = (Board::grid(), Board::full());
    let mut group = c.benchmark_group("one search");
    group.sample_size(20);
    for strategy in ["optimum", "gmd", "guided"] {
        group.bench_function(format!("{strategy}, 441 modes"), |b| {
            b.iter(|| assert!(grid.search(strategy)));
        });
    }
    for strategy in ["gmd", "guided"] {
        group.bench_function(format!("{strategy}, 18096 modes"), |b| {
            b.iter(|| assert!(full.search(strategy)));
        });
    }
    group.bench_function("what guided expects of a board, 441 modes", |b| {
        b.iter(|| Prior::new(black_box(&grid.setting), &[Role::Background, Role::Urgent]));
    });
    group.finish();
}

fn fronts(c: &mut Criterion) {
    let grid = Board::grid();
    let als = || {
        let fulcrum_search::Method::Front(start) = recipe("als").unwrap().method else {
            unreachable!("als builds a front")
        };
        let mut builder = start(FrontTask {
            setting: grid.setting.clone(),
            roles: &[Role::Background, Role::Urgent],
            expected: Expected::spanning(&[problem(15.0), problem(50.0)]),
            alternate: Alternate::Strict,
            allowance: recipe("als").unwrap().allowance_for(2),
            relatives: Arc::default(),
            seed: 1,
        });
        build(&mut *builder, |measurement| Ok(grid.measure(measurement)))
    };
    let front = als();
    let mut group = c.benchmark_group("a front");
    group.sample_size(10);
    group.bench_function("als builds one for a pair", |b| b.iter(als));
    group.bench_function("a problem answered from one", |b| {
        let problem = problem(28.0);
        b.iter(|| {
            front.solve(black_box(&problem), Alternate::Strict, GUARD_SIGMAS, Basis::Measured)
        });
    });
    group.bench_function("a slack-aware problem answered from one", |b| {
        let problem = problem(28.0);
        b.iter(|| {
            front.solve(black_box(&problem), Alternate::SlackAware, GUARD_SIGMAS, Basis::Measured)
        });
    });
    group.finish();
}

criterion_group!(benches, searches, fronts);
criterion_main!(benches);
