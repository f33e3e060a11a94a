//! What a simulated board and its workers share: clocks that change a moment after they are set,
//! heat, and a power sensor that has a new value only now and then.

use std::time::Duration;

use crate::clock::Moment;
use crate::orin_agx_model::{Clocks, GPU_KHZ, WorkloadModel};
use crate::reading_noise::Noise;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// How often the power sensor has a new value, as an INA3221 on a real board.
pub(super) const REFRESH: Duration = Duration::from_millis(430);
/// How long each knob's change takes, in the order of the knobs: cores, CPU, GPU, memory.
const SWITCHING: [Duration; 4] = [
    Duration::from_millis(1),
    Duration::from_millis(1),
    Duration::from_millis(5),
    Duration::from_millis(8),
];
/// What the board draws when nothing runs, in watts.
const IDLE_WATTS: f64 = 9.0;
/// Degrees of the junction above the ambience, per watt, once it has settled.
const CELSIUS_PER_WATT: f64 = 0.9;
/// How slowly it settles.
const THERMAL_TIME: Duration = Duration::from_mins(1);
/// It throttles above the one, until it is below the other.
const THROTTLE_CELSIUS: [f64; 2] = [97.0, 90.0];
/// The highest place of the GPU's clock while it throttles.
const THROTTLED_GPU: usize = 3;

/// A knob's level, and the one that it still has until a change takes effect.
#[derive(Debug, Clone, Copy)]
struct Level {
    set: f64,
    before: f64,
    from: Moment,
}

/// The state of a simulated board.
#[derive(Debug)]
pub(super) struct State {
    levels: [Level; 4],
    /// When a mode was last set or a workload started: minibatches are slow for a while.
    pub(super) disturbed: u64,
    running: Option<(&'static WorkloadModel, u64)>,
    started: u64,
    junction: f64,
    ambient: f64,
    throttling: bool,
    advanced: Moment,
    held_power: Option<(Moment, f64)>,
    pub(super) noise: Noise,
    pub(super) random: ChaCha8Rng,
}

impl State {
    pub(super) fn new(levels: [f64; 4], now: Moment, noise: Noise, seed: u64) -> Self {
        let level = |set| Level { set, before: set, from: now };
        let ambient = 35.0;
        Self {
            levels: levels.map(level),
            disturbed: 0,
            running: None,
            started: 0,
            junction: ambient + CELSIUS_PER_WATT * IDLE_WATTS,
            ambient,
            throttling: false,
            advanced: now,
            held_power: None,
            noise,
            random: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    pub(super) fn set_ambient(&mut self, celsius: f64) {
        self.junction += celsius - self.ambient;
        self.ambient = celsius;
    }

    /// Sets the knobs; the change takes effect a moment later.
    pub(super) fn set(&mut self, levels: [f64; 4], now: Moment) {
        self.advance(now);
        self.disturbed += 1;
        for ((level, set), switching) in self.levels.iter_mut().zip(levels).zip(SWITCHING) {
            let effective = if now >= level.from { level.set } else { level.before };
            *level = Level { set, before: effective, from: now + switching };
        }
    }

    /// What was set, as kernels show it at once, but for a clock that is held down.
    pub(super) fn shown(&mut self, now: Moment) -> [f64; 4] {
        self.advance(now);
        let mut shown = self.levels.map(|level| level.set);
        shown[2] = self.held_down(shown[2]);
        shown
    }

    /// What was set.
    pub(super) fn wanted(&self) -> [f64; 4] {
        self.levels.map(|level| level.set)
    }

    /// Whether heat holds the GPU's clock down.
    pub(super) fn throttling(&self) -> bool {
        self.throttling && self.levels[2].set > GPU_KHZ[THROTTLED_GPU]
    }

    fn held_down(&self, gpu_khz: f64) -> f64 {
        if self.throttling { gpu_khz.min(GPU_KHZ[THROTTLED_GPU]) } else { gpu_khz }
    }

    /// The clocks in effect.
    pub(super) fn clocks(&self, now: Moment) -> Clocks {
        let [cores, cpu, gpu, memory] =
            self.levels.map(|level| if now >= level.from { level.set } else { level.before });
        let gpu_khz = self.held_down(gpu);
        Clocks { cpu_cores: cores, cpu_khz: cpu, gpu_khz, mem_khz: memory }
    }

    /// A workload begins to run; the number tells it from later ones.
    pub(super) fn start(&mut self, model: &'static WorkloadModel, now: Moment) -> u64 {
        self.advance(now);
        self.started += 1;
        self.disturbed += 1;
        self.running = Some((model, self.started));
        self.started
    }

    /// A workload that began before goes on, in place of what runs.
    pub(super) fn resume(&mut self, model: &'static WorkloadModel, number: u64, now: Moment) {
        self.advance(now);
        self.running = Some((model, number));
    }

    /// A workload ends; one that another has followed already has.
    pub(super) fn stop(&mut self, number: u64, now: Moment) {
        self.advance(now);
        self.running.take_if(|(_, own)| *own == number);
    }

    /// Whether something runs.
    pub(super) fn busy(&self) -> bool {
        self.running.is_some()
    }

    /// What is drawn now, in watts.
    fn draws(&self, now: Moment) -> f64 {
        self.running.map_or(IDLE_WATTS, |(model, _)| model.profile(self.clocks(now)).power.get())
    }

    /// The junction's temperature, in degrees Celsius.
    pub(super) fn junction(&mut self, now: Moment) -> f64 {
        self.advance(now);
        self.junction
    }

    /// What the power sensor says, in watts: a value is held until the next is due.
    pub(super) fn power(&mut self, now: Moment) -> f64 {
        self.advance(now);
        if let Some((since, watts)) = self.held_power
            && now.since(since) < REFRESH
        {
            return watts;
        }
        let watts = self.draws(now) * self.scatter(self.noise.power);
        self.held_power = Some((now, watts));
        watts
    }

    /// A factor of lognormal noise.
    pub(super) fn scatter(&mut self, sigma: f64) -> f64 {
        if sigma > 0.0 { (sigma * self.random.sample::<f64, _>(StandardNormal)).exp() } else { 1.0 }
    }

    /// Lets heat follow what was drawn since.
    fn advance(&mut self, now: Moment) {
        let time = now.since(self.advanced);
        self.advanced = now;
        let settled = self.ambient + CELSIUS_PER_WATT * self.draws(now);
        let share = 1.0 - (-time.as_secs_f64() / THERMAL_TIME.as_secs_f64()).exp();
        self.junction += (settled - self.junction) * share;
        let [hot, cool] = THROTTLE_CELSIUS;
        self.throttling = self.junction > if self.throttling { cool } else { hot };
    }
}
