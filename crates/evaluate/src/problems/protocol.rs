//! The protocol's grids of problems.

use fulcrum_board::ProfileTable;
use fulcrum_domain::{Hertz, Problem, Seconds, Stream, Watts, Workload, WorkloadKind};

/// The device whose protocol is fixed.
const ORIN_AGX: &str = "orin-agx";
const POWER_BUDGETS: u32 = 41;

/// The protocol's problems for every training workload, every inference workload and every pair.
///
/// | problem | power budget | latency budget | arrival rate | problems |
/// |---|---|---|---|---|
/// | train only | 10…50 W, step 1 | | | 41 each |
/// | infer only | 10…50 W | 50…150 ms, step 10 | 30…90 /s, step 5 | 5,863 each |
/// | concurrent | 10…50 W | 500…2000 ms, step 100 | 30…120 /s, step 10 | 6,560 a pair |
///
/// This is for the `orin-agx` (and a simulated one). On another device the same numbers of budgets
/// are spread over what that device can do, rounded to three digits:
/// - power: evenly from the smallest to the largest reading of the problem's workloads;
/// - rate: with c the request rate that an inference workload sustains at its best batch size in
///   the median power mode, from c/10 to 3c/10 alone and to 4c/10 in a pair, evenly;
/// - latency: with L = 10/c plus the median time of the smallest minibatch, which is the least that
///   the lowest rate needs, from L to 3L alone and from 10 L to 40 L in a pair, evenly.
pub fn protocol(table: &ProfileTable) -> Vec<Problem> {
    let of_kind = |kind| {
        let workloads = table.offers().iter().map(|offer| &offer.workload);
        workloads.filter(move |workload| workload.kind == kind)
    };
    let mut problems = Vec::new();
    for train in of_kind(WorkloadKind::Train) {
        for power in power_budgets(table, &[train]) {
            problems.extend(Problem::train_only(train.clone(), power));
        }
    }
    for infer in of_kind(WorkloadKind::Infer) {
        let powers = power_budgets(table, &[infer]);
        for stream in streams(infer, &Streams::alone(table, infer)) {
            let each = powers.iter().map(|&p| Problem::infer_only(stream.clone(), p));
            problems.extend(each.flatten());
        }
    }
    for train in of_kind(WorkloadKind::Train) {
        for infer in of_kind(WorkloadKind::Infer) {
            let powers = power_budgets(table, &[train, infer]);
            for stream in streams(infer, &Streams::in_pair(table, infer)) {
                let problem = |&p| Problem::concurrent(train.clone(), stream.clone(), p);
                problems.extend(powers.iter().flat_map(problem));
            }
        }
    }
    problems
}

fn fixed(table: &ProfileTable) -> bool {
    table.device() == ORIN_AGX || table.device() == format!("simulated-{ORIN_AGX}")
}

fn power_budgets(table: &ProfileTable, workloads: &[&Workload]) -> Vec<Watts> {
    if fixed(table) {
        return (10..=50).map(|watts| Watts::new(f64::from(watts))).collect();
    }
    let rows = workloads.iter().flat_map(|workload| table.rows(workload));
    let (lowest, highest) =
        rows.fold((f64::INFINITY, 0.0f64), |(lowest, highest), (_, profile)| {
            (lowest.min(profile.power.get()), highest.max(profile.power.get()))
        });
    spread(lowest, highest, POWER_BUDGETS).into_iter().map(Watts::new).collect()
}

/// The rates and latency budgets of an inference workload's problems.
struct Streams {
    rates: Vec<f64>,
    latencies_ms: Vec<f64>,
}

impl Streams {
    fn alone(table: &ProfileTable, infer: &Workload) -> Self {
        if fixed(table) {
            return Self { rates: steps(30, 90, 5), latencies_ms: steps(50, 150, 10) };
        }
        let (capacity, least_ms) = abilities(table, infer);
        Self {
            rates: spread(0.1 * capacity, 0.3 * capacity, 13),
            latencies_ms: spread(least_ms, 3.0 * least_ms, 11),
        }
    }

    fn in_pair(table: &ProfileTable, infer: &Workload) -> Self {
        if fixed(table) {
            return Self { rates: steps(30, 120, 10), latencies_ms: steps(500, 2000, 100) };
        }
        let (capacity, least_ms) = abilities(table, infer);
        Self {
            rates: spread(0.1 * capacity, 0.4 * capacity, 10),
            latencies_ms: spread(10.0 * least_ms, 40.0 * least_ms, 16),
        }
    }
}

/// The request rate that a workload sustains in the median mode, and the latency in milliseconds
/// that a tenth of it needs at the smallest batch size.
fn abilities(table: &ProfileTable, infer: &Workload) -> (f64, f64) {
    let rows = table.rows(infer);
    let smallest = rows.iter().map(|((_, batch), _)| *batch).min();
    let of_smallest = rows.iter().filter(|((_, batch), _)| Some(*batch) == smallest);
    let time = median(of_smallest.map(|(_, profile)| profile.minibatch.get()));
    let by_mode = rows.chunk_by(|a, b| a.0.0 == b.0.0);
    let capacity = median(by_mode.map(|rows| {
        let rates = rows.iter().map(|((_, b), profile)| b.as_f64() / profile.minibatch.get());
        rates.fold(0.0, f64::max)
    }));
    (capacity, (10.0 / capacity + time) * 1e3)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(1.0)
}

fn streams(infer: &Workload, grid: &Streams) -> Vec<Stream> {
    let stream = |rate: f64, millis: f64| Stream {
        workload: infer.clone(),
        rate: Hertz::new(rate),
        latency: Seconds::from_millis(millis),
    };
    let rates = grid.rates.iter();
    rates.flat_map(|&rate| grid.latencies_ms.iter().map(move |&ms| stream(rate, ms))).collect()
}

fn steps(from: u32, to: u32, step: u32) -> Vec<f64> {
    (from..=to).step_by(step as usize).map(f64::from).collect()
}

/// So many values from one to another, evenly, each rounded to three digits (or as many more as
/// keep them apart).
fn spread(from: f64, to: f64, count: u32) -> Vec<f64> {
    let width = (to - from) / f64::from(count - 1);
    // A table whose readings are all the same leaves nothing to spread over.
    let finest = if width > 0.0 { width.min(from) } else { from };
    let digit = 10f64.powf((finest.log10() - 1.0).floor());
    let value = |i: u32| ((from + width * f64::from(i)) / digit).round() * digit;
    // Multiplying by a digit leaves a tail (0.30000000000000004) that no file needs.
    (0..count).map(|i| format!("{:.9e}", value(i)).parse().unwrap_or_else(|_| value(i))).collect()
}
