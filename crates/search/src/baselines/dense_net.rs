//! A dense net with one output, trained by Adam on squared errors.

use nalgebra::{DMatrix, DVector};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The widths of the hidden layers.
const HIDDEN: [usize; 3] = [256, 128, 64];
const LEARNING_RATE: f32 = 1e-3;
const EPOCHS: usize = 120;
const MINIBATCH: usize = 32;
const DECAY: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;

/// One layer, with the moments that Adam keeps of its gradients.
#[derive(Debug, Clone)]
struct Layer {
    weights: DMatrix<f32>,
    biases: DVector<f32>,
    moments: [Vec<f32>; 2],
}

/// A net of rectified layers. Samples are columns.
#[derive(Debug, Clone)]
pub(super) struct DenseNet {
    layers: Vec<Layer>,
    steps: i32,
}

impl DenseNet {
    /// A net that was fitted to these samples, one a column of `inputs`.
    pub(super) fn fit(inputs: &DMatrix<f32>, targets: &[f32], seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut net = Self::untrained(inputs.nrows(), &mut random);
        let mut order: Vec<usize> = (0..targets.len()).collect();
        for _ in 0..EPOCHS {
            order.shuffle(&mut random);
            for part in order.chunks(MINIBATCH) {
                let own: Vec<f32> = part.iter().map(|&i| targets[i]).collect();
                net.step(&inputs.select_columns(part), &own);
            }
        }
        net
    }

    /// Weights drawn evenly within the bounds of He, biases at zero.
    fn untrained(inputs: usize, random: &mut ChaCha8Rng) -> Self {
        let widths: Vec<usize> =
            std::iter::once(inputs).chain(HIDDEN).chain(std::iter::once(1)).collect();
        let layer = |shape: &[usize]| {
            let bound = (6.0 / shape[0].max(1) as f32).sqrt();
            let weights =
                DMatrix::from_fn(shape[1], shape[0], |_, _| random.random_range(-bound..=bound));
            let size = weights.len() + shape[1];
            let moments = [vec![0.0; size], vec![0.0; size]];
            Layer { weights, biases: DVector::zeros(shape[1]), moments }
        };
        Self { layers: widths.windows(2).map(layer).collect(), steps: 0 }
    }

    /// The output for each sample.
    pub(super) fn predict(&self, inputs: &DMatrix<f32>) -> Vec<f32> {
        let outputs = self.forward(inputs);
        outputs.last().map(|last| last.iter().copied().collect()).unwrap_or_default()
    }

    /// The outputs of each layer.
    fn forward(&self, inputs: &DMatrix<f32>) -> Vec<DMatrix<f32>> {
        let mut outputs: Vec<DMatrix<f32>> = Vec::with_capacity(self.layers.len());
        for (i, layer) in self.layers.iter().enumerate() {
            let mut out = &layer.weights * outputs.last().unwrap_or(inputs);
            for mut column in out.column_iter_mut() {
                column += &layer.biases;
            }
            if i + 1 < self.layers.len() {
                out.apply(|x| *x = x.max(0.0));
            }
            outputs.push(out);
        }
        outputs
    }

    /// One step of Adam down the gradient of the mean squared error.
    fn step(&mut self, inputs: &DMatrix<f32>, targets: &[f32]) {
        self.steps += 1;
        let outputs = self.forward(inputs);
        let Some(last) = outputs.last() else { return };
        let share = 2.0 / targets.len() as f32;
        let mut delta = DMatrix::from_fn(1, targets.len(), |_, i| share * (last[i] - targets[i]));
        for i in (0..self.layers.len()).rev() {
            let below = if i == 0 { inputs } else { &outputs[i - 1] };
            let weights = &delta * below.transpose();
            let biases = delta.column_sum();
            if i > 0 {
                delta = self.layers[i].weights.tr_mul(&delta);
                delta.zip_apply(below, |d, out| {
                    if out <= 0.0 {
                        *d = 0.0;
                    }
                });
            }
            self.layers[i].update(&weights, &biases, self.steps);
        }
    }
}

impl Layer {
    fn update(&mut self, weights: &DMatrix<f32>, biases: &DVector<f32>, steps: i32) {
        let [first, second] = &mut self.moments;
        let [rate_first, rate_second] = DECAY.map(|decay| 1.0 - decay.powi(steps));
        let gradients = weights.iter().chain(biases.iter());
        let own = self.weights.iter_mut().chain(self.biases.iter_mut());
        for (((value, g), m), v) in own.zip(gradients).zip(first).zip(second) {
            *m = DECAY[0] * *m + (1.0 - DECAY[0]) * g;
            *v = DECAY[1] * *v + (1.0 - DECAY[1]) * g * g;
            let scale = (*v / rate_second).sqrt() + EPSILON;
            *value -= LEARNING_RATE * (*m / rate_first) / scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_net_learns_a_smooth_function_and_the_same_one_again() {
        let inputs = DMatrix::from_fn(2, 200, |row, i| {
            let i = if row == 0 { i % 20 } else { i / 20 };
            i as f32 / 10.0 - 1.0
        });
        let targets: Vec<f32> = inputs.column_iter().map(|x| x[0] * x[0] - 0.5 * x[1]).collect();
        let net = DenseNet::fit(&inputs, &targets, 7);
        let found = net.predict(&inputs);
        let square: f32 = found.iter().zip(&targets).map(|(a, b)| (a - b).powi(2)).sum();
        assert!((square / 200.0).sqrt() < 0.08, "{square}");
        assert_eq!(found, DenseNet::fit(&inputs, &targets, 7).predict(&inputs));
    }
}
