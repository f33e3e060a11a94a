//! Clocks that take a moment to switch.

use crate::orin_agx_model::{Clocks, GPU_KHZ};

/// How long each knob takes to take effect, in seconds, in the order of the knobs: measured on a
/// sibling board for the CPU, the GPU and memory; switching cores goes with the CPU's.
const SWITCHING: [f64; 4] = [0.001, 0.001, 0.005, 0.008];

/// The place of the GPU's clock among the knobs.
const GPU: usize = 2;

#[derive(Debug, Clone, Copy)]
struct Switch {
    from: f64,
    to: f64,
    done: f64,
}

/// The knobs of the board: what they were set to, and what is in force.
#[derive(Debug)]
pub(super) struct BoardClocks {
    switches: [Switch; 4],
    /// The highest place of the GPU's clock that its temperature allows.
    gpu_cap: usize,
}

impl BoardClocks {
    pub(super) fn new(levels: &[f64]) -> Self {
        let switch = |place: usize| {
            let level = levels.get(place).copied().unwrap_or_default();
            Switch { from: level, to: level, done: 0.0 }
        };
        Self { switches: [0, 1, 2, 3].map(switch), gpu_cap: GPU_KHZ.len() - 1 }
    }

    /// Asks for levels. A knob that has them already is left alone.
    pub(super) fn set(&mut self, levels: &[f64], now: f64) {
        for ((switch, &level), time) in self.switches.iter_mut().zip(levels).zip(SWITCHING) {
            if switch.to != level {
                let from = if now < switch.done { switch.from } else { switch.to };
                *switch = Switch { from, to: level, done: now + time };
            }
        }
    }

    /// The levels that were asked for.
    pub(super) fn asked_for(&self) -> [f64; 4] {
        self.switches.map(|switch| switch.to)
    }

    /// The levels that the board shows: as a kernel's files do, what was asked for, within what the
    /// temperature allows.
    pub(super) fn shown(&self) -> [f64; 4] {
        let mut shown = self.asked_for();
        shown[GPU] = shown[GPU].min(GPU_KHZ[self.gpu_cap]);
        shown
    }

    /// The levels in force at a time.
    pub(super) fn in_force(&self, now: f64) -> Clocks {
        let [cpu_cores, cpu_khz, gpu_khz, mem_khz] =
            self.switches.map(|switch| if now < switch.done { switch.from } else { switch.to });
        Clocks { cpu_cores, cpu_khz, gpu_khz: gpu_khz.min(GPU_KHZ[self.gpu_cap]), mem_khz }
    }

    /// When the next switch takes effect.
    pub(super) fn next(&self, now: f64) -> f64 {
        let times = self.switches.iter().map(|switch| switch.done).filter(|done| *done > now);
        times.fold(f64::INFINITY, f64::min)
    }

    /// Holds the GPU's clock down one level further, from where it is.
    pub(super) fn cool(&mut self) {
        let wanted = self.switches[GPU].to;
        let at = GPU_KHZ.iter().position(|level| *level == wanted).unwrap_or(GPU_KHZ.len() - 1);
        self.gpu_cap = self.gpu_cap.min(at).saturating_sub(1);
    }

    /// Lets the GPU's clock go up one level.
    pub(super) fn relax(&mut self) {
        self.gpu_cap = (self.gpu_cap + 1).min(GPU_KHZ.len() - 1);
    }

    /// Whether the GPU's clock is held below what was asked for.
    pub(super) fn held_down(&self) -> bool {
        self.switches[GPU].to > GPU_KHZ[self.gpu_cap]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: [f64; 4] = [4.0, 729_600.0, 318_750.0, 2_133_000.0];
    const HIGH: [f64; 4] = [12.0, 2_201_600.0, 1_300_500.0, 3_199_000.0];

    #[test]
    fn each_clock_takes_its_time_and_shows_at_once() {
        let mut clocks = BoardClocks::new(&LOW);
        clocks.set(&HIGH, 1.0);
        assert_eq!(clocks.shown(), HIGH);
        let at = |time: f64| {
            let Clocks { cpu_khz, gpu_khz, mem_khz, .. } = clocks.in_force(time);
            [cpu_khz, gpu_khz, mem_khz]
        };
        assert_eq!(at(1.0), LOW[1..]);
        assert_eq!(at(1.002), [HIGH[1], LOW[2], LOW[3]]);
        assert_eq!(at(1.006), [HIGH[1], HIGH[2], LOW[3]]);
        assert_eq!(at(1.008), HIGH[1..]);
        assert_eq!(clocks.next(1.006), 1.008);
    }

    #[test]
    fn a_clock_that_is_held_down_shows_it() {
        let mut clocks = BoardClocks::new(&HIGH);
        clocks.cool();
        assert!(clocks.held_down());
        assert_eq!(clocks.shown()[2], GPU_KHZ[11]);
        assert_eq!(clocks.asked_for(), HIGH);
        clocks.set(&LOW, 0.0);
        assert!(!clocks.held_down(), "it was asked for less than is allowed");
        clocks.cool();
        assert_eq!(clocks.shown()[2], GPU_KHZ[1], "it goes down from where it is");
    }
}
