//! A long short-term memory over short sequences, after Hochreiter and Schmidhuber, with a linear
//! layer on what it remembers at the end.
//!
//! The framework's own layer keeps the output of every step and computes each gate by itself. Only
//! the last output is wanted here, and all gates of a step are one product.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::backend::Backend;
use burn_nn::Linear;

use super::linear;
use crate::CLASSES;
use crate::samples::shape::SEQUENCE;

/// How much is remembered.
const HIDDEN: usize = 128;
/// Input, forget and output gate, and what may be remembered.
const GATES: usize = 4;

#[derive(Module, Debug)]
pub(crate) struct Lstm<B: Backend> {
    from_input: Linear<B>,
    from_hidden: Linear<B>,
    last: Linear<B>,
}

impl<B: Backend> Lstm<B> {
    pub(super) fn new(device: &B::Device) -> Self {
        Self {
            from_input: linear(SEQUENCE[1], GATES * HIDDEN, device),
            from_hidden: linear(HIDDEN, GATES * HIDDEN, device),
            last: linear(HIDDEN, CLASSES, device),
        }
    }

    pub(super) fn logits(&self, sequences: Tensor<B, 3>) -> Tensor<B, 2> {
        let [count, steps, _] = sequences.dims();
        let device = sequences.device();
        // What the inputs add to the gates does not depend on what is remembered: one product.
        let inputs = self.from_input.forward(sequences);
        let mut hidden = Tensor::zeros([count, HIDDEN], &device);
        let mut cell = Tensor::zeros([count, HIDDEN], &device);
        for step in 0..steps {
            let input = inputs.clone().narrow(1, step, 1).squeeze_dim(1);
            let gates: Tensor<B, 2> = input + self.from_hidden.forward(hidden);
            let gate = |index| gates.clone().narrow(1, index * HIDDEN, HIDDEN);
            // A forget gate that starts open lets the first gradients reach the first steps.
            let kept = sigmoid(gate(1) + 1.0) * cell;
            cell = kept + sigmoid(gate(0)) * tanh(gate(3));
            hidden = sigmoid(gate(2)) * tanh(cell.clone());
        }
        self.last.forward(hidden)
    }
}
