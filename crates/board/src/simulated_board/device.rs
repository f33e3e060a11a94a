//! Everything that happens on the board, in the order in which it happens.

use fulcrum_domain::{BatchSize, Workload};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::clock::Moment;
use crate::orin_agx_model::{CORES, CPU_KHZ, Clocks, Draws, GPU_KHZ, MEM_KHZ};
use crate::simulated_board::SimulatedOptions;
use crate::simulated_board::clocks::BoardClocks;
use crate::simulated_board::heat::{Heat, Reaction};
use crate::simulated_board::meter::Meter;
use crate::simulated_board::run::{Run, lognormal};

/// The board's insides. Several runs take turns: each gets an equal share of the time.
#[derive(Debug)]
pub(super) struct Device {
    now: f64,
    options: SimulatedOptions,
    clocks: BoardClocks,
    meter: Meter,
    heat: Heat,
    runs: Vec<Run>,
    runs_started: u64,
    joules: f64,
    random: ChaCha8Rng,
}

impl Device {
    pub(super) fn new(levels: &[f64], now: Moment, options: SimulatedOptions) -> Self {
        let now = now.since_start().as_secs_f64();
        let clocks = BoardClocks::new(levels);
        Self {
            now,
            meter: Meter::new(now, idle(clocks.in_force(now))),
            heat: Heat::new(options.ambient_celsius, now),
            clocks,
            runs: Vec::new(),
            runs_started: 0,
            joules: 0.0,
            random: ChaCha8Rng::seed_from_u64(options.seed),
            options,
        }
    }

    /// Lets everything happen until a moment.
    pub(super) fn advance(&mut self, now: Moment) {
        let end = now.since_start().as_secs_f64();
        while self.now < end {
            let happens = [self.meter.next(), self.heat.next(), self.clocks.next(self.now)];
            let next = happens.into_iter().fold(end, f64::min);
            self.pass(next - self.now);
            self.now = next;
            if next >= self.meter.next() {
                let factor = self.meter_error();
                self.meter.latch(factor);
            }
            if next >= self.heat.next() {
                match self.heat.look() {
                    Reaction::Cool => self.clocks.cool(),
                    Reaction::Relax => self.clocks.relax(),
                    Reaction::Keep => {}
                }
            }
        }
    }

    /// Lets some seconds pass in which no clock changes.
    fn pass(&mut self, seconds: f64) {
        let clocks = self.clocks.in_force(self.now);
        let draws = self.draws();
        let watts = draws.total();
        self.joules += watts * seconds;
        self.meter.pass(draws, seconds);
        self.heat.pass(watts, seconds);
        let share = 1.0 / self.runs.len().max(1) as f64;
        for run in &mut self.runs {
            run.pass(clocks, seconds, share);
        }
    }

    /// What draws power now.
    fn draws(&self) -> Draws {
        let clocks = self.clocks.in_force(self.now);
        let share = 1.0 / self.runs.len().max(1) as f64;
        let running = self.runs.iter().map(|run| run.draws(clocks).scaled(share));
        let add = |a: Draws, b: Draws| Draws {
            base: a.base + b.base,
            mem: a.mem + b.mem,
            gpu: a.gpu + b.gpu,
            cpu: a.cpu + b.cpu,
        };
        running.reduce(add).unwrap_or_else(|| idle(clocks))
    }

    fn meter_error(&mut self) -> f64 {
        let noise = self.options.noise;
        let mut factor = lognormal(&mut self.random, noise.power);
        let [chance, size] = [(); 2].map(|()| self.random.random::<f64>());
        if chance < noise.outliers {
            factor *= 0.3 + 0.4 * size;
        }
        factor
    }

    pub(super) fn set(&mut self, levels: &[f64]) {
        self.clocks.set(levels, self.now);
    }

    pub(super) fn asked_for(&self) -> [f64; 4] {
        self.clocks.asked_for()
    }

    pub(super) fn shown(&self) -> [f64; 4] {
        self.clocks.shown()
    }

    /// Whether the temperature holds a clock down.
    pub(super) fn throttles(&self) -> bool {
        self.clocks.held_down()
    }

    /// What the power meter shows.
    pub(super) fn metered(&self) -> Draws {
        self.meter.shown()
    }

    pub(super) fn celsius(&self) -> f64 {
        self.heat.celsius()
    }

    /// The energy drawn since the board was switched on.
    pub(super) fn joules(&self) -> f64 {
        self.joules
    }

    /// Whether something runs.
    pub(super) fn busy(&self) -> bool {
        !self.runs.is_empty()
    }

    /// Starts a run, and says how to call it.
    pub(super) fn start(&mut self, workload: &Workload, batch_size: BatchSize) -> Option<u64> {
        let SimulatedOptions { noise, seed, .. } = self.options;
        let run = Run::start(self.runs_started, workload, batch_size, noise, seed)?;
        self.runs_started += 1;
        let id = run.id;
        self.runs.push(run);
        Some(id)
    }

    /// The times of a run's minibatches that ended since this was last asked.
    pub(super) fn take_finished(&mut self, id: u64) -> Vec<f64> {
        let run = self.runs.iter_mut().find(|run| run.id == id);
        run.map(Run::take_finished).unwrap_or_default()
    }

    /// Ends a run.
    pub(super) fn end(&mut self, id: u64) {
        self.runs.retain(|run| run.id != id);
    }
}

/// What the board draws when nothing runs. The model was fitted to boards under load; that an idle
/// one draws about half of its base power, and little more at higher clocks, is a guess.
fn idle(clocks: Clocks) -> Draws {
    let share = |level: f64, levels: &[f64]| level / levels.last().copied().unwrap_or(1.0);
    let cores = clocks.cpu_cores / f64::from(CORES);
    Draws {
        base: 6.0,
        mem: share(clocks.mem_khz, &MEM_KHZ),
        gpu: share(clocks.gpu_khz, &GPU_KHZ),
        cpu: cores * share(clocks.cpu_khz, &CPU_KHZ),
    }
}
