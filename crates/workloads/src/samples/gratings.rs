//! Images of gratings: five orientations and two spacings, at any phase and in noise. No pixel says
//! anything by itself, so that a network has to learn filters.

use std::f32::consts::{PI, TAU};

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::shape::IMAGE;

const ORIENTATIONS: usize = 5;
/// Cycles across the image, by spacing.
const CYCLES: [f32; 2] = [3.0, 6.0];
const NOISE: f32 = 0.5;

pub(super) fn draw(class: usize, rng: &mut impl Rng) -> Vec<f32> {
    let [channels, height, width] = IMAGE;
    let angle = (class % ORIENTATIONS) as f32 * PI / ORIENTATIONS as f32;
    let cycles = CYCLES[class / ORIENTATIONS % CYCLES.len()];
    let (down, right) = (TAU * cycles * angle.sin(), TAU * cycles * angle.cos());
    let mut values = Vec::with_capacity(channels * height * width);
    for _ in 0..channels {
        let phase = rng.random_range(0.0..TAU);
        for y in 0..height {
            for x in 0..width {
                let [y, x] = [y as f32 / height as f32, x as f32 / width as f32];
                let noise: f32 = rng.sample(StandardNormal);
                values.push((down * y + right * x + phase).sin() + NOISE * noise);
            }
        }
    }
    values
}
