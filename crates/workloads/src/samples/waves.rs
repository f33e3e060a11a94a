//! Sequences of waves: ten frequencies, at any phase and in noise. A single step says nothing, so
//! that a network has to remember.

use std::f32::consts::TAU;

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::shape::SEQUENCE;

const NOISE: f32 = 0.3;

pub(super) fn draw(class: usize, rng: &mut impl Rng) -> Vec<f32> {
    let [steps, width] = SEQUENCE;
    let cycles = (class + 1) as f32;
    // What is measured at each step lags by as much whatever the frequency.
    let phase = rng.random_range(0.0..TAU);
    let mut values = Vec::with_capacity(steps * width);
    for step in 0..steps {
        for place in 0..width {
            let noise: f32 = rng.sample(StandardNormal);
            let lag = TAU * place as f32 / width as f32;
            let turn = TAU * cycles * step as f32 / steps as f32;
            values.push((turn + lag + phase).sin() + NOISE * noise);
        }
    }
    values
}
