//! The family of boards and workloads that a search expects before it has measured anything.
//!
//! A draw is one smooth physical model: the time of a minibatch has a processor term that falls
//! with the CPU clock, and an accelerator term in which computing falls with the GPU clock and
//! traffic with the memory clock, each with a part that grows with the batch; power is a base and
//! the activity of each part times its clock and voltage. The widths say what is plausible for any
//! network on any edge board, not what fits a particular one; levels are left free elsewhere.
//!
//! Knobs are told by their names; one that is not known is expected to speed things up by an
//! unknown amount, at an unknown price.

use fulcrum_domain::{Knob, ModeId, ModeSpace};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

/// What a knob acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Cores,
    Cpu,
    Gpu,
    Memory,
    PowerLimit,
    Unknown,
}

fn part(knob: &Knob) -> Part {
    let name = knob.name().to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["core"]) {
        Part::Cores
    } else if has(&["limit", "power_w", "tdp"]) {
        Part::PowerLimit
    } else if has(&["mem", "emc", "dram"]) {
        Part::Memory
    } else if has(&["gpu", "sm_"]) {
        Part::Gpu
    } else if has(&["cpu"]) {
        Part::Cpu
    } else {
        Part::Unknown
    }
}

/// A mode as the models see it: every part's clock as a share of its highest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clocks {
    cores: f64,
    cpu: f64,
    gpu: f64,
    memory: f64,
    limit: Option<f64>,
    unknown: f64,
}

impl Clocks {
    pub(super) fn of(space: &ModeSpace, mode: ModeId) -> Self {
        let mut clocks =
            Self { cores: 1.0, cpu: 1.0, gpu: 1.0, memory: 1.0, limit: None, unknown: 1.0 };
        for (k, knob) in space.knobs().iter().enumerate() {
            let share = share(knob, space.level(mode, k));
            match part(knob) {
                Part::Cores => clocks.cores *= share,
                Part::Cpu => clocks.cpu *= share,
                Part::Gpu => clocks.gpu *= share,
                Part::Memory => clocks.memory *= share,
                Part::PowerLimit => clocks.limit = Some(clocks.limit.unwrap_or(1.0) * share),
                Part::Unknown => clocks.unknown *= share,
            }
        }
        clocks
    }
}

/// A level as a share of the highest. A knob that reaches down to nothing or below has no such
/// share; its levels are spread over an assumed range of five to one.
fn share(knob: &Knob, level: f64) -> f64 {
    let (low, high) = (knob.levels()[0], knob.levels()[knob.levels().len() - 1]);
    if low > 0.0 {
        level / high
    } else if high > low {
        0.2 + 0.8 * (level - low) / (high - low)
    } else {
        1.0
    }
}

fn lognormal(rng: &mut impl Rng, median: f64, sigma: f64) -> f64 {
    let z: f64 = StandardNormal.sample(rng);
    median * (sigma * z).exp()
}

/// What workloads on one board share: how its parts draw power, relative to its base.
#[derive(Debug, Clone)]
pub(super) struct BoardDraw {
    memory: f64,
    gpu: f64,
    cores: f64,
    cpu_exponent: f64,
    limit_watts: f64,
    limit_exponent: f64,
    unknown: f64,
}

impl BoardDraw {
    pub(super) fn new(rng: &mut impl Rng) -> Self {
        Self {
            memory: lognormal(rng, 0.18, 0.4),
            gpu: lognormal(rng, 0.25, 0.6),
            cores: lognormal(rng, 0.14, 0.5),
            cpu_exponent: rng.random_range(1.3..3.5),
            limit_watts: lognormal(rng, 4.0, 0.4),
            limit_exponent: rng.random_range(1.0..3.0),
            unknown: lognormal(rng, 0.5, 1.0),
        }
    }
}

/// One workload: costs in units of what one sample costs the GPU at its highest clock.
#[derive(Debug, Clone)]
pub(super) struct WorkloadDraw {
    compute: Affine,
    traffic: Affine,
    processor: Affine,
    fixed: Affine,
    unknown: f64,
    join_accelerator: f64,
    join_processor: f64,
    per_core: f64,
    gpu_activity: f64,
    voltage_share: f64,
    memory_activity: f64,
    cpu_activity: f64,
}

/// A cost with a part that every minibatch has and a part that every sample has.
#[derive(Debug, Clone, Copy)]
struct Affine {
    once: f64,
    each: f64,
}

impl Affine {
    fn at(self, batch: f64) -> f64 {
        self.once + self.each * batch
    }
}

impl WorkloadDraw {
    pub(super) fn new(rng: &mut impl Rng) -> Self {
        Self {
            compute: Affine { once: lognormal(rng, 0.6, 1.0), each: 1.0 },
            traffic: Affine { once: lognormal(rng, 0.6, 1.0), each: lognormal(rng, 1.0, 0.5) },
            processor: Affine { once: lognormal(rng, 6.0, 1.0), each: lognormal(rng, 0.5, 1.0) },
            fixed: Affine { once: lognormal(rng, 2.0, 1.0), each: lognormal(rng, 0.1, 1.0) },
            unknown: lognormal(rng, 0.5, 1.0),
            join_accelerator: rng.random_range(1.8..4.5),
            join_processor: rng.random_range(1.0..4.5),
            per_core: rng.random_range(0.0..0.3),
            gpu_activity: lognormal(rng, 1.4, 0.6),
            voltage_share: rng.random_range(0.3..1.0),
            memory_activity: lognormal(rng, 0.1, 1.0),
            cpu_activity: lognormal(rng, 0.8, 1.0),
        }
    }

    /// The logarithms of the time (relative) and of the power (relative to the board's base) of a
    /// minibatch.
    pub(super) fn at(&self, board: &BoardDraw, clocks: &Clocks, batch: f64) -> (f64, f64) {
        let compute = self.compute.at(batch);
        let traffic = self.traffic.at(batch);
        let accelerator =
            p_norm(compute / clocks.gpu, traffic / clocks.memory, self.join_accelerator);
        let processor = self.processor.at(batch) / (clocks.cpu * clocks.cores.powf(self.per_core));
        let mut time = p_norm(accelerator, processor, self.join_processor) + self.fixed.at(batch);
        if clocks.unknown < 1.0 {
            time += self.unknown * compute * (1.0 / clocks.unknown - 1.0);
        }
        let voltage = 1.0 - self.voltage_share + self.voltage_share * clocks.gpu * clocks.gpu;
        let busy = (processor / time).min(1.0);
        let mut power = 1.0
            + board.memory * clocks.memory
            + board.gpu * clocks.gpu
            + self.gpu_activity * (compute / time) * voltage
            + self.memory_activity * (traffic / time)
            + clocks.cpu.powf(board.cpu_exponent)
                * (board.cores * clocks.cores + self.cpu_activity * busy)
            + board.unknown * clocks.unknown;
        if let Some(share) = clocks.limit {
            // Under its limit the device slows down until it draws no more than that; the idle
            // part of its draw cannot be saved.
            let limit = (board.limit_watts * share).max(1.2);
            if power > limit {
                let active = ((power - 1.0) / (limit - 1.0)).ln() / board.limit_exponent;
                time *= active.exp();
                power = limit;
            }
        }
        (time.ln(), power.ln())
    }
}

/// (xⁿ + yⁿ)^(1/n): the larger of two that overlap, or nearly their sum, by n.
fn p_norm(x: f64, y: f64, n: f64) -> f64 {
    let (large, small) = if x > y { (x, y) } else { (y, x) };
    let ratio = (n * (small / large).ln()).exp();
    // ln(1 + r)/n is below what matters for a small r.
    large * if ratio > 1e-9 { (ratio.ln_1p() / n).exp() } else { 1.0 }
}
